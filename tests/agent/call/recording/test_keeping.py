"""What is kept of a call, and what is not."""

import json
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc

from agent.call.recording.keeping import Keeping
from agent.call.turn_record.recorder import CallRecorder
from config.behaviour import AgentSettings

FRAME = rtc.AudioFrame(bytes(3200), 16_000, 1, 1600)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "RM_1.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


async def test_a_call_is_kept_with_its_sound(tmp_path: Path) -> None:
    keeping = Keeping(AgentSettings(record_dir=tmp_path, record_audio=True), "RM_1")
    recorder = CallRecorder([keeping.record.write])
    recorder.begin()
    keeping.begin_sound(recorder.clock.at_ms, recorder.emit)
    assert keeping.hear
    keeping.hear(FRAME)
    tap = keeping.tap()
    assert tap
    tap.play(FRAME)
    recorder.end("caller_left")
    await keeping.close()
    _, audio, end = lines(tmp_path)
    assert (audio["kind"], audio["file"]) == ("audio", "RM_1.ogg")
    assert 0 <= audio["starts_ms"] < 1000
    assert (end["kind"], end["ending"]) == ("end", "caller_left")
    assert (tmp_path / "RM_1.ogg").exists()


@pytest.mark.parametrize("folder", [True, False])
async def test_without_the_setting_there_is_no_sound(tmp_path: Path, folder: bool) -> None:
    agent = AgentSettings(record_dir=tmp_path) if folder else AgentSettings(record_audio=True)
    keeping = Keeping(agent, "RM_1")
    recorder = CallRecorder([keeping.record.write])
    recorder.begin()
    keeping.begin_sound(recorder.clock.at_ms, recorder.emit)
    assert (keeping.hear, keeping.tap()) == (None, None)
    recorder.end("caller_left")
    await keeping.close()
    assert names(tmp_path) == (["RM_1.jsonl"] if folder else [])


async def test_another_agent_goes_on_with_the_record_and_has_a_file_of_its_own(
    tmp_path: Path,
) -> None:
    agent = AgentSettings(record_dir=tmp_path, record_audio=True)
    for _ in range(2):
        keeping = Keeping(agent, "RM_1")
        recorder = CallRecorder([keeping.record.write])
        recorder.begin()
        keeping.begin_sound(recorder.clock.at_ms, recorder.emit)
        recorder.end(None)
        await keeping.close()
    assert [each["kind"] for each in lines(tmp_path)] == ["call", "audio"] * 2
    assert names(tmp_path) == ["RM_1.2.ogg", "RM_1.jsonl", "RM_1.ogg"]
