"""The benchmark of turns: the corpus, the judgement, and that a call is heard to its end."""

from dataclasses import replace

import pytest

from workbench.engines.activity import ActivityDetector
from workbench.loopback.engines import load_ears
from workbench.turns.__main__ import settings
from workbench.turns.corpus import GAP_SECONDS, SAMPLE_RATE, Script, TrueTurn, calls, scripts
from workbench.turns.hearing import remembering, take_turns
from workbench.turns.judgement import Judgement, judge
from workbench.turns.plot import plot

FIRST, SECOND = TrueTurn("one", 500, 2000), TrueTurn("two", 4600, 5600)


def judged(*taken_ms: int) -> Judgement:
    outcome = Judgement()
    judge([FIRST, SECOND], taken_ms, outcome)
    return outcome


def test_a_turn_that_is_taken_after_its_end_is_waited_for() -> None:
    outcome = judged(2500, 6400)
    assert outcome.waits_ms == [500, 800]
    assert (outcome.cut_offs, outcome.merged, outcome.stuck) == (0, 0, 0)


def test_a_turn_that_is_taken_before_its_end_is_a_cut_off() -> None:
    outcome = judged(1200, 2500, 6400)
    assert outcome.cut_offs == 1
    assert outcome.waits_ms == [500, 800]


def test_a_turn_that_is_taken_with_the_next_is_merged() -> None:
    outcome = judged(6400)
    assert (outcome.merged, outcome.waits_ms) == (1, [800])


def test_a_last_turn_that_is_never_taken_is_stuck() -> None:
    assert judged(2500).stuck == 1


def test_turns_lie_apart_and_within_their_call() -> None:
    for call in calls(scripts()):
        for turn, following in zip(call.turns, call.turns[1:], strict=False):
            assert following.start_ms - turn.end_ms >= GAP_SECONDS * 1000 - 50
        assert all(turn.start_ms < turn.end_ms for turn in call.turns)
        assert call.turns[-1].end_ms < call.samples.size * 1000 / SAMPLE_RATE


def test_every_setting_is_a_point_of_the_picture() -> None:
    names = [setting.name for setting in settings()]
    drawn = plot("title", dict.fromkeys(names, judged(2500, 6400)))
    assert drawn.count("<circle") == len(names)
    assert all(f">{name}<" in drawn for name in names)


@pytest.mark.slow
def test_patience_waits_longer_for_the_same_call() -> None:
    [call] = calls([Script(name="short", turns=(("What time do you open on Sunday?",),))])
    ears = remembering(load_ears()())
    waits = {}
    for setting in settings():
        fresh = replace(ears, voice_probability=ActivityDetector.load().probability)
        outcome = Judgement()
        judge(call.turns, take_turns(call.samples, setting, fresh), outcome)
        assert (outcome.turns, outcome.cut_offs, outcome.stuck) == (1, 0, 0)
        [waits[setting.name]] = outcome.waits_ms
    assert waits["aggressive"] <= waits["seed"] < waits["balanced"] < waits["conservative"]
