"""How late the calls of a worker run, by their processes' reports."""

from agent.call.reports import late
from agent.loop_lag import Lag
from agent.worker.lags import FRESH_SECONDS, Lags


def lags(*told: tuple[int, float], at: float = 0.0) -> Lags:
    """Processes 0, 1, ... with so many calls and a mean lag in seconds."""
    found = Lags()
    for process, (calls, mean) in enumerate(told):
        found.note(late(process, calls, Lag(mean, 2 * mean)), at)
    return found


def test_half_of_the_calls_run_later_than_what_is_typical() -> None:
    assert lags((1, 0.3), (1, 0.1), (1, 0.2)).typical(0.0) == 0.2
    assert lags((1, 0.3), (1, 0.1)).typical(0.0) == 0.1


def test_a_process_counts_with_each_of_its_calls() -> None:
    assert lags((4, 0.3), (1, 0.1)).typical(0.0) == 0.3
    assert lags((4, 0.3), (4, 0.1)).typical(0.0) == 0.1
    assert lags((4, 0.3)).typical(0.0) == 0.3


def test_a_single_call_says_nothing_about_the_machine() -> None:
    assert lags((1, 5.0)).typical(0.0) == 0.0
    assert Lags().typical(0.0) == 0.0


def test_what_a_process_told_is_forgotten_when_it_tells_no_more() -> None:
    found = lags((2, 0.3))
    found.note(late(7, 2, Lag(0.1, 0.1)), 2.0)
    found.note(late(8, 1, Lag(0.1, 0.1)), 2.0)
    assert found.typical(2.0) == 0.1
    assert found.typical(FRESH_SECONDS) == 0.1


def test_the_latest_report_counts() -> None:
    found = lags((2, 0.3))
    found.note(late(0, 2, Lag(0.0, 0.0)), 1.0)
    assert found.typical(1.0) == 0.0
