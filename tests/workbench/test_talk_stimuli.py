"""What is heard in the talking benchmark follows from a seed, in stated shares."""

import random
from collections import Counter

import numpy as np
import pytest

from agent.caller.microphone import SAMPLE_RATE
from workbench.bench.talk.calls import agent_speech, extent
from workbench.bench.talk.sounds import NOISES, TICS, made, other_voice
from workbench.bench.talk.spans import Kind
from workbench.bench.talk.stimuli import (
    SEEDS,
    TalkScript,
    recorded_noises,
    scripts,
    with_longer_pause,
)


def burst(seconds: float) -> np.ndarray:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (10_000 * np.sin(2 * np.pi * 300 * times)).astype(np.int16)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


@pytest.fixture(scope="module")
def judged() -> list[TalkScript]:
    return scripts(SEEDS["judged"], 54, 50)


def test_there_are_as_many_turns_and_overlaps_as_asked_for(judged: list[TalkScript]) -> None:
    steps = [step for script in judged for step in script.steps]
    assert len(steps) == 54
    assert sum(step.over is not None for step in steps) == 50


def test_every_call_ends_with_a_turn_whose_reply_is_heard_out(judged: list[TalkScript]) -> None:
    assert all(script.steps[-1].over is None for script in judged)
    with pytest.raises(ValueError, match="room for 51 overlaps"):
        scripts(1, 54, 52)


def test_every_other_call_telephones(judged: list[TalkScript]) -> None:
    assert [script.line for script in judged] == ["wideband", "telephone", "wideband"]


def test_every_kind_is_heard_over_replies(judged: list[TalkScript]) -> None:
    kinds = Counter(
        step.over.kind for script in judged for step in script.steps if step.over is not None
    )
    assert set(kinds) == set(Kind)
    assert kinds[Kind.TURN] == 17


def test_the_same_seed_makes_the_same_sound_and_another_seed_another(
    judged: list[TalkScript],
) -> None:
    def first(made: list[TalkScript]) -> np.ndarray:
        return made[0].steps[0].turn.samples

    assert np.array_equal(first(judged), first(scripts(SEEDS["judged"], 54, 50)))
    assert not np.array_equal(first(judged), first(scripts(SEEDS["tuning"], 54, 50)))


def test_a_backchannel_is_begun_long_before_its_reply_ends(judged: list[TalkScript]) -> None:
    assert all(0.8 <= step.after_seconds <= 2.2 for script in judged for step in script.steps)


def test_a_pause_is_made_longer_and_no_sound_is_lost() -> None:
    sound = np.concatenate([burst(1), silence(0.1), burst(1)])
    longer = with_longer_pause(sound, 0.6)
    assert longer.size - sound.size == round(0.5 * SAMPLE_RATE)
    assert np.count_nonzero(longer) == np.count_nonzero(sound)
    assert with_longer_pause(burst(2), 0.6) is not None
    assert with_longer_pause(burst(2), 0.6).size == burst(2).size


def test_somebody_else_speaks_faster_and_higher() -> None:
    assert other_voice(burst(1), 1.25).size == pytest.approx(0.8 * SAMPLE_RATE, abs=2)


@pytest.mark.parametrize("name", [*TICS, *NOISES])
def test_a_made_sound_is_as_loud_as_asked(name: str) -> None:
    maker = {**TICS, **NOISES}[name]
    sound = made(maker, random.Random(4), 0.3)
    assert np.abs(sound.astype(int)).max() == pytest.approx(0.3 * 32767, abs=2)
    assert 0.2 < sound.size / SAMPLE_RATE < 5


def test_the_recorded_noises_are_there() -> None:
    assert len(recorded_noises()) == 7


def test_a_stimulus_reaches_from_its_first_to_its_last_sound() -> None:
    first, last = extent(np.concatenate([silence(0.2), burst(0.5), silence(0.3)]))
    assert (first, last) == pytest.approx((0.2, 0.7), abs=0.011)
    assert extent(silence(0.5)) == (0.0, 0.5)


def test_the_agents_sound_is_cut_where_it_stops_for_more_than_50_ms() -> None:
    heard = np.concatenate(
        [silence(0.5), burst(1), silence(0.04), burst(0.5), silence(0.2), burst(0.3)]
    )
    spans = list(agent_speech(heard))
    assert [round(value / 10) for span in spans for value in span] == [50, 204, 224, 254]
