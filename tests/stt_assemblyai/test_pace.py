"""Live audio never waits; a backlog leaves no faster than the service follows."""

import pytest

from stt_assemblyai.pace import Pacer


def test_live_audio_never_waits() -> None:
    pacer = Pacer(1.25)
    for number in range(1000):
        now = number * 0.05
        assert pacer.ready_at <= now
        pacer.sent(now, 50)


def test_a_small_bunch_leaves_at_once() -> None:
    pacer = Pacer(1.25, burst_ms=200)
    for _ in range(5):
        assert pacer.ready_at <= 0
        pacer.sent(0.0, 50)


@pytest.mark.parametrize("speed", [1.25, 4.0])
def test_a_backlog_leaves_at_the_speed_that_was_set(speed: float) -> None:
    pacer, now = Pacer(speed, burst_ms=200), 100.0
    for _ in range(200):
        now = max(now, pacer.ready_at)
        pacer.sent(now, 50)
    assert now - 100.0 == pytest.approx(10 / speed - 0.2, abs=0.06)


def test_a_pause_is_no_credit() -> None:
    pacer = Pacer(1.25, burst_ms=0)
    pacer.sent(0.0, 50)
    pacer.sent(60.0, 50)
    assert pacer.ready_at == pytest.approx(60.04)
