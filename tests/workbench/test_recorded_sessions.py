"""Sessions that were recorded in both directions, played again on a virtual clock."""

import json
from pathlib import Path
from typing import Any

import pytest

from stt_assemblyai.options import SessionOptions
from workbench.bench.sessions.listener import listen
from workbench.bench.sessions.recording import Received, Recording, SentAudio, SentText
from workbench.bench.sessions.redaction import redacted
from workbench.bench.sessions.replay import Replay, ReplayError

DATA = Path(__file__).parents[1] / "data"
RECORDINGS = sorted(DATA.glob("*.jsonl"))

pytestmark = pytest.mark.looptime


async def play(recording: Recording) -> tuple[str, ...]:
    async with Replay(recording) as dial:
        options = SessionOptions(**recording.options)
        return await listen(dial, options, audio_ms=recording.audio_ms)


def one(name: str) -> Recording:
    return Recording.load(DATA / f"{name}.jsonl")


def without(recording: Recording, kind: type, index: int) -> Recording:
    """The recording less one of its steps of a kind."""
    gone = [step for step in recording.steps if isinstance(step, kind)][index]
    steps = tuple(step for step in recording.steps if step is not gone)
    return recording.model_copy(update={"steps": steps})


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
async def test_the_client_says_what_it_said_and_tells_what_it_told(path: Path) -> None:
    recording = Recording.load(path)
    assert await play(recording) == recording.told


def test_recordings_cover_both_families_and_a_drop() -> None:
    names = {path.stem for path in RECORDINGS}
    assert names == {"us_formatted", "u3_pause", "us_drop_and_resume"}


async def test_a_dropped_turn_goes_on_as_one_turn() -> None:
    told = await play(one("us_drop_and_resume"))
    kinds = [line.split()[0] for line in told]
    assert kinds.count("StartOfSpeech") == kinds.count("EndOfSpeech") == 1
    (final,) = [line for line in told if line.startswith("Final")]
    assert final.lower().endswith(": could you book two tickets for paris please.")


async def test_a_step_that_is_left_over_fails() -> None:
    recording = one("us_formatted")
    late = Received(connection=0, at_ms=60_000, message={"type": "Termination"})
    more = recording.model_copy(update={"steps": (*recording.steps, late)})
    with pytest.raises(ReplayError, match="was not received"):
        await play(more)


async def test_a_connection_that_is_never_made_fails() -> None:
    recording = one("us_formatted")
    second = recording.steps[0].model_copy(update={"connection": 1})
    more = recording.model_copy(update={"steps": (*recording.steps, second)})
    with pytest.raises(ReplayError, match="connection 1 was never made"):
        await play(more)


async def test_a_message_that_should_not_be_sent_fails() -> None:
    less = without(one("us_formatted"), SentText, -1)
    with pytest.raises(ReplayError, match="Terminate"):
        await play(less)


async def test_audio_of_another_size_fails() -> None:
    recording = one("us_formatted")
    steps = tuple(
        step.model_copy(update={"size": 3200}) if isinstance(step, SentAudio) else step
        for step in recording.steps
    )
    with pytest.raises(ReplayError, match="1600 bytes of audio instead of 3200"):
        await play(recording.model_copy(update={"steps": steps}))


async def test_other_options_than_recorded_fail() -> None:
    recording = one("us_formatted")
    other = {**recording.options, "min_turn_silence": 500}
    with pytest.raises(ReplayError, match="min_turn_silence=500"):
        await play(recording.model_copy(update={"options": other}))


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    recording = one("u3_pause")
    recording.save(tmp_path / "again.jsonl")
    assert Recording.load(tmp_path / "again.jsonl") == recording


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_no_recording_holds_a_key_or_the_name_of_a_session(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "key" not in text.replace("keyterms", "")
    assert "token" not in text
    begins = [
        step.message
        for step in Recording.load(path).steps
        if isinstance(step, Received) and step.message["type"] == "Begin"
    ]
    assert [begin["id"] for begin in begins] == [f"session-{n}" for n in range(len(begins))]
    assert all(begin["expires_at"] < 100_000 for begin in begins)


@pytest.mark.parametrize(
    ("message", "clean"),
    [
        (
            {"type": "Begin", "id": "b76c42ac", "expires_at": 1_000_060},
            {"type": "Begin", "id": "session-0", "expires_at": 60},
        ),
        (
            {
                "type": "Turn",
                "transcript": "My name is Ann.",
                "words": [{"text": "Ann.", "start": 5}],
            },
            {
                "type": "Turn",
                "transcript": "Xx xxxx xx Xxx.",
                "words": [{"text": "Xxx.", "start": 5}],
            },
        ),
        ({"type": "LLMGatewayResponse", "data": {"a": "Ann"}}, {"type": "LLMGatewayResponse"}),
        (
            {"type": "UpdateConfiguration", "keyterms_prompt": ["Ann"], "prompt": "Ann calls"},
            {"type": "UpdateConfiguration", "keyterms_prompt": ["Xxx"], "prompt": "Xxx xxxxx"},
        ),
    ],
)
def test_what_people_said_is_taken_out(message: dict[str, Any], clean: dict[str, Any]) -> None:
    read = redacted(message, began_at=1_000_000, session_name="session-0", keep_words=False)
    assert read == clean
    assert "Ann" not in json.dumps(read)
