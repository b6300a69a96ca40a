"""How a command says what is wrong, and ends."""

import errno
import socket
import warnings
from collections.abc import Callable

import pytest
from livekit.api import TwirpError

from agent.cli.faults import (
    FAILED,
    USAGE,
    explained,
    give_up,
    in_words,
    loaded_settings,
    told_warnings,
)
from agent.records.folder import DEVELOPERS, kept_in_development
from agent.worker.preparation import UnpreparedError
from agent.worker.reachability import LiveKitUnreachableError
from agent.worker.run import HopelessError
from workbench.local.sample_settings import sample_settings

Captured = pytest.CaptureFixture[str]


def test_missing_settings_come_with_where_to_put_them() -> None:
    first, fault, advice = in_words(["OPENAI_API_KEY: is missing"])
    assert first == "The worker cannot start: a setting is missing or wrong."
    assert fault == "  OPENAI_API_KEY: is missing"
    assert "`make run` needs no key" in advice


def test_wrong_settings_come_with_how_to_see_where_they_are_set() -> None:
    first, *faults, advice = in_words(["A: must be b", "C: must be d"])
    assert first == "The worker cannot start: 2 settings are missing or wrong."
    assert faults == ["  A: must be b", "  C: must be d"]
    assert "python agent.py settings" in advice


def test_giving_up_is_lines_and_a_code(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        give_up("One.", "Two.", code=USAGE)
    assert (ended.value.code, capsys.readouterr().err) == (USAGE, "One.\nTwo.\n")


def test_a_warning_is_a_sentence_even_when_the_work_fails(capsys: Captured) -> None:
    def work() -> None:
        with told_warnings():
            warnings.warn("AGENT_X: did you mean AGENT_Y?", stacklevel=1)
            warnings.warn("Y has no effect", stacklevel=1)
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert capsys.readouterr().err == "AGENT_X: did you mean AGENT_Y?\nY has no effect.\n"


def test_settings_that_a_command_gives_itself_need_not_be_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "ASSEMBLYAI_API_KEY"):
        monkeypatch.setenv(name, "ws://h" if name.endswith("URL") else "key")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert loaded_settings({"openai": {"api_key": "given"}}).agent
    with pytest.raises(SystemExit) as ended:
        loaded_settings()
    assert ended.value.code == USAGE


def test_a_developers_folder_is_no_missing_one(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "ASSEMBLYAI_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "key")
    monkeypatch.setenv("LIVEKIT_URL", "ws://h")
    monkeypatch.setenv("AGENT_CONSENT", "May I record this?")
    monkeypatch.setenv("AGENT_RECORD_AUDIO", "true")
    loaded_settings()
    assert capsys.readouterr().err.count("has no effect without AGENT_RECORD_DIR") == 2
    assert loaded_settings(completed=kept_in_development).agent.record_dir == DEVELOPERS
    assert "has no effect" not in capsys.readouterr().err


FAULTS: list[tuple[Callable[[], Exception], int, str]] = [
    (lambda: HopelessError(), FAILED, "Its supervisor should start another."),
    (lambda: UnpreparedError("Nothing works."), USAGE, "The worker cannot start. Nothing works."),
    (lambda: LiveKitUnreachableError("LiveKit is away."), FAILED, "LiveKit is away."),
    (
        lambda: TwirpError("invalid", "no such room" * 100, status=400),
        FAILED,
        "refuses that: no such room",
    ),
    (lambda: socket.gaierror(-2, "unknown"), FAILED, "has no address on this machine"),
    (
        lambda: OSError(errno.EADDRINUSE, "in use on 8081"),
        FAILED,
        "The health page cannot listen on 127.0.0.1:8081 (in use on 8081)",
    ),
    (
        lambda: OSError(errno.EADDRINUSE, "in use on 9090"),
        FAILED,
        "The page of metrics cannot listen on 127.0.0.1:9090",
    ),
]


@pytest.mark.parametrize(("fault", "code", "said"), FAULTS)
def test_whatever_ends_the_worker_is_one_sentence(
    capsys: Captured, fault: Callable[[], Exception], code: int, said: str
) -> None:
    settings = sample_settings(agent={"http_port": 8081, "metrics_port": 9090})
    with pytest.raises(SystemExit) as ended, explained(settings):
        raise fault()
    told = capsys.readouterr().err
    assert ended.value.code == code
    assert said in told
    assert len(told.splitlines()) == 1
    assert len(told) < 400


def test_a_fault_of_ours_keeps_its_stack() -> None:
    with pytest.raises(OSError, match="disk"), explained(sample_settings()):
        raise OSError(errno.ENOSPC, "the disk is full")
