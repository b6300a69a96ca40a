"""eot-bench: policies over hold and eot spans."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.bench.talk.eot_bench import (
    Outcome,
    Policy,
    Silence,
    cutoffs_at,
    judge,
    latency_at,
    policies,
    silence_only,
    silences,
    sweep,
)
from workbench.bench.talk.spans import Span

END = Silence(is_end=True, duration_ms=5000, predictions=((300, 0.2), (700, 0.9)))

loaded = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=15)
"""Each example tries the 5454 policies of the grid."""


def hold(duration_ms: float, *predictions: tuple[float, float]) -> Silence:
    return Silence(is_end=False, duration_ms=duration_ms, predictions=predictions)


def outcome(cutoff_rate: float, latency_ms: float, threshold: float = 0.5) -> Outcome:
    return Outcome(Policy(threshold, 200, 1000), cutoff_rate, latency_ms, 0, 1, 1)


def test_a_turns_last_silence_is_its_end_and_the_others_are_holds() -> None:
    speech = [Span(0, 400), Span(500, 900), Span(999, 1500), Span(2500, 3000)]
    assert silences(speech, 5000) == (hold(100), hold(1000), Silence(True, 2000))


@pytest.mark.parametrize(("speech", "until_ms"), [([], 100), ([Span(0, 100)], 100)])
def test_a_turn_is_speech_and_silence_behind_it(speech: list[Span], until_ms: float) -> None:
    with pytest.raises(ValueError, match="silence behind it"):
        silences(speech, until_ms)


@pytest.mark.parametrize(
    ("duration_ms", "judged"), [(199, False), (200, True), (5000, True), (5001, False)]
)
def test_holds_of_0_2_to_5_s_are_judged(duration_ms: float, judged: bool) -> None:
    assert hold(duration_ms).is_judged is judged
    assert Silence(True, duration_ms).is_judged


@pytest.mark.parametrize(
    ("policy", "cutoff_rate"),
    [
        (Policy(0.8, 200, 3000), 1.0),  # sure after 500 ms of 600
        (Policy(0.9, 200, 3000), 0.0),  # never sure: the threshold must be exceeded
        (Policy(0.8, 599, 3000), 1.0),
        (Policy(0.8, 600, 3000), 0.0),  # the caller speaks again
        (Policy(0.9, 200, 599), 1.0),
        (Policy(0.9, 200, 600), 0.0),
    ],
)
def test_acting_before_the_caller_goes_on_is_a_cutoff(policy: Policy, cutoff_rate: float) -> None:
    heard = [hold(600, (100, 0.1), (500, 0.9), (580, 0.2)), END]
    assert judge(heard, policy).cutoff_rate == cutoff_rate


@pytest.mark.parametrize(
    ("policy", "latency_ms", "timeout_rate"),
    [
        (Policy(0.5, 200, 3000), 700, 0),
        (Policy(0.1, 200, 3000), 300, 0),
        (Policy(0.1, 400, 3000), 400, 0),
        (Policy(0.9, 200, 3000), 3000, 1),
        (Policy(0.5, 200, 700), 700, 0),
        (Policy(0.5, 200, 699), 699, 1),
    ],
)
def test_latency_is_the_silence_until_the_policy_acts(
    policy: Policy, latency_ms: float, timeout_rate: float
) -> None:
    judged = judge([hold(600), END], policy)
    assert (judged.mean_latency_ms, judged.timeout_rate) == (latency_ms, timeout_rate)


def test_both_kinds_of_span_are_needed() -> None:
    for heard in ([END], [hold(600)], [hold(100), END]):
        with pytest.raises(ValueError, match="both"):
            sweep(heard)


def test_a_policy_does_not_time_out_before_it_may_act() -> None:
    with pytest.raises(ValueError, match="timeout"):
        Policy(0.5, 800, 700)


def test_the_grid_is_the_published_one() -> None:
    grid = policies()
    assert len(grid) == len(set(grid)) == 101 * 9 * 6
    assert (grid[0], grid[-1]) == (Policy(0, 200, 1000), Policy(1, 1000, 3500))


def test_silence_alone_acts_after_its_delay() -> None:
    [at_500] = [
        each
        for each in silence_only([hold(500), hold(501), END])
        if each.policy.action_delay_ms == 500
    ]
    assert (at_500.cutoff_rate, at_500.mean_latency_ms) == (0.5, 500)


def test_the_best_policy_within_a_budget() -> None:
    tried = [outcome(0.3, 300), outcome(0.2, 301), outcome(0.05, 900), outcome(0.04, 950)]
    assert cutoffs_at(tried, 300) == tried[0]
    assert cutoffs_at(tried, 600) == tried[1]
    assert latency_at(tried, 0.05) == tried[2]
    assert latency_at(tried, 0.10) == tried[2]
    assert cutoffs_at(tried, 299) is None
    assert latency_at(tried, 0.03) is None


def test_of_equal_policies_the_surest_is_named() -> None:
    tried = [outcome(0.1, 300, threshold=0.4), outcome(0.1, 300, threshold=0.6)]
    assert cutoffs_at(tried, 300) == latency_at(tried, 0.1) == tried[1]


PREDICTIONS = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(0, 100).map(lambda each: each / 100)), max_size=4
).map(lambda each: tuple(sorted(each)))
HEARD = st.lists(
    st.builds(Silence, st.booleans(), st.integers(200, 5000), PREDICTIONS), max_size=8
).map(lambda each: [*each, hold(600), END])


@loaded
@given(HEARD)
def test_being_more_careful_costs_time_and_saves_callers(heard: list[Silence]) -> None:
    by_policy = {each.policy: each for each in sweep(heard)}
    for policy in (Policy(0.3, 200, 1000), Policy(0.5, 500, 2000), Policy(0, 900, 3000)):
        quick = by_policy[policy]
        assert 0 <= quick.cutoff_rate <= 1
        assert policy.action_delay_ms <= quick.mean_latency_ms <= policy.timeout_ms
        for careful in (
            Policy(policy.threshold + 0.1, policy.action_delay_ms, policy.timeout_ms),
            Policy(policy.threshold, policy.action_delay_ms + 100, policy.timeout_ms),
            Policy(policy.threshold, policy.action_delay_ms, policy.timeout_ms + 500),
        ):
            slow = judge(heard, careful)
            assert slow.cutoff_rate <= quick.cutoff_rate
            assert slow.mean_latency_ms >= quick.mean_latency_ms


@loaded
@given(HEARD)
def test_a_larger_budget_never_makes_it_worse(heard: list[Silence]) -> None:
    outcomes = sweep(heard)
    cutoffs = [cutoffs_at(outcomes, each) for each in (300, 600, 3500)]
    waits = [latency_at(outcomes, each) for each in (0.05, 0.10, 1.0)]
    rates = [each.cutoff_rate for each in cutoffs if each]
    latencies = [each.mean_latency_ms for each in waits if each]
    assert rates == sorted(rates, reverse=True)
    assert latencies == sorted(latencies, reverse=True)
    assert None not in (cutoffs[-1], waits[-1])
