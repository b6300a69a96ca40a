"""The simulation of a fleet, against AssemblyAI's own example and against its formulas."""

import math
import random
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from stt_assemblyai.errors import QuotaError
from stt_assemblyai.retries import Patience, Retries
from workbench.bench.scale import storm as storms
from workbench.bench.scale.limit import PAID, Limit, minutes_to_reach, ramp
from workbench.bench.scale.page import POLICIES, SIZES, Scale, page, pictures
from workbench.bench.scale.rollout import least_minutes, roll
from workbench.bench.scale.sizing import fleet
from workbench.bench.scale.storm import Service, back_within, storm
from workbench.local.running import PROJECT


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_limit_that_is_used_up_grows_as_assemblyai_writes() -> None:
    """assemblyai.com/docs/streaming/rate-limits: 100, 110, 121, 133, 146; 610 streams in all."""
    course = ramp(math.inf, math.inf, 5, Limit(PAID))
    assert [round(each.opened) for each in course] == [100, 110, 121, 133, 146]
    assert course[-1].calls == pytest.approx(610, abs=1)


@pytest.mark.parametrize(
    ("used", "limit"), [(0, 182), (99, 182), (100, 200), (139, 200), (140, 220), (200, 220)]
)
def test_a_limit_grows_stays_or_shrinks_by_how_much_of_it_is_used(used: int, limit: int) -> None:
    assert round(Limit(200.0, PAID).after(used).per_minute) == limit


def test_a_limit_does_not_shrink_below_where_it_began() -> None:
    assert Limit(105.0, PAID).after(0).per_minute == PAID


@pytest.mark.parametrize("call_seconds", [60.0, 180.0, 600.0])
@pytest.mark.parametrize("calls", [1_000, 10_000, 1_000_000])
def test_a_ramp_takes_what_its_formula_says(calls: int, call_seconds: float) -> None:
    course = ramp(calls, call_seconds, 200, Limit(PAID))
    reached = next(at + 1 for at, each in enumerate(course) if each.calls >= 0.999 * calls)
    most = minutes_to_reach(calls, call_seconds)
    assert most - 2 <= reached <= most + 1.5
    assert all(each.opened <= each.limit for each in course)


def test_a_fleet_that_has_grown_uses_between_half_and_seventy_percent_of_its_limit() -> None:
    last = ramp(10_000, 180, 600, Limit(PAID))[-1]
    assert last.calls == pytest.approx(10_000)
    assert 0.5 <= last.opened / last.limit <= 0.7


@pytest.mark.parametrize(("calls", "each"), [(100, 8), (10_000, 32), (0, 8)])
def test_a_fleet_has_places_for_its_calls_and_some_more(calls: int, each: int) -> None:
    found = fleet(calls, calls_per_pod=each, call_seconds=180)
    assert found.pods * each >= 1.2 * calls + 8
    assert (found.pods - 1) * each < 1.2 * calls + 9 or found.pods == 2
    assert found.cores == pytest.approx(found.pods * (each * 0.11 + 0.35))
    assert found.livekit_nodes >= 2
    assert found.new_sessions_per_minute == pytest.approx(calls / 3)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("refusals_count", [True, False])
def test_no_minute_of_a_storm_has_more_sessions_than_the_limit(
    shared: bool, refusals_count: bool
) -> None:
    service = Service(300, 0.7, refusals_count)
    back = [0, *storm(1_000, service, 400, rng(), shared=shared).back]
    windows = [
        later - earlier for earlier, later in zip(back, back[storms.WINDOW_SECONDS :], strict=False)
    ]
    assert max(windows) == 300 if shared or not refusals_count else max(windows) < 300
    assert back[1] == 300 - 210 + 4  # of the minute before, its first second counts no more


@pytest.mark.parametrize("seconds", [0, 20, 59, 60, 130, 180, 399])
def test_with_a_shared_budget_nobody_is_refused_and_the_formula_holds(seconds: int) -> None:
    for refusals_count in (True, False):
        service = Service(300, 0.7, refusals_count)
        found = storm(1_000, service, 400, rng(), shared=True)
        assert found.refused == 0
        assert found.asked == 1_000
        expected = back_within(1_000, service, seconds)
        assert found.share_after(seconds) == pytest.approx(expected, abs=0.005)


def test_each_for_itself_is_slower_and_locks_itself_out_if_refusals_count() -> None:
    service = Service(600, 0.7)
    shared = storm(2_000, service, 600, rng(), shared=True)
    alone = storm(2_000, service, 600, rng(), shared=False)
    counted = storm(2_000, replace(service, refusals_count=True), 600, rng(), shared=False)
    until = alone.seconds_until(1.0)
    assert until is not None
    assert until > (shared.seconds_until(1.0) or 0)
    assert alone.share_after(60) < shared.share_after(60)
    assert alone.refused > 2_000
    assert counted.seconds_until(1.0) is None
    assert counted.share_after(599) < 0.5


def test_ten_times_the_calls_with_ten_times_the_limit_have_the_same_shares() -> None:
    one = storm(300, Service(100, 0.7), 200, rng(), shared=False).times(10)
    ten = storm(3_000, Service(1_000, 0.7), 200, rng(), shared=False)
    assert one.sessions == ten.sessions
    assert one.refused == pytest.approx(ten.refused, rel=0.1)
    for seconds in (0, 20, 60, 120):
        assert one.share_after(seconds) == pytest.approx(ten.share_after(seconds), abs=0.05)


def test_refused_streams_pause_as_the_speech_module_does() -> None:
    """Each pause of the simulation is one that `Retries` could make."""
    error = QuotaError("too many", remedy="", retry_after_seconds=storms.QUOTA_SECONDS)
    for draw in (0.0, 0.5, 1.0):
        retries = Retries(Patience(total_seconds=1e9), lambda draw=draw: draw)
        ours = [retries.failed(error, now=0.0) for _ in range(9)]
        longest = [min(0.25 * 2.0**failures, 15.0) for failures in range(9)]
        assert ours == [12.0 + each + draw * 12.0 for each in longest]
    dice = random.Random(1)
    found = storms.pauses(np.arange(9.0), rng())
    retries = Retries(Patience(total_seconds=1e9), dice.random)
    for pause in found:
        least = retries.failed(error, now=0.0)
        assert least is not None
        assert abs(pause - least) <= 12.0


@pytest.mark.parametrize("calls", [1_000, 10_000])
def test_an_update_slower_than_its_formula_turns_nobody_away(calls: int) -> None:
    call_seconds, used = 180.0, 0.7
    limit = calls * 60 / call_seconds / used
    minutes = least_minutes(call_seconds, used)
    assert minutes == pytest.approx(7)
    slow = roll(calls, call_seconds, limit, 1.2 * minutes, rng())
    fast = roll(calls, call_seconds, limit, 0.5 * minutes, rng())
    assert slow.turned_away / slow.callers < 0.01
    assert fast.turned_away / fast.callers > 0.1
    assert slow.minutes == pytest.approx(1.2 * minutes, abs=0.2)


def test_an_update_for_which_no_session_is_left_does_not_end() -> None:
    found = roll(600, 60.0, 1, 1, rng(), looks_at_minutes=2)
    assert math.isinf(found.minutes)
    assert found.turned_away > 0.9 * found.callers


def test_the_same_seed_gives_the_same_figures() -> None:
    service = Service(100, 0.5)
    first, again = (storm(1_000, service, 100, rng(7), shared=False) for _ in range(2))
    assert first == again
    assert first != storm(1_000, service, 100, rng(8), shared=False)


def test_the_page_and_its_pictures_are_what_the_simulation_says() -> None:
    scale = Scale(seed=16)
    text = page(scale)
    assert (PROJECT / "docs/scale.md").read_text("utf-8") == text
    for name, drawn in pictures(scale).items():
        assert (PROJECT / "docs" / name).read_text("utf-8") == drawn
        assert f"({name})" in text
        assert ElementTree.fromstring(drawn).tag.endswith("svg")
    assert all(f"{calls:,}" in text for calls in SIZES)
    assert all(name in text for name, *_ in POLICIES)
