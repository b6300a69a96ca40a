"""EVA-Bench's turn-taking score: its curves at their corners, and conversations put together."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.bench.talk.eva import (
    Timing,
    cut_in_count_score,
    judge,
    latency_score,
    overlap_score,
    timing,
    turn_taking,
    yield_score,
)
from workbench.bench.talk.rates import Rate
from workbench.bench.talk.spans import Conversation, Kind, Span, Stimulus, joined

GREETING = (0, 1000)

loaded = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
"""Machines that run tests are often busy with other things."""


def talked(
    *caller: tuple[float, float], agent: list[tuple[float, float]], with_tool: bool = False
) -> Conversation:
    return Conversation(
        tuple(Stimulus(Kind.TURN, Span(*each), needs_tool=with_tool) for each in caller),
        tuple(Span(*each) for each in agent),
    )


@pytest.mark.parametrize(
    ("latency_ms", "plain", "tool"),
    [
        (-600, 0, 0),
        (-500, 0, 0),
        (0, 0.5, 0.5),
        (200, 0.7, 0.7),
        (500, 1, 1),
        (2000, 1, 1),
        (2750, 0.5, 1),
        (3000, 1 / 3, 1),
        (3500, 0, 0.75),
        (4000, 0, 0.5),
        (5000, 0, 0),
        (9000, 0, 0),
    ],
)
def test_latency_is_best_between_half_a_second_and_two(
    latency_ms: float, plain: float, tool: float
) -> None:
    """The published table."""
    assert latency_score(latency_ms) == pytest.approx(plain)
    assert latency_score(latency_ms, with_tool=True) == pytest.approx(tool)


@pytest.mark.parametrize(("yield_ms", "score"), [(0, 1), (600, 0.7), (2000, 0), (3000, 0)])
def test_yielding_is_worth_nothing_after_two_seconds(yield_ms: float, score: float) -> None:
    assert yield_score(yield_ms) == pytest.approx(score)


@pytest.mark.parametrize(("overlap_ms", "score"), [(0, 0.5), (500, 0.375), (2000, 0), (5000, 0)])
def test_cutting_in_is_never_free(overlap_ms: float, score: float) -> None:
    assert overlap_score(overlap_ms) == pytest.approx(score)


@pytest.mark.parametrize(("cut_ins", "score"), [(1, 0.5), (2, 0.25), (3, 0), (7, 0)])
def test_cutting_in_again_costs_more(cut_ins: int, score: float) -> None:
    assert cut_in_count_score(cut_ins) == score


def test_never_cutting_in_has_no_score() -> None:
    with pytest.raises(ValueError, match="did not cut in"):
        cut_in_count_score(0)


@pytest.mark.parametrize(
    ("latency_ms", "with_tool", "named"),
    [
        (199, False, Timing.EARLY),
        (200, False, Timing.ON_TIME),
        (2749, False, Timing.ON_TIME),
        (2750, False, Timing.LATE),
        (3999, True, Timing.ON_TIME),
        (4000, True, Timing.LATE),
    ],
)
def test_answers_are_early_on_time_or_late(
    latency_ms: float, with_tool: bool, named: Timing
) -> None:
    assert timing(latency_ms, with_tool=with_tool) is named


def test_a_turn_in_silence_is_scored_by_its_latency() -> None:
    judged = judge(talked((2000, 3000), agent=[GREETING, (5750, 8000)]))
    assert judged.score == pytest.approx(0.5)
    assert judged.share(Timing.LATE) == Rate(1.0, 1)


def test_a_tool_call_gives_the_answer_more_time() -> None:
    assert judge(talked((2000, 3000), agent=[(6000, 8000)], with_tool=True)).score == 1.0


def test_an_interruption_is_scored_by_how_long_the_agent_spoke_on() -> None:
    judged = judge(talked((2000, 3000), agent=[(0, 2600), (9000, 9500)]))
    assert judged.score == pytest.approx(0.7)  # and not by the answer, which was late


def test_an_agent_that_cut_in_is_scored_by_the_worst_of_three() -> None:
    def cut_in(*agent: tuple[float, float]) -> float:
        return judge(talked((2000, 5000), agent=[GREETING, *agent])).score

    assert cut_in((4000, 4200), (6000, 9000)) == pytest.approx(0.45)  # 200 ms of overlap
    assert cut_in((3000, 3010), (4000, 4010), (6000, 9000)) == 0.25  # twice
    assert cut_in((4000, 4010), (8400, 9000)) == pytest.approx(0.1 / 1.5)  # then silent for 3.4 s
    assert cut_in((4900, 9000)) == pytest.approx(0.475)  # spoke on: no gap to be scored


def test_a_turn_with_both_faults_has_the_lower_score() -> None:
    judged = judge(talked((2000, 5000), agent=[(0, 3900), (4500, 4600), (6000, 9000)]))
    assert judged.score == pytest.approx(0.05)  # 1.9 s of speaking on, 0.1 s of overlap


def test_what_is_said_before_an_answer_is_one_turn() -> None:
    judged = judge(talked((2000, 3000), (4000, 5000), agent=[GREETING, (6000, 7000)]))
    assert [turn.latency_ms for turn in judged.turns] == [1000]


def test_a_last_turn_without_an_answer_costs_the_conversation() -> None:
    judged = judge(talked((2000, 3000), (6000, 7000), agent=[(4000, 5000)]))
    assert (len(judged.turns), judged.score) == (1, 0.0)


def test_conversations_count_alike_and_the_events_are_their_turns() -> None:
    good = talked((2000, 3000), (6000, 7000), agent=[(4000, 5000), (8000, 9000)])
    bad = talked((2000, 3000), agent=[])
    nobody_spoke = talked(agent=[GREETING])
    assert turn_taking([good, bad, nobody_spoke]) == Rate(0.5, 3)
    assert turn_taking([nobody_spoke]) == Rate(None, 0)


def test_a_backchannel_is_no_turn() -> None:
    uh_huh = Stimulus(Kind.BACKCHANNEL, Span(100, 300))
    assert judge(Conversation((uh_huh,), (Span(*GREETING),))).turns == ()


@loaded
@given(st.lists(st.floats(-2000, 9000), min_size=2), st.booleans())
def test_scores_are_shares_and_fall_on_both_sides_of_the_best(
    latencies: list[float], with_tool: bool
) -> None:
    ordered = sorted(latencies)
    scores = [latency_score(each, with_tool=with_tool) for each in ordered]
    assert all(0 <= each <= 1 for each in scores)
    for (at, one), (_, other) in pairwise(zip(ordered, scores, strict=True)):
        if at >= 500:
            assert other <= one
    yields = [yield_score(each) for each in ordered]
    assert yields == sorted(yields, reverse=True)


SPANS = st.lists(
    st.builds(
        lambda start, length: Span(start, start + length),
        st.integers(0, 60_000),
        st.integers(1, 5000),
    ),
    max_size=10,
)


@loaded
@given(SPANS, SPANS)
def test_every_conversation_has_a_score_between_0_and_1(
    caller: list[Span], agent: list[Span]
) -> None:
    turns = tuple(Stimulus(Kind.TURN, each) for each in joined(caller, 0))
    judged = judge(Conversation(turns, joined(agent, 0)))
    assert 0 <= judged.score <= 1
    assert all(0 <= turn.score <= (0.5 if turn.is_cut_in else 1) for turn in judged.turns)
    shares = [judged.share(each).value or 0 for each in Timing]
    assert sum(shares) == pytest.approx(1 if judged.turns else 0)
