"""The settings as far as they can be read: a fault in one section leaves the others."""

import os
from pathlib import Path

import pytest

from agent.doctor.found import find

RIGHT = {
    "LIVEKIT_URL": "ws://127.0.0.1:1",
    "LIVEKIT_API_KEY": "a-livekit-key",
    "LIVEKIT_API_SECRET": "a-livekit-secret",
    "ASSEMBLYAI_API_KEY": "an-assemblyai-key",
    "OPENAI_API_KEY": "an-openai-key",
}


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith(("LIVEKIT", "AGENT", "OPENAI"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("ASSEMBLYAI_API_KEY", raising=False)
    return tmp_path / ".env"


def write(dotenv: Path, **changed: str) -> None:
    lines = [f"{name}={text}\n" for name, text in (RIGHT | changed).items() if text]
    dotenv.write_text("".join(lines))


def test_right_settings_are_all_read(dotenv: Path) -> None:
    write(dotenv)
    found = find(dotenv)
    assert (found.faults, found.notes) == ([], [])
    assert None not in (found.livekit, found.assemblyai, found.openai, found.agent)
    assert found.texts.items() >= RIGHT.items()


def test_a_fault_in_one_section_leaves_the_others(dotenv: Path) -> None:
    write(dotenv, OPENAI_API_KEY="", LIVEKIT_SECRET="other")
    found = find(dotenv)
    assert found.openai is None
    assert None not in (found.livekit, found.assemblyai, found.agent)
    assert [fault.partition(":")[0] for fault in found.faults] == ["OPENAI_API_KEY"]
    assert [note.partition(":")[0] for note in found.notes] == ["LIVEKIT_SECRET"]


def test_every_key_is_a_secret_right_or_wrong(dotenv: Path) -> None:
    write(dotenv, OPENAI_API_KEY="wrong key", AGENT_NAME="clerk")
    assert find(dotenv).secrets == {
        "a-livekit-key",
        "a-livekit-secret",
        "an-assemblyai-key",
        "wrong key",
    }


def test_what_kubernetes_sets_is_no_setting(dotenv: Path) -> None:
    write(dotenv, AGENT_HTTP_PORT="tcp://10.0.0.1:80")
    found = find(dotenv)
    assert found.agent is not None
    assert found.agent.http_port == 0
