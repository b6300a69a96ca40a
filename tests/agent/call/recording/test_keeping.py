"""What is kept of a call, and what is not."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.agents import AgentSession

from agent.call.recording.keeping import Keeping, first_words
from agent.call.turn_record.recorder import CallRecorder
from agent.records.schema import HandedOver, Said
from config.behaviour import AgentSettings
from workbench.local.sample_settings import sample_settings

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


class Session:
    """LiveKit's, as far as it says something."""

    user_state = "listening"

    def say(self, _: str) -> Any:
        return self

    def add_done_callback(self, _: object) -> None:
        pass


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ("Yes.", ["call", "audio", "consent", "said", "end"]),
        ("No.", ["consent", "end"]),
        ("Nein, danke.", ["consent", "end"]),
    ],
)
async def test_a_caller_who_refuses_leaves_nothing_but_the_refusal(
    tmp_path: Path, said: str, kinds: list[str]
) -> None:
    settings = sample_settings(
        agent={"record_dir": tmp_path, "record_audio": True, "consent": "May we record this?"}
    )
    earlier = Keeping(settings.agent, "RM_1")
    earlier.write(HandedOver())
    await earlier.close()
    keeping = Keeping(settings.agent, "RM_1")
    recorder = CallRecorder([keeping.write])
    recorder.begin()
    keeping.begin_sound(recorder.clock.at_ms, recorder.emit)
    session = cast("AgentSession[Any]", cast("Any", Session()))
    consent = keeping.consent(settings, session, recorder.emit)
    assert consent
    consent.ask(lambda: None)
    assert consent.take(said)
    recorder.emit(Said(role="user", text=said))
    recorder.end("caller_left")
    await keeping.close()
    assert [each["kind"] for each in lines(tmp_path)] == ["handed_over", *kinds]
    assert keeping.may_keep() is (said == "Yes.")
    assert names(tmp_path) == (["RM_1.jsonl", "RM_1.ogg"] if said == "Yes." else ["RM_1.jsonl"])


async def test_nobody_is_asked_where_nothing_is_kept(tmp_path: Path) -> None:
    session = cast("AgentSession[Any]", cast("Any", Session()))
    plain = sample_settings()
    for agent in ({"consent": "May we?"}, {"record_dir": tmp_path}):
        settings = plain.model_copy(update={"agent": AgentSettings.model_validate(agent)})
        assert Keeping(settings.agent, "RM_1").consent(settings, session, print) is None
        assert first_words(settings.agent) == settings.agent.greeting
    asked = sample_settings(agent={"consent": "May we?", "record_dir": tmp_path})
    assert first_words(asked.agent) == "May we?"
