"""What one session is sent next: audio from its place on and paced, messages in their places."""

import math
from typing import Any

import pytest

from stt_assemblyai.messages import (
    ClientMessage,
    ForceEndpoint,
    KeepAlive,
    Terminate,
    UpdateConfiguration,
)
from stt_assemblyai.outbox import Chunk, Input, Outbox, Pacer, QueuedMessage
from stt_assemblyai.timing import Timing

RATE = 8000
CHUNK = b"\1\0" * 400  # 50 ms
SILENCE = bytes(len(CHUNK))
UPDATE = UpdateConfiguration({"min_turn_silence": 900})


class Sending:
    """A stream's audio, and one session's outbox, which has begun to hear it."""

    def __init__(self, from_ms: float = 0.0, **timing: Any) -> None:
        self.timing = Timing(**timing)
        self.audio = Input(RATE, self.timing)
        self.outbox = Outbox(self.audio.replay, self.timing)
        self.outbox.start(from_ms, now=0.0)

    def push(self, pcm: bytes, now: float = 0.0) -> None:
        self.audio.add(pcm, now)

    def take(
        self, now: float = 0.0, *, is_open: bool = True, ended: bool = False
    ) -> list[Chunk | ClientMessage]:
        """All that is due, up to Terminate."""
        taken: list[Chunk | ClientMessage] = []
        while (what := self.outbox.take(now, is_open=is_open, ended=ended)) is not None:
            taken.append(what)
            if isinstance(what, Terminate):
                break
        return taken


def test_live_audio_leaves_as_soon_as_a_chunk_is_there() -> None:
    sending = Sending()
    for number in range(20):
        sending.push(CHUNK[:400], now=number * 0.05)
        assert sending.take(now=number * 0.05) == []
        sending.push(CHUNK[400:], now=number * 0.05)
        assert sending.take(now=number * 0.05) == [Chunk(number * 50.0, CHUNK)]


def test_a_backlog_leaves_at_the_pace_that_the_service_follows() -> None:
    sending, now = Sending(replay_speed=1.25), 0.0
    sending.push(CHUNK * 100)
    sending.take()
    while sending.outbox.until_ms < 5000:
        now = sending.outbox.ready_at(is_open=True, ended=False)
        assert len(sending.take(now)) == 1
    assert now == pytest.approx(5.0 / 1.25 - 0.2, abs=0.05)  # but for a burst


def test_only_what_the_session_has_not_heard_is_sent() -> None:
    sending = Sending(from_ms=100)
    sending.push(CHUNK * 3)
    assert sending.take() == [Chunk(100.0, CHUNK)]
    assert (sending.outbox.from_ms, sending.outbox.until_ms) == (100, 150)


def test_a_session_begins_at_the_oldest_audio_that_is_left() -> None:
    sending = Sending()
    sending.push(CHUNK * 4)
    sending.audio.replay.release(len(CHUNK))
    sending.outbox.start(0.0, now=0.0)
    assert sending.outbox.until_ms == 50
    sending.audio.replay.release(len(CHUNK) * 3)  # and goes on there if it is too slow
    assert sending.take() == [Chunk(150.0, CHUNK)]


def test_a_session_that_has_not_begun_to_hear_the_stream_has_no_place_in_it() -> None:
    sending = Sending()
    assert Outbox(sending.audio.replay, sending.timing).from_ms == math.inf


def test_audio_may_leave_before_begin_and_messages_wait_for_it() -> None:
    sending = Sending()
    sending.push(CHUNK)
    sending.outbox.queue(ForceEndpoint(), now=0.0)
    assert sending.take(is_open=False, ended=True) == [Chunk(0.0, CHUNK)]
    assert sending.take(now=5.0) == [ForceEndpoint()]


def test_a_message_keeps_its_place_behind_the_audio_that_was_there() -> None:
    sending = Sending()
    sending.push(CHUNK + CHUNK[:100])
    sending.outbox.queue(ForceEndpoint(), now=0.0)
    sending.push(CHUNK)
    taken = sending.take()
    assert taken == [Chunk(0.0, CHUNK), ForceEndpoint(), Chunk(50.0, CHUNK)]


def test_what_cannot_wait_overtakes_other_messages_and_audio() -> None:
    sending = Sending()
    sending.push(CHUNK)
    sending.outbox.queue(KeepAlive(), now=0.0)
    sending.outbox.queue_first(ForceEndpoint(), now=0.0)
    assert sending.take() == [ForceEndpoint(), Chunk(0.0, CHUNK), KeepAlive()]


@pytest.mark.parametrize("rest", [b"", CHUNK[:100]])
def test_the_end_takes_the_rest_of_a_chunk_along(rest: bytes) -> None:
    sending = Sending()
    sending.push(CHUNK + rest)
    sending.outbox.queue(ForceEndpoint(), now=0.0)
    taken = [each.pcm if isinstance(each, Chunk) else each for each in sending.take(ended=True)]
    assert taken == [CHUNK, ForceEndpoint(), *([rest] if rest else []), Terminate()]


def test_the_end_waits_until_a_backlog_is_through() -> None:
    sending = Sending()
    sending.push(CHUNK * 100)
    assert len(sending.take(ended=True)) < 10
    assert sending.outbox.take(0.0, is_open=True, ended=True) is None


def test_silence_stands_in_for_late_audio_while_the_clock_of_the_stream_stands_still() -> None:
    sending = Sending()
    sending.push(CHUNK)
    sending.take()
    assert sending.outbox.take_silence(now=1.0) == Chunk(50.0, SILENCE, live=False)
    assert sending.outbox.take_silence(now=1.05) == Chunk(50.0, SILENCE, live=False)
    assert (sending.outbox.silence_ms, sending.outbox.busy_at) == (100, 1.05)
    assert sending.outbox.clock.session_ms == 150
    assert sending.outbox.clock.to_stream(149) == 50


def test_silence_is_counted_from_the_last_thing_that_was_sent() -> None:
    sending = Sending()
    sending.outbox.take_silence(now=1.0)
    sending.push(CHUNK, now=1.1)
    sending.take(now=1.1)
    assert (sending.outbox.silence_ms, sending.outbox.busy_at) == (0, 1.1)
    sending.outbox.take_silence(now=2.0)
    sending.outbox.stir(now=2.5)
    assert (sending.outbox.silence_ms, sending.outbox.busy_at) == (0, 2.5)


def test_what_a_session_did_not_send_is_left_to_the_next_but_for_updates() -> None:
    """The next session is opened with the newest options."""
    sending = Sending()
    for message in (KeepAlive(), UPDATE, ForceEndpoint()):
        sending.outbox.queue(message, now=0.0)
    assert sending.outbox.take(0.0, is_open=True, ended=False) == KeepAlive()
    assert sending.outbox.unsent == [QueuedMessage(0, ForceEndpoint())]
    following = Outbox(sending.audio.replay, sending.timing, sending.outbox.unsent, from_ms=0.0)
    assert following.take(0.0, is_open=True, ended=False) == ForceEndpoint()


@pytest.mark.parametrize(
    ("pushed", "queued", "is_open", "ended", "ready_at"),
    [
        (b"", False, True, False, math.inf),
        (CHUNK[:100], False, True, False, math.inf),
        (CHUNK, False, False, False, -math.inf),  # at once: nothing has been sent yet
        (b"", True, False, False, math.inf),  # a message waits for Begin
        (b"", True, True, False, -math.inf),
        (b"", False, True, True, -math.inf),  # Terminate
        (b"", False, False, True, math.inf),
        (CHUNK[:100], False, True, True, -math.inf),
        (CHUNK[:100], False, False, True, math.inf),
    ],
)
def test_when_there_is_something_to_send(
    pushed: bytes, queued: bool, is_open: bool, ended: bool, ready_at: float
) -> None:
    sending = Sending()
    sending.push(pushed)
    if queued:
        sending.outbox.queue(ForceEndpoint(), now=0.0)
    assert sending.outbox.ready_at(is_open=is_open, ended=ended) == ready_at
    due = sending.outbox.take(0.0, is_open=is_open, ended=ended)
    assert (due is not None) == (ready_at == -math.inf)


def test_audio_that_is_paced_is_ready_when_its_time_comes() -> None:
    sending = Sending()
    sending.push(CHUNK * 100)
    sending.take()
    ready_at = sending.outbox.ready_at(is_open=True, ended=False)
    assert 0 < ready_at < 0.05
    assert not sending.take(ready_at - 0.001)
    assert sending.take(ready_at)


def test_the_input_knows_how_much_has_come_and_when() -> None:
    audio = Input(RATE, Timing())
    assert audio.added_at == -math.inf
    audio.add(memoryview(CHUNK), now=7.0)
    assert (audio.end_ms, audio.added_at) == (50, 7.0)


def test_a_session_is_worth_opening_when_there_is_a_chunk_for_it() -> None:
    audio = Input(RATE, Timing())
    audio.add(CHUNK + CHUNK[:-2], now=0.0)
    assert audio.has_chunk(from_ms=0.0)
    assert not audio.has_chunk(from_ms=50.0)
    audio.add(CHUNK[-2:], now=0.0)
    assert audio.has_chunk(from_ms=50.0)


@pytest.mark.parametrize(
    ("rest_ms", "is_enough"), [(0, False), (40, False), (50, True), (900, True)]
)
def test_the_rest_of_a_long_chunk_is_not_left_behind(rest_ms: int, is_enough: bool) -> None:
    audio = Input(RATE, Timing(chunk_ms=1000))
    audio.add(bytes(16 * rest_ms), now=0.0)
    assert not audio.has_chunk(from_ms=0.0)
    audio.ended = True
    assert audio.has_chunk(from_ms=0.0) is is_enough


def test_audio_does_not_overtake_a_message_that_waits_for_begin() -> None:
    """A ForceEndpoint in its wrong place would cut a word in two."""
    sending = Sending()
    sending.push(CHUNK)
    sending.outbox.queue(ForceEndpoint(), now=0.0)
    sending.push(CHUNK)
    assert sending.take(is_open=False) == [Chunk(0.0, CHUNK)]
    assert sending.outbox.ready_at(is_open=False, ended=False) == math.inf
    assert sending.take() == [ForceEndpoint(), Chunk(50.0, CHUNK)]


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


def test_live_audio_is_taken_at_once_and_counted_as_take_counts_it() -> None:
    quick, thorough = Sending(), Sending()
    for number in range(40):
        now, piece = number * 0.025, CHUNK[: len(CHUNK) // 2]
        thorough.push(piece, now)
        chunks = [each.pcm for each in thorough.take(now) if isinstance(each, Chunk)]
        assert [quick.outbox.push_live(piece, now)] == (chunks or [b""])
        one, other = quick.outbox, thorough.outbox
        assert (one.until_ms, one.clock.session_ms) == (other.until_ms, other.clock.session_ms)
        assert (one.busy_at, one.silence_ms) == (other.busy_at, other.silence_ms)
        assert one.ready_at(is_open=True, ended=True) == other.ready_at(is_open=True, ended=True)
    assert quick.outbox.newest_chunk == Chunk(950.0, CHUNK)


def test_more_than_one_chunk_is_left_to_take() -> None:
    sending = Sending()
    assert sending.outbox.push_live(CHUNK * 2, 0.0) is None
    assert sending.take() == []  # nothing was added
    sending.push(CHUNK * 2)
    assert len(sending.take()) == 2


def test_a_message_is_left_to_take() -> None:
    sending = Sending()
    sending.outbox.queue(UPDATE, 0.0)
    assert sending.outbox.push_live(CHUNK, 0.0) is None
    sending.push(CHUNK)
    assert sending.take() == [UPDATE, Chunk(0.0, CHUNK)]


def test_live_audio_waits_for_its_pace() -> None:
    sending = Sending(replay_speed=1.25)
    taken = [sending.outbox.push_live(CHUNK, 0.0) for _ in range(10)]
    assert taken == [CHUNK] * 6 + [None] * 4
    assert sending.outbox.ready_at(is_open=True, ended=True) == pytest.approx(0.04)


def test_audio_that_may_be_dropped_before_it_is_sent_is_left_to_take() -> None:
    sending = Sending(keep_seconds=0.05)
    sending.push(CHUNK[:400])
    assert sending.outbox.push_live(CHUNK, 0.0) is None
    sending.push(CHUNK)
    assert sending.take() == [Chunk(25.0, CHUNK)]


def test_a_chunk_that_may_wait_goes_with_the_next_one() -> None:
    sending = Sending()
    now = [number * 0.05 for number in range(6)]
    taken = [sending.outbox.push_live(CHUNK, at, may_wait=True) for at in now]
    assert taken == [b"", CHUNK * 2] * 3
    assert (sending.outbox.until_ms, sending.outbox.clock.session_ms) == (300.0, 300.0)


def test_a_chunk_that_waits_goes_at_once_with_one_that_may_not() -> None:
    sending = Sending()
    assert sending.outbox.push_live(CHUNK, 0.0, may_wait=True) == b""
    assert sending.outbox.push_live(CHUNK, 0.05) == CHUNK * 2
    half = CHUNK[: len(CHUNK) // 2]
    assert sending.outbox.push_live(CHUNK, 0.1, may_wait=True) == b""
    assert sending.outbox.push_live(half, 0.125) == CHUNK  # it was one already
    assert sending.outbox.push_live(half, 0.15) == CHUNK
    assert sending.outbox.push_live(CHUNK, 0.2, may_wait=True) == b""
    assert sending.outbox.push_live(CHUNK * 2, 0.3) is None  # more than may be sent at once


def test_a_chunk_that_waits_is_nothing_to_send_until_there_is_a_reason() -> None:
    sending = Sending()
    assert sending.outbox.push_live(CHUNK, 0.0, may_wait=True) == b""
    assert not sending.outbox.has_more(is_open=True, ended=False)
    sending.outbox.queue(ForceEndpoint(), 0.05)
    assert sending.take() == [Chunk(0.0, CHUNK), ForceEndpoint()]
    assert sending.outbox.push_live(CHUNK, 0.1, may_wait=True) == b""
    sending.push(CHUNK)
    assert sending.take() == [Chunk(50.0, CHUNK), Chunk(100.0, CHUNK)]
    assert sending.outbox.push_live(CHUNK, 0.2, may_wait=True) == b""
    assert sending.outbox.has_more(is_open=True, ended=True)  # the end leaves nothing behind


def test_long_chunks_go_alone() -> None:
    sending = Sending(chunk_ms=600)
    chunk = bytes(len(CHUNK) * 12)
    assert sending.outbox.push_live(chunk, 0.0, may_wait=True) == chunk
