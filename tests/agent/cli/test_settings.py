"""The page of settings in force, as the command prints it."""

import os
import sys
from pathlib import Path

import pytest

from agent.cli.settings import NAME_WIDTH, VALUE_WIDTH, settings

KEYS = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": "a-livekit-secret",
    "ASSEMBLYAI_API_KEY": "an-assemblyai-key",
    "OPENAI_API_KEY": "sk-an-openai-key",
}
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the five keys, in a folder without a `.env`."""
    for name in list(os.environ):
        if name.startswith(("LIVEKIT_", "ASSEMBLYAI_", "OPENAI_", "AGENT_")):
            monkeypatch.delenv(name)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


def rows(printed: str) -> dict[str, tuple[str, str]]:
    """The value and the origin of each setting."""
    ends = NAME_WIDTH, NAME_WIDTH + 1 + VALUE_WIDTH
    return {
        line[: ends[0]].strip(): (line[ends[0] : ends[1]].strip(), line[ends[1] :].strip())
        for line in printed.splitlines()
    }


def test_each_setting_has_its_value_and_where_it_is_from(
    monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    Path(".env").write_text("AGENT_GREETING=Hi.\n", "utf-8")
    monkeypatch.setenv("AGENT_NAME", "front desk")
    settings()
    shown = rows(capfd.readouterr().out)
    assert shown["AGENT_NAME"] == ("front desk", "environment")
    assert shown["AGENT_GREETING"] == ("Hi.", ".env")
    assert shown["AGENT_HTTP_HOST"] == ("127.0.0.1", "default")
    assert shown["OPENAI_API_KEY"] == ("********", "environment")


def test_a_session_parameter_has_the_value_that_is_sent(capfd: Captured) -> None:
    settings()
    shown = rows(capfd.readouterr().out)
    assert shown["ASSEMBLYAI_MAX_TURN_SILENCE"] == ("2400", "default")  # the preset's


def test_what_is_long_or_moves_the_cursor_is_one_short_line(
    monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.setenv("AGENT_GREETING", "Hi\x1b[2J\n" + "there " * 20)
    settings()
    shown = rows(capfd.readouterr().out)["AGENT_GREETING"][0]
    assert shown.startswith("Hi\\x1b[2J\\nthere there")
    assert shown.endswith("...")
    assert len(shown) == VALUE_WIDTH


def test_with_faults_the_rest_is_shown_as_it_is_written(
    monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.delenv("LIVEKIT_API_KEY")
    monkeypatch.setenv("AGENT_HTTP_PORT", "x")
    with pytest.raises(SystemExit) as ended:
        settings()
    printed = capfd.readouterr()
    shown = rows(printed.out)
    assert ended.value.code == 2
    assert shown["LIVEKIT_API_KEY"] == ("", "MISSING")
    assert shown["AGENT_HTTP_PORT"] == ("x", "environment")
    assert shown["OPENAI_API_KEY"] == ("********", "environment")
    assert "AGENT_HTTP_PORT: must be a whole number" in printed.err


@pytest.mark.parametrize(
    ("device", "said"),
    [("/dev/full", "The settings cannot be written: No space left on device."), ("pipe", "")],
)
def test_output_that_cannot_be_written_is_one_sentence_at_most(
    monkeypatch: pytest.MonkeyPatch, capfd: Captured, device: str, said: str
) -> None:
    """A reader that has gone knows that it has."""
    if device == "pipe":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open(device, os.O_WRONLY)
    with os.fdopen(writer, "w", encoding="utf-8") as output:
        monkeypatch.setattr(sys, "stdout", output)
        with pytest.raises(SystemExit) as ended:
            settings()
    assert ended.value.code == 1
    assert capfd.readouterr().err.strip() == said
