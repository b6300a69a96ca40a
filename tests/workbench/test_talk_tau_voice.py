"""The eight measures of tau-voice: hand-made conversations around the edge of every window."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.bench.talk.rates import Rate
from workbench.bench.talk.spans import Conversation, Kind, Span, Stimulus, joined
from workbench.bench.talk.tau_voice import Panel, panel

STRAY = (Kind.VOCAL_TIC, Kind.NON_DIRECTED, Kind.NOISE)

loaded = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
"""Machines that run tests are often busy with other things."""


def said(start_ms: float, end_ms: float, kind: Kind = Kind.TURN) -> Stimulus:
    return Stimulus(kind, Span(start_ms, end_ms))


def judged(*stimuli: Stimulus, agent: list[tuple[float, float]], tick_ms: int = 200) -> Panel:
    speech = tuple(Span(*each) for each in agent)
    return panel([Conversation(stimuli, speech)], tick_ms=tick_ms)


def test_latency_is_counted_in_ticks_from_the_end_of_the_turn() -> None:
    # The turn fills ticks 0 to 4, and the agent's first sound lies in the tick that begins at 1800.
    outcome = judged(said(1000, 2000), agent=[(2999, 5000)])
    assert outcome.l_r == Rate(0.8, 1)
    assert outcome.r_r == Rate(1.0, 1)


def test_with_small_ticks_latency_is_exact() -> None:
    outcome = judged(said(1000, 2000), agent=[(2990, 5000)], tick_ms=10)
    assert outcome.l_r == Rate(0.99, 1)


def test_a_caller_who_has_to_speak_again_was_not_answered() -> None:
    outcome = judged(said(0, 1000), said(6000, 7000), agent=[(8000, 9000)])
    assert outcome.r_r == Rate(0.5, 2)
    assert outcome.l_r == Rate(1.0, 1)


def test_an_answer_in_the_tick_in_which_the_caller_speaks_again_is_one() -> None:
    first, again = said(0, 1000), said(6000, 7000)
    assert judged(first, again, agent=[(6000, 6100), (8000, 9000)]).r_r.value == 1.0
    assert judged(first, again, agent=[(6200, 6300), (8000, 9000)]).r_r.value == 0.5


def test_a_last_turn_that_nothing_follows_is_no_event() -> None:
    assert judged(said(0, 1000), agent=[]).r_r == Rate(None, 0)


def test_a_turn_at_whose_end_the_agent_speaks_is_neither_answered_nor_unanswered() -> None:
    outcome = judged(said(0, 1000), said(6000, 7000), agent=[(500, 1300), (8000, 9000)])
    assert outcome.r_r.events == 1


@pytest.mark.parametrize(
    ("stops_ms", "yielded"), [(1800, True), (1801, False), (2000, False), (9000, False)]
)
def test_an_interruption_is_yielded_to_if_a_tick_of_its_first_2_s_is_silent(
    stops_ms: int, yielded: bool
) -> None:
    outcome = judged(said(10_000, 13_000), agent=[(5000, 10_000 + stops_ms)])
    assert outcome.r_y == Rate(float(yielded), 1)
    assert outcome.l_y == (Rate(1.8, 1) if yielded else Rate(None, 0))


def test_a_yield_takes_whole_ticks() -> None:
    assert judged(said(10_000, 13_000), agent=[(0, 10_210)]).l_y.value == pytest.approx(0.4)
    assert judged(said(10_000, 13_000), agent=[(0, 10_210)], tick_ms=10).l_y.value == 0.21


def test_a_stop_that_does_not_fill_a_tick_is_none() -> None:
    outcome = judged(said(10_000, 13_000), agent=[(5000, 10_390), (10_610, 14_000)])
    assert outcome.r_y.value == 1.0
    outcome = judged(said(10_000, 13_000), agent=[(5000, 10_390), (10_590, 14_000)])
    assert outcome.r_y.value == 0.0


def test_an_interruption_that_the_agent_yielded_to_wants_an_answer() -> None:
    outcome = judged(said(10_000, 12_000), agent=[(5000, 10_400), (13_000, 15_000)])
    assert outcome.r_r == Rate(1.0, 1)
    assert outcome.l_r.value == pytest.approx(1.0)


def test_words_in_silence_are_no_interruption() -> None:
    assert judged(said(10_000, 12_000), agent=[(5000, 9999)]).r_y == Rate(None, 0)
    assert judged(said(10_000, 12_000), agent=[(5000, 10_001)]).r_y.events == 1


def test_an_agent_that_begins_while_the_caller_speaks_cuts_in() -> None:
    caller, later = said(0, 3000), said(8000, 9000)
    agent = [(1000, 1500), (2000, 2300), (4000, 5000), (10_000, 11_000)]
    outcome = judged(caller, later, agent=agent)
    assert outcome.i_a == Rate(1.0, 2)  # twice in two turns


@pytest.mark.parametrize(("begins_ms", "cut_ins"), [(1999, 1), (2000, 0)])
def test_cutting_in_ends_with_the_callers_last_tick(begins_ms: int, cut_ins: int) -> None:
    assert judged(said(0, 1900), agent=[(begins_ms, 4000)]).cut_ins == cut_ins


def test_beginning_over_a_backchannel_is_cutting_in_but_not_over_a_cough() -> None:
    for kind, cut_ins in {Kind.BACKCHANNEL: 1, Kind.VOCAL_TIC: 0, Kind.NOISE: 0}.items():
        assert judged(said(0, 1000, kind), agent=[(500, 4000)]).cut_ins == cut_ins


@pytest.mark.parametrize(("stops_ms", "ignored"), [(1, False), (800, False), (801, True)])
def test_an_agent_that_stops_within_1_s_of_a_backchannel_took_it_for_a_turn(
    stops_ms: int, ignored: bool
) -> None:
    stimulus = said(10_000, 10_400, Kind.BACKCHANNEL)
    outcome = judged(stimulus, agent=[(0, 10_000 + stops_ms)])
    assert outcome.s_bc == Rate(float(ignored), 1)


@pytest.mark.parametrize(("again_ms", "went_on"), [(10_600, True), (11_399, True), (11_400, False)])
def test_going_on_afterwards_does_not_mend_a_stop_but_is_counted(
    again_ms: int, went_on: bool
) -> None:
    stimulus = said(10_000, 10_400, Kind.BACKCHANNEL)
    outcome = judged(stimulus, agent=[(0, 10_150), (again_ms, 20_000)])
    assert outcome.s_bc.value == 0.0
    assert outcome.went_on_after_all == Rate(float(went_on), 1)


def test_a_backchannel_in_silence_is_no_event() -> None:
    assert judged(said(10_000, 10_400, Kind.BACKCHANNEL), agent=[]).s_bc == Rate(None, 0)


@pytest.mark.parametrize("kind", STRAY)
@pytest.mark.parametrize(("stops_ms", "ignored"), [(1, False), (1000, False), (1001, True)])
def test_an_agent_that_stops_within_1_s_of_any_other_sound_yielded_to_it(
    kind: Kind, stops_ms: int, ignored: bool
) -> None:
    outcome = judged(said(10_000, 10_400, kind), agent=[(0, 10_000 + stops_ms)])
    assert outcome.ignored == {kind: [ignored]}


@pytest.mark.parametrize("kind", STRAY)
@pytest.mark.parametrize(("begins_ms", "ignored"), [(200, False), (2599, False), (2600, True)])
def test_a_silent_agent_that_speaks_within_2_s_of_the_end_of_a_sound_answered_it(
    kind: Kind, begins_ms: int, ignored: bool
) -> None:
    # The sound fills two ticks; the window is ten more, and the one that begins at its end.
    outcome = judged(said(10_000, 10_400, kind), agent=[(10_000 + begins_ms, 20_000)])
    assert outcome.ignored == {kind: [ignored]}


def test_rates_of_fewer_than_ten_events_are_hidden() -> None:
    assert Rate.of(9, 0).shown is None
    assert Rate.of(10, 0).shown == 1.0


def test_selectivity_is_the_mean_of_three_rates_that_all_have_enough_events() -> None:
    outcome = Panel(
        ignored={
            Kind.BACKCHANNEL: [True] * 10,
            Kind.VOCAL_TIC: [True] * 5 + [False] * 5,
            Kind.NON_DIRECTED: [False] * 40,
            Kind.NOISE: [True] * 100,
        }
    )
    assert outcome.selectivity == Rate(0.5, 60)
    outcome.ignored[Kind.VOCAL_TIC].pop()
    assert outcome.selectivity.value is None


SPANS = st.builds(
    lambda start, length: Span(start, start + length), st.integers(0, 60_000), st.integers(1, 5000)
)
STIMULI = st.lists(
    st.builds(Stimulus, st.sampled_from(Kind), SPANS), max_size=12, unique_by=lambda each: each.span
)
CONVERSATIONS = st.builds(
    lambda stimuli, speech: Conversation(
        tuple(sorted(stimuli, key=lambda each: each.span.start_ms)), joined(speech, 0)
    ),
    STIMULI,
    st.lists(SPANS, max_size=12),
)


@loaded
@given(st.lists(CONVERSATIONS, max_size=3))
def test_shares_are_shares_and_latencies_lie_within_their_windows(
    conversations: list[Conversation],
) -> None:
    outcome = panel(conversations)
    for rate in (outcome.r_r, outcome.r_y, outcome.s_bc, outcome.s_vt, outcome.s_nd):
        assert rate.value is None or 0 <= rate.value <= 1
        assert (rate.value is None) == (rate.events == 0)
    assert all(0 < each < 2 for each in outcome.yield_s)
    assert all(each >= 0 for each in outcome.response_s)


@loaded
@given(CONVERSATIONS, CONVERSATIONS)
def test_events_of_several_conversations_add_up(one: Conversation, other: Conversation) -> None:
    both, first, second = panel([one, other]), panel([one]), panel([other])
    counts: list[Callable[[Panel], int]] = [
        lambda each: each.r_r.events,
        lambda each: each.r_y.events,
        lambda each: each.cut_ins,
        lambda each: sum(map(len, each.ignored.values())),
    ]
    for count in counts:
        assert count(both) == count(first) + count(second)


@loaded
@given(st.integers(1, 5000), st.integers(0, 5000))
def test_an_agent_that_speaks_longer_never_yields_sooner(stops_ms: int, more_ms: int) -> None:
    def yielded(ms: int) -> list[float]:
        return judged(said(10_000, 13_000), agent=[(0, 10_000 + ms)]).yield_s

    sooner, later = yielded(stops_ms), yielded(stops_ms + more_ms)
    assert not later or (sooner and sooner[0] <= later[0])


@loaded
@given(CONVERSATIONS, st.integers(-100_000, 100_000))
def test_only_differences_of_time_count(conversation: Conversation, by_ms: int) -> None:
    def moved(span: Span) -> Span:
        return Span(span.start_ms + by_ms, span.end_ms + by_ms)

    later = Conversation(
        tuple(Stimulus(each.kind, moved(each.span)) for each in conversation.stimuli),
        tuple(map(moved, conversation.agent_speech)),
    )
    assert panel([later]) == panel([conversation])
