"""What `make run` says when it is ready."""

from dataclasses import replace
from pathlib import Path

import pytest

from workbench.local.livekit_server import Access
from workbench.local.providers import Plan
from workbench.local.run import Running, summary
from workbench.local.standins_process import StandIns

ACCESS = Access("ws://127.0.0.1:7880", "key", "hush")
LOG = Path(".cache/run/worker.log")
STAND_INS = StandIns(
    assemblyai_base_url="ws://127.0.0.1:1",
    openai_base_url="http://127.0.0.1:2/v1",
    control_url="http://127.0.0.1:3",
    assemblyai_api_key="hush",
    openai_api_key="hush",
)
LOCAL = Plan(livekit=None, has_assemblyai_key=False, has_openai_key=False)
PAGE = "http://127.0.0.1:8790"
LOCAL_RUN = Running(ACCESS, PAGE, LOG, STAND_INS, Path("livekit-server"))
REAL = Plan(livekit=ACCESS, has_assemblyai_key=True, has_openai_key=True)


@pytest.mark.parametrize(
    ("chosen", "stood_in", "server"),
    [(LOCAL, STAND_INS, Path("livekit-server")), (REAL, None, None)],
)
def test_the_summary_has_ten_lines_at_most_and_no_secret(
    chosen: Plan, stood_in: StandIns | None, server: Path | None
) -> None:
    lines = summary(chosen, Running(ACCESS, PAGE, LOG, stood_in, server))
    assert len(lines) <= 10
    assert "hush" not in "\n".join(lines)
    assert any("make call" in line for line in lines)
    assert any(PAGE in line for line in lines)
    assert any(str(LOG) in line for line in lines)


def test_stand_ins_are_named_as_such_with_the_key_that_is_missing() -> None:
    text = "\n".join(summary(LOCAL, LOCAL_RUN))
    assert "stand-in at ws://127.0.0.1:1 (no ASSEMBLYAI_API_KEY)" in text
    assert "stand-in at http://127.0.0.1:2/v1 (no OPENAI_API_KEY)" in text


def test_what_is_real_is_named_as_such() -> None:
    text = "\n".join(summary(REAL, Running(ACCESS, PAGE, LOG)))
    assert "stand-in" not in text
    assert text.count("real, with your key") == 2
    assert "yours, as set" in text


def test_one_real_key_needs_one_stand_in() -> None:
    mixed = Plan(livekit=None, has_assemblyai_key=False, has_openai_key=True)
    text = "\n".join(summary(mixed, LOCAL_RUN))
    assert "OpenAI           real" in text
    assert "AssemblyAI       stand-in" in text


def test_a_server_that_has_only_chat_is_not_called_a_voice() -> None:
    chosen = replace(REAL, voiceless="http://127.0.0.1:11434/v1")
    text = "\n".join(summary(chosen, Running(ACCESS, PAGE, LOG, STAND_INS)))
    assert "voice a stand-in: http://127.0.0.1:11434/v1 has no /audio/speech" in text
