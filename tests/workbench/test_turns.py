"""The benchmark of turns: the corpus, the judgement, and that a call is heard to its end."""

from dataclasses import replace
from itertools import pairwise

import pytest

from agent.caller.speech_energy import speech_spans
from agent.caller.timeline import Samples
from workbench.bench.talk.spans import Span
from workbench.bench.turns.corpus import (
    GAP_SECONDS,
    SAMPLE_RATE,
    Call,
    Script,
    TrueTurn,
    calls,
    scripts,
)
from workbench.bench.turns.hearing import remembering, replayed, take_turns
from workbench.bench.turns.judgement import Judgement, judge
from workbench.bench.turns.pauses import Moment, moments, voices
from workbench.bench.turns.people import people
from workbench.bench.turns.plot import Curve, curves, plot
from workbench.bench.turns.settings import settings
from workbench.bench.turns.silences import judged_silences, placed, row, taken_silences
from workbench.standins.loading import load_engines

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


def test_every_hold_is_a_point_of_its_presets_curve() -> None:
    points = [(500.0, 0.6, "off"), (650.0, 0.3, "1500")]
    drawn = curves("title", [Curve("seed", points), Curve("balanced", points[:1])])
    assert drawn.count("<circle") == 3
    assert drawn.count(">off<") == 2
    assert all(f">{name}<" in drawn for name in ("seed", "balanced", "1500"))


@pytest.mark.slow
def test_patience_waits_longer_for_the_same_call() -> None:
    [call] = calls([Script(name="short", turns=(("What time do you open on Sunday?",),))])
    engines, heard = remembering(load_engines()()), voices(call.samples)
    waits = {}
    for setting in settings():
        outcome = Judgement()
        taken = take_turns(call.samples, setting, replayed(engines, heard))
        judge(call.turns, taken, outcome)
        assert (outcome.turns, outcome.cut_offs, outcome.stuck) == (1, 0, 0)
        [waits[setting.name]] = outcome.waits_ms
    assert waits["aggressive"] <= waits["seed"] < waits["balanced"] < waits["conservative"]


def only_over_after_a_second(samples: Samples) -> float:
    return 0.9 if samples.size >= SAMPLE_RATE else 0.1


def heard_in(call: Call) -> list[Moment]:
    return moments(
        call.samples,
        voices(call.samples),
        only_over_after_a_second,
        window_seconds=1.2,
        voice_threshold=0.4,
    )


def test_people_pause_in_every_other_turn_and_their_turns_lie_apart() -> None:
    [reader, *_] = people()
    longest = [max(each.length_ms for each in gaps_of(reader, turn)) for turn in reader.turns[1::2]]
    assert all(length > 500 for length in longest)
    assert all(
        after.start_ms - before.end_ms >= GAP_SECONDS * 1000 - 50
        for before, after in pairwise(reader.turns)
    )


def gaps_of(call: Call, turn: TrueTurn) -> list[Span]:
    begin, end = (ms * SAMPLE_RATE // 1000 for ms in (turn.start_ms, turn.end_ms))
    speech = speech_spans(call.samples[begin:end], SAMPLE_RATE, pause_seconds=0.1)
    return [
        Span(before.end_seconds * 1000, after.start_seconds * 1000)
        for before, after in pairwise(speech)
    ]


def test_every_pause_is_judged_once_and_no_opinion_is_told_in_a_voice() -> None:
    [reader, *_] = people()
    found = heard_in(reader)
    assert [each.at_ms for each in found] == sorted(each.at_ms for each in found)
    is_voice = False
    for before, each in pairwise(found):
        is_voice = before.kind == "voice" or (is_voice and before.kind == "judged")
        if each.kind == "judged":
            assert not is_voice
            assert each.probability == 0.9
            assert 100 <= each.at_ms - each.quiet_since_ms <= 200
    for turn in reader.turns:
        assert any(
            each.kind == "judged" and turn.end_ms < each.at_ms < turn.end_ms + 700 for each in found
        )


def test_a_turn_taken_in_a_pause_is_an_end_that_was_told_there() -> None:
    [reader, *_] = people()
    turn = reader.turns[1]
    [pause] = [each for each in gaps_of(reader, turn) if each.length_ms > 500]
    taken = turn.start_ms + pause.start_ms + 300
    silences = list(taken_silences(placed(reader), [round(taken), turn.end_ms + 400]))
    told = [
        (each.is_end, [round(at, -2) for at, _ in each.predictions])
        for each in silences
        if each.predictions
    ]
    assert told == [(False, [300]), (True, [400])]
    assert sum(each.is_end for each in silences) == len(reader.turns)


def test_the_detector_alone_is_judged_by_its_opinions() -> None:
    [reader, *_] = people()
    silences = list(judged_silences(placed(reader), heard_in(reader)))
    assert all(probability == 0.9 for each in silences for _, probability in each.predictions)
    assert all(each.predictions for each in silences if each.is_end)
    name, *figures = row("the detector alone", silences, as_it_is=False)
    assert (name, figures[:2], len(figures)) == ("the detector alone", ["", ""], 6)


def test_with_a_second_opinion_every_preset_differs_in_that_alone() -> None:
    own = settings(1500)
    assert [replace(each, opinion=None) for each in own] == settings()
    assert {each.opinion.early_ms for each in own if each.opinion} == {400, 800, 1600}


@pytest.mark.slow
def test_an_end_in_mid_sentence_is_held_back_and_a_sure_one_asked_for() -> None:
    [hesitant] = calls([each for each in scripts() if each.name == "hesitation"])
    heard, engines = voices(hesitant.samples), load_engines()()
    [aggressive] = [each for each in settings(2500) if each.name.startswith("aggressive")]
    plain = take_turns(
        hesitant.samples, replace(aggressive, opinion=None), replayed(engines, heard)
    )
    unsure = [replace(each, probability=0.0) for each in heard_in(hesitant)]
    held = take_turns(hesitant.samples, aggressive, replayed(engines, heard), unsure)
    before, after = Judgement(), Judgement()
    judge(hesitant.turns, plain, before)
    judge(hesitant.turns, held, after)
    assert before.cut_offs > after.cut_offs == 0
    assert after.stuck == 0
