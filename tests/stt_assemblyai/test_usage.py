"""Each billed second is reported once, by the service's figure where it is known."""

import pytest

from stt_assemblyai.events import SessionUsage
from stt_assemblyai.usage import Sent, UsageMeter


def close(
    meter: UsageMeter, session_id: str, now: float, billed: float | None
) -> SessionUsage | None:
    return meter.close(
        session_id,
        now,
        session_id,
        "start",
        billed,
        Sent(from_ms=0.0, until_ms=4000.0, total_ms=5000.0),
    )


def test_the_services_own_figure_is_the_bill() -> None:
    meter = UsageMeter()
    meter.open("s", 100.0)
    assert close(meter, "s", 110.5, 11) == SessionUsage("s", "start", 11, False, 5.0, 1.0)


def test_without_it_our_clock_gives_an_estimate() -> None:
    meter = UsageMeter()
    meter.open("s", 100.0)
    assert close(meter, "s", 110.5, None) == SessionUsage("s", "start", 10.5, True, 5.0, 1.0)


def test_a_session_that_never_began_costs_nothing() -> None:
    meter = UsageMeter()
    assert close(meter, "", 110.5, None) is None
    assert meter.sessions == []


def test_open_sessions_count_as_they_go_and_nothing_counts_twice() -> None:
    meter = UsageMeter()
    meter.open("a", 0.0)
    assert meter.report(4.0) == 4
    meter.open("b", 5.0)  # they overlap while one takes over from the other
    assert meter.report(6.0) == 3
    close(meter, "a", 6.0, 6)
    assert meter.report(6.0) == 0
    close(meter, "b", 10.0, 5)
    assert meter.report(10.0) == 4
    assert meter.total_seconds(10.0) == 11


def test_what_was_estimated_too_high_is_taken_off_the_next_report() -> None:
    meter = UsageMeter()
    meter.open("a", 0.0)
    assert meter.report(4.9) == pytest.approx(4.9)
    close(meter, "a", 4.9, 4)
    assert meter.report(4.9) == 0
    meter.open("b", 10.0)
    assert meter.report(12.0) == pytest.approx(1.1)


def test_two_sessions_may_have_one_name() -> None:
    meter = UsageMeter()
    meter.open("first", 0.0)
    meter.open("second", 5.0)
    for key, seconds in (("first", 10.0), ("second", 5.0)):
        bill = meter.close(
            key,
            10.0,
            "",
            "start",
            None,
            Sent(from_ms=0.0, until_ms=0.0, total_ms=0.0),
        )
        assert bill is not None
        assert bill.billed_seconds == seconds


def test_what_a_session_hears_again_is_counted_apart() -> None:
    meter = UsageMeter()
    meter.open("first", 0.0)
    meter.open("second", 4.0)
    first = meter.close("first", 4.0, "", "start", None, Sent(0.0, 4000.0, 4000.0))
    second = meter.close("second", 9.0, "", "roll over", None, Sent(3000.0, 9000.0, 6000.0))
    assert first is not None
    assert second is not None
    assert (first.audio_sent_seconds, first.audio_resent_seconds) == (4.0, 0.0)
    assert (second.audio_sent_seconds, second.audio_resent_seconds) == (6.0, 1.0)
