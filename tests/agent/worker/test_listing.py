"""How often the rooms are listed, and when webhooks make that needless."""

from agent.worker.listing import (
    BUSY_SECONDS,
    DISTRUST_SECONDS,
    IDLE_SECONDS,
    LATE_SECONDS,
    NAMED_SECONDS,
    RARE_SECONDS,
    SILENT_SECONDS,
    Listing,
)


def listed(*, is_quiet: bool = False) -> Listing:
    """At second 0, and for the first time."""
    made = Listing(-BUSY_SECONDS)
    assert made.is_due(0.0, knows_others=True)
    made.listed(["what was there before"], 0.0, is_quiet=is_quiet)
    return made


def pause(made: Listing, now: float = 0.0, *, knows_others: bool = True) -> float:
    """How long until the next listing, when the last was `now`; no webhook comes meanwhile."""
    steps = (each / 10 for each in range(1000))
    return next(each for each in steps if made.is_due(now + each, knows_others=knows_others))


def test_while_something_happens_the_rooms_are_listed_once_a_second() -> None:
    made = listed()
    for now in range(1, 10):
        made.listed([], float(now), is_quiet=False)
        assert pause(made, float(now)) == BUSY_SECONDS


def test_the_pauses_grow_while_nothing_happens() -> None:
    made, now, pauses = listed(is_quiet=True), 0.0, []
    for _ in range(5):
        pauses.append(pause(made, now))
        now += pauses[-1]
        made.listed([], now, is_quiet=True)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1.5, IDLE_SECONDS)


def test_while_webhooks_come_the_rooms_are_listed_rarely() -> None:
    made = listed()
    for now in range(int(RARE_SECONDS)):
        made.named(["room"], float(now))
        assert not made.is_due(now + 0.9, knows_others=True)
    assert made.is_due(RARE_SECONDS, knows_others=True)


def test_when_they_stop_coming_the_old_pace_is_back_within_seconds() -> None:
    made = listed()
    made.named(["room"], 0.0)
    assert pause(made) == SILENT_SECONDS
    made.named([], 3.0)
    assert made.is_due(3.0, knows_others=True)


def test_they_are_not_enough_where_another_worker_may_get_them() -> None:
    made = listed()
    made.named(["room"], 0.0)
    assert pause(made, knows_others=False) == BUSY_SECONDS


def test_they_are_not_relied_on_for_a_while_if_one_did_not_come() -> None:
    made = listed()
    made.listed(["unnamed"], 1.0, is_quiet=False)
    made.named(["another"], 1.0 + LATE_SECONDS)
    assert made.relies_on_webhooks(1.0 + LATE_SECONDS)
    late = 1.1 + LATE_SECONDS
    assert not made.relies_on_webhooks(late)
    made.named(["another"], late + DISTRUST_SECONDS - 1)
    assert not made.relies_on_webhooks(late + DISTRUST_SECONDS - 0.5)
    assert made.relies_on_webhooks(late + DISTRUST_SECONDS)


def test_a_listing_may_show_a_change_before_or_after_the_webhook_names_it() -> None:
    made = listed()
    made.listed(["room"], 1.0, is_quiet=False)
    made.named(["room"], 1.0 + LATE_SECONDS)
    made.listed(["room"], 1.0 + LATE_SECONDS + NAMED_SECONDS - 1, is_quiet=False)
    now = 200.0
    made.named(["another"], now)
    assert made.relies_on_webhooks(now)


def test_a_name_of_long_ago_explains_no_change() -> None:
    made = listed()
    made.named(["room"], 0.0)
    made.listed(["room"], NAMED_SECONDS, is_quiet=False)
    made.named(["another"], 100.0)
    assert not made.relies_on_webhooks(100.0)


def test_what_may_have_been_missed_is_listed_at_once_and_held_against_nobody() -> None:
    made = listed()
    made.named(["room"], 0.0)
    made.at_once()
    assert made.is_due(0.1, knows_others=True)
    made.listed(["unnamed"], 0.1, is_quiet=False)
    made.named(["room"], 20.0)
    assert made.relies_on_webhooks(20.0)
    made.listed([], 20.0, is_quiet=False)
    assert pause(made, 20.0, knows_others=False) == BUSY_SECONDS


def test_a_failure_is_tried_again_after_a_second_and_says_how_long_it_lasts() -> None:
    made = listed(is_quiet=True)
    assert made.failed(10.0) == 0.0
    assert made.is_failing
    assert pause(made, 10.0) == BUSY_SECONDS
    assert made.failed(15.0) == 5.0
    made.listed([], 16.0, is_quiet=False)
    assert not made.is_failing
