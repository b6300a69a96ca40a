"""What one session is to be sent next, and when: messages in their places, audio at its pace.

Live audio is sent as it comes. After a gap it is sent no faster than the service can follow: at
most 1.25 times real time (protocol notes, section 6). Time is an argument, in seconds.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from stt_assemblyai.audio import AudioClock, ReplayBuffer
from stt_assemblyai.messages import ClientMessage, Terminate, UpdateConfiguration
from stt_assemblyai.service import FASTEST_SPEED, LONGEST_CHUNK_MS, SHORTEST_CHUNK_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stt_assemblyai.timing import Timing

__all__ = ["Chunk", "Input", "Outbox", "Pacer", "QueuedMessage"]


class QueuedMessage(NamedTuple):
    """A message, and the position in the replay buffer before which it is not sent."""

    position: int
    message: ClientMessage


class Chunk(NamedTuple):
    """PCM to send; `at_ms` is where it begins in the stream. Stand-in silence is not `live`."""

    at_ms: float
    pcm: bytes
    live: bool = True


class Input:
    """A stream's audio: what came, when the newest came, and whether more will come."""

    def __init__(self, sample_rate: int, timing: Timing) -> None:
        self.replay = ReplayBuffer(
            sample_rate, chunk_ms=timing.chunk_ms, keep_seconds=timing.keep_seconds
        )
        self.added_at = -math.inf
        self.ended = False

    @property
    def end_ms(self) -> float:
        """How much audio has come."""
        return self.replay.milliseconds(self.replay.end)

    def add(self, pcm: bytes | memoryview, now: float) -> None:
        """Add the newest audio."""
        self.replay.append(pcm)
        self.added_at = now

    def has_chunk(self, from_ms: float) -> bool:
        """Whether a session that hears from here on could be sent something; at the end of the
        input a short chunk will do."""
        waiting_bytes = self.replay.end - self.replay.position(from_ms)
        if self.ended:
            return self.replay.milliseconds(waiting_bytes) >= SHORTEST_CHUNK_MS
        return waiting_bytes >= self.replay.chunk_bytes


class Pacer:
    """Allows `speed` times real time on average, and `burst_ms` at once. Time is in seconds.

    Live audio never waits: it comes at real time, and small bunches fit into the burst. The
    service processes at most `FASTEST_SPEED` times real time.
    """

    def __init__(self, speed: float = FASTEST_SPEED, burst_ms: float = 200.0) -> None:
        self._speed = speed
        self._burst_seconds = burst_ms / 1000
        self._through_at = float("-inf")  # when all that was sent would be through at this speed

    @property
    def ready_at(self) -> float:
        """When the next chunk may be sent."""
        return self._through_at - self._burst_seconds

    def sent(self, now: float, duration_ms: float) -> None:
        """A chunk of this length has been sent."""
        self._through_at = max(self._through_at, now) + duration_ms / 1000 / self._speed


class Outbox:
    """One session's place in the stream, and its unsent messages.

    `from_ms` is where it begins to hear the stream; infinite if `start` decides that. `busy_at` is
    when it last had something to send, or a new reason to wait for audio.
    """

    def __init__(
        self,
        replay: ReplayBuffer,
        timing: Timing,
        messages: Iterable[QueuedMessage] = (),
        from_ms: float = math.inf,
    ) -> None:
        self._replay = replay
        self._pacer = Pacer(timing.replay_speed)
        self._messages = deque(messages)
        self._position = 0
        self._held = False  # a chunk waits for the next one, to go with it
        self._may_join = 2 * replay.chunk_ms <= LONGEST_CHUNK_MS
        self._silence_ms = 0.0  # sent in a row
        self.clock = AudioClock()
        self.from_ms = from_ms
        self.busy_at = -math.inf

    @property
    def until_ms(self) -> float:
        """How far into the stream audio has been sent."""
        return self._replay.milliseconds(self._position)

    @property
    def newest_chunk(self) -> Chunk:
        """The last of the audio that was sent, as far as it is still kept."""
        at_ms = max(0.0, self.until_ms - self._replay.chunk_ms)
        return Chunk(at_ms, self._replay.between(at_ms, self.until_ms))

    @property
    def unsent(self) -> list[QueuedMessage]:
        """The messages left for the next session. It needs no update: it has the newest options."""
        return [each for each in self._messages if not _is_update(each)]

    @property
    def silence_ms(self) -> float:
        """How much stand-in silence was sent since there was something else to send."""
        return self._silence_ms

    def start(self, from_ms: float, now: float) -> None:
        """Begin at this time of the stream, or at the oldest audio that is left."""
        self.from_ms, self.busy_at = from_ms, now
        self._position = max(self._replay.start, self._replay.position(from_ms))

    def queue(self, message: ClientMessage, now: float) -> None:
        """Send this right after the audio that is here by now."""
        self._messages.append(QueuedMessage(self._replay.end, message))
        self.stir(now)

    def queue_first(self, message: ClientMessage, now: float) -> None:
        """Send this before everything else."""
        self._messages.appendleft(QueuedMessage(0, message))
        self.stir(now)

    def stir(self, now: float) -> None:
        """There is a new reason to wait for audio: its lateness counts from now on."""
        self.busy_at, self._silence_ms, self._held = now, 0.0, False

    def has_more(self, *, is_open: bool, ended: bool) -> bool:
        """Whether `take` has something, now or when its pace allows."""
        if self._messages and self._has_message():
            return is_open
        chunks = 2 if self._held else 1
        has_chunk = self._position + chunks * self._replay.chunk_bytes <= self._replay.end
        return has_chunk or (is_open and ended)

    def take(self, now: float, *, is_open: bool, ended: bool) -> Chunk | ClientMessage | None:
        """What is due now. Messages and the end wait for an open session, audio does not unless it
        is behind a message; at the end of the input comes the rest of a chunk, then Terminate."""
        replay = self._replay
        if self._position < replay.start:
            self._position = replay.start
        if self._messages and self._has_message():
            if not is_open:
                return None
            self.stir(now)
            return self._messages.popleft().message
        pcm = replay.chunk(self._position)
        if pcm is None and is_open and ended:
            pcm = replay.tail(self._position)
            if not pcm:
                return Terminate()
        if pcm is None or now < self._pacer.ready_at:
            return None
        at_ms = self.until_ms
        self._sent(len(pcm), at_ms, now)
        return Chunk(at_ms, pcm)

    def push_live(
        self, pcm: bytes | memoryview, now: float, *, may_wait: bool = False
    ) -> bytes | None:
        """Add the newest audio, and take what `take` would give while nothing but live audio is to
        be sent: the chunk that this audio completes, or nothing yet (empty).

        A short chunk that `may_wait` goes with the next one. None, and nothing is added or taken:
        more is to be done. `take` does all of it, at several times the price.
        """
        replay, at = self._replay, self._position
        waiting, size = replay.end + len(pcm) - at, replay.chunk_bytes
        if self._messages or now < self._pacer.ready_at:
            return None
        if waiting >= (3 * size if self._held else 2 * size) or waiting >= replay.keep_bytes:
            return None
        replay.append(pcm)
        if waiting < size:
            return b""
        if waiting >= 2 * size:
            size *= 2
        elif may_wait and self._may_join:
            self._held = True
            return b""
        self._sent(size, replay.milliseconds(at), now)
        return replay.chunk(at, size)

    def _sent(self, size: int, at_ms: float, now: float) -> None:
        duration_ms = self._replay.milliseconds(size)
        self.clock.sent(at_ms, duration_ms)
        self._pacer.sent(now, duration_ms)
        self._position += size
        self.busy_at, self._silence_ms = now, 0.0

    def take_silence(self, now: float) -> Chunk:
        """A chunk of silence that stands in for late audio; the stream's clock stands still."""
        pcm = bytes(self._replay.chunk_bytes)
        duration_ms = self._replay.milliseconds(len(pcm))
        self.clock.sent_silence(duration_ms)
        self.busy_at = now
        self._silence_ms += duration_ms
        return Chunk(self.until_ms, pcm, live=False)

    def ready_at(self, *, is_open: bool, ended: bool) -> float:
        """When `take` has something, if nothing new comes; infinite if it then has nothing."""
        has_more = self.has_more(is_open=is_open, ended=ended)
        return self._pacer.ready_at if has_more else math.inf

    def _has_message(self) -> bool:
        """Whether the first message is due before the next chunk."""
        return self._messages[0].position < self._position + self._replay.chunk_bytes


def _is_update(queued: QueuedMessage) -> bool:
    return isinstance(queued.message, UpdateConfiguration)
