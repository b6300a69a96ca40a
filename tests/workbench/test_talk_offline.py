"""How soon the agent yields, from what the voice detector says of a sound."""

import numpy as np
import pytest
from livekit.plugins import silero

from agent.call.barge_in.by_voice import LIMITS
from agent.call.voices.detection import SILENCE_DB
from agent.call.voices.vad_tap import RESULT_SECONDS
from workbench.bench.talk.offline import Result, Scene, by_kind, curve, hear, results_of, watch
from workbench.bench.talk.spans import Kind, Span
from workbench.bench.talk.stimuli import Part, Step

VOICE, SILENCE = (0.95, -25.0), (0.01, SILENCE_DB)
REPLY_AT, BEGINS_AT = 3.0, 5.0
BALANCED = LIMITS["balanced"]


def scene(seconds: float, kind: Kind = Kind.TURN, text: str = "") -> Scene:
    """The caller speaks for 2 s; over the reply half a second or more has so much voice."""
    ends_at = BEGINS_AT + max(seconds, 0.5)
    results = []
    for at in np.arange(RESULT_SECONDS, ends_at + 3, RESULT_SECONDS):
        is_voice = at < 2 or BEGINS_AT < at <= BEGINS_AT + seconds
        results.append(Result(float(at), *(VOICE if is_voice else SILENCE)))
    return Scene(kind, text, "made", "wideband", REPLY_AT, BEGINS_AT, ends_at, tuple(results))


def test_a_voice_is_answered_with_silence_after_its_limit_and_the_way_there_and_back() -> None:
    outcome = watch(scene(2.0), BALANCED)
    assert outcome.soft_after == pytest.approx(0.08 + 0.15, abs=0.04)
    assert outcome.silent_after == pytest.approx(0.25 + 0.15, abs=0.04)


def test_the_agents_speech_has_a_gap_where_it_was_silent() -> None:
    first, second = watch(scene(1.0), BALANCED).conversation.agent_speech
    assert first.start_ms == REPLY_AT * 1000
    assert (first.end_ms, second.start_ms) == pytest.approx((5400, 6200), abs=50)


def test_a_sound_that_is_no_voice_leaves_one_span() -> None:
    outcome = watch(scene(0.0), BALANCED)
    assert outcome.silent_after is outcome.soft_after is None
    assert outcome.conversation.agent_speech == (Span(3000.0, 8500.0),)


@pytest.mark.parametrize(("kind", "is_silent"), [(Kind.TURN, True), (Kind.BACKCHANNEL, False)])
def test_words_decide_from_when_they_are_known(kind: Kind, is_silent: bool) -> None:
    silences = watch(scene(3.0, kind, "some words"), BALANCED, words_after=0.6).silences
    assert (silences[-1][1] > BEGINS_AT + 2) == is_silent


def test_the_curve_has_a_row_for_each_length_and_later_stops_take_longer() -> None:
    rows = curve([scene(2.0), scene(0.4, Kind.BACKCHANNEL)], BALANCED, (128, 400))[2:]
    exact = [float(row.split("|")[3]) for row in rows]
    assert exact == pytest.approx([0.29, 0.56], abs=0.04)


def test_the_table_of_kinds_has_shares_and_means() -> None:
    lines = by_kind([watch(scene(2.0), BALANCED), watch(scene(0.0), BALANCED)])
    row = next(line for line in lines if line.startswith("| turn, wideband"))
    assert "| 2 | 50% | 0.4" in row


async def test_a_step_is_heard_by_the_detector_as_the_worker_has_it() -> None:
    noise = (np.random.default_rng(1).standard_normal(48_000) * 1000).astype(np.int16)
    turn, over = (Part(Kind.NOISE, "", sound, "made") for sound in (noise, noise[:24_000]))
    heard = await hear(silero.VAD.load(), Step(0.0, turn, over, 0.5), "wideband")
    assert (heard.reply_at, heard.begins_at, heard.ends_at) == pytest.approx((2, 2.5, 3), abs=0.02)
    assert len(heard.results) == pytest.approx(6 / RESULT_SECONDS, abs=2)
    loud = [each for each in heard.results if each.level_db > -40]
    assert loud[-1].at == pytest.approx(3.0, abs=0.05)
    with pytest.raises(ValueError, match="Nothing is heard"):
        await hear(silero.VAD.load(), Step(0.0, turn, None, 0.5), "wideband")


async def test_results_are_known_when_a_frame_of_50_ms_is_complete() -> None:
    silence = np.zeros(48_000, np.int16)
    at = [each.at async for each in results_of(silero.VAD.load(), silence)]
    assert at[:4] == [0.05, 0.1, 0.1, 0.15]
