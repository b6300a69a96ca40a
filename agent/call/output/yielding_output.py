"""An audio output in which the agent's voice can duck, fall silent, and go on where it was.

It passes the voice on in large pieces and well before it is due: a busy event loop makes no gap. To
fall silent, it takes back what has not been heard. From an output that gives nothing back, such as
a console, it holds the voice back, even more if the voice may soon have to fall silent.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from livekit import rtc
from livekit.agents import utils
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities

from agent.call.output.handed_on import HandedOn, joined
from agent.call.recording.recorder import Tap
from agent.tasks import Tasks

# How long before it is due the voice is passed on to an output that gives back what has not been
# heard, and in pieces of how many frames. If the event loop blocks for longer, the caller hears a
# gap. Each piece costs 0.5 ms of CPU.
RETURNABLE_AHEAD_SECONDS = 0.3
PIECE_FRAMES = 5
# The same for an output that gives nothing back, in single frames.
AHEAD_SECONDS = 0.12
# The same while a pause is expected, which is then heard sooner.
READY_AHEAD_SECONDS = 0.04
FRAME_SECONDS = 0.02
# The gain of a ducked voice, 15 dB below its own level; and the largest change of gain in a frame,
# which avoids clicks.
DUCKED = 10 ** (-15 / 20)
STEP = 0.5
# Waits shorter than this are skipped.
TICK_SECONDS = 0.001


@runtime_checkable
class GivesBack(Protocol):
    """An output such as `room_voice.RoomVoice`."""

    def take_back(self) -> float:
        """Fall silent at once. Returns how many seconds of what was captured were not heard."""


@dataclass(slots=True)
class _Segment:
    """A stretch of the voice that is played, or cleared, as one."""

    frames: deque[rtc.AudioFrame] = field(default_factory=deque)
    begun: bool = False
    """The next output has a part of it, and will report how it ended."""
    ended: bool = False
    """It gets no more frames."""
    cleared: bool = False
    """The rest of it must not be played."""


class YieldingOutput(AudioOutput):
    """Comes before the output that plays.

    A pause takes effect two frames later, and ducking too. With an output that gives nothing back
    it is AHEAD_SECONDS more; if it has been expected for 0.1 s, READY_AHEAD_SECONDS more.
    """

    expects_pause = False

    def __init__(self, next_in_chain: AudioOutput, tap: Tap | None = None) -> None:
        """`tap` learns what is heard."""
        super().__init__(
            label="Yielding",
            capabilities=AudioOutputCapabilities(pause=True),
            next_in_chain=next_in_chain,
        )
        self._tap = tap
        self._loop = asyncio.get_running_loop()
        self._segments: deque[_Segment] = deque()
        self._cutter: utils.audio.AudioByteStream | None = None
        self._changed = asyncio.Event()
        self._returns = next_in_chain if isinstance(next_in_chain, GivesBack) else None
        self._handed_on = HandedOn()
        self._paused = False
        self._ducks = False
        self._gain = 1.0  # at the end of the last frame that was passed on
        self._due_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._tasks = Tasks()

    @property
    def _next(self) -> AudioOutput:
        assert self.next_in_chain is not None
        return self.next_in_chain

    @property
    def sample_rate(self) -> int | None:
        return self._next.sample_rate

    @property
    def can_pause(self) -> bool:
        return True

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if self._captured is None:
            self._segments.append(_Segment())
            samples = round(frame.sample_rate * FRAME_SECONDS)
            rate, channels = frame.sample_rate, frame.num_channels
            self._cutter = utils.audio.AudioByteStream(rate, channels, samples)
        self._add(self._cutter.push(frame.data) if self._cutter else [])
        if self._task is None:
            self._task = self._tasks.start(self._hand_on(), name="agent's voice")

    def flush(self) -> None:
        super().flush()
        if self._captured is None:
            return
        self._add(self._cutter.flush() if self._cutter else [])
        self._captured.ended = True
        self._changed.set()
        self._end_segments()

    def clear_buffer(self) -> None:
        self.resume()
        self.close()  # the task may be waiting for a listener, with a frame of this speech
        self._gain, self._due_at = 1.0, 0.0
        self._handed_on.clear()
        for segment in self._segments:
            segment.frames.clear()
            segment.cleared = True
        self._end_segments()
        self._next.clear_buffer()
        if self._tap:
            self._tap.cut()

    def pause(self) -> None:
        """Fall silent, without losing anything."""
        if not self._paused:
            self._paused = True
            if not self._segments or not self._segments[0].begun:
                self._gain = 0.0
            else:
                self._take_back()

    def resume(self) -> None:
        """Go on where the voice fell silent."""
        if self._paused:
            self._paused = False
            self._changed.set()

    @property
    def ducks(self) -> bool:
        """Whether the voice is to be soft."""
        return self._ducks

    @ducks.setter
    def ducks(self, ducks: bool) -> None:
        if ducks != self._ducks:
            self._ducks = ducks
            if self._segments and self._segments[0].begun and not self._paused:
                self._take_back()

    def close(self) -> None:
        """Pass nothing more on."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def aclose(self) -> None:
        """The same; return when nothing runs any more."""
        self.close()
        await self._tasks.aclose()

    @property
    def _captured(self) -> _Segment | None:
        """The segment that still gets frames; None if there is none."""
        last = self._segments[-1] if self._segments else None
        return None if last is None or last.ended else last

    def _add(self, frames: list[rtc.AudioFrame]) -> None:
        if self._captured is not None and not self._captured.cleared:
            if not self._captured.frames:
                self._changed.set()
            self._captured.frames.extend(frames)

    def _take_back(self) -> None:
        """What was passed on and not heard is to be passed on again, with another gain."""
        if self._returns is None or not (seconds := self._returns.take_back()):
            return
        self._segments[0].frames.extendleft(reversed(self._handed_on.take_back(seconds)))
        self._due_at = self._now
        if self._tap:
            self._tap.cut()
        self._changed.set()

    def _end_segments(self) -> None:
        """Remove the segments that have ended and have no frames left."""
        while self._segments and self._segments[0].ended and not self._segments[0].frames:
            segment = self._segments[0]
            if self._returns and not segment.cleared and self._early(AHEAD_SECONDS):
                return  # it may still have to fall silent
            self._segments.popleft()
            if segment.begun:
                self._handed_on.clear()
                self._next.flush()
            else:  # the next output never had any of it
                self.on_playback_finished(playback_position=0.0, interrupted=True)

    async def _hand_on(self) -> None:
        while True:
            self._changed.clear()
            self._end_segments()
            early_seconds = 0.0
            if self._segments and not self._segments[0].frames:
                early_seconds = self._early(AHEAD_SECONDS)
            elif self._segments and not (self._paused and not self._gain):
                early_seconds = self._early(self._ahead_seconds)
                if not early_seconds:
                    await self._hand_on_piece(self._segments[0])
                    continue
            if early_seconds:
                self._loop.call_later(early_seconds, self._changed.set)
            await self._changed.wait()

    async def _hand_on_piece(self, segment: _Segment) -> None:
        wanted_gain = self._wanted_gain
        gain, self._gain = self._gain, self._next_gain
        is_steady = gain == self._gain
        most = PIECE_FRAMES if self._returns and is_steady else 1
        frames = [segment.frames.popleft() for _ in range(min(most, len(segment.frames)))]
        piece = joined(frames)
        if not (is_steady and gain == 1.0):
            piece = _faded(piece, gain, self._gain)
        self._handed_on.add(frames)
        await self._next.capture_frame(piece)  # the first one waits for a listener
        self._due_at = max(self._due_at, self._now) + piece.duration
        segment.begun = True
        if self._tap:
            self._tap.play(piece)
        if self._wanted_gain != wanted_gain:
            self._take_back()

    def _early(self, ahead_seconds: float) -> float:
        """How long until the next sound is due in so many seconds; 0 if that is so already."""
        seconds = self._due_at - ahead_seconds - self._now
        return seconds if seconds > TICK_SECONDS else 0.0

    @property
    def _wanted_gain(self) -> float:
        return 0.0 if self._paused else DUCKED if self._ducks else 1.0

    @property
    def _next_gain(self) -> float:
        return min(max(self._wanted_gain, self._gain - STEP), self._gain + STEP)

    @property
    def _ahead_seconds(self) -> float:
        if self._returns:
            return RETURNABLE_AHEAD_SECONDS
        return READY_AHEAD_SECONDS if self.expects_pause else AHEAD_SECONDS

    @property
    def _now(self) -> float:
        return self._loop.time()


def _faded(frame: rtc.AudioFrame, begin: float, end: float) -> rtc.AudioFrame:
    """The frame, with its gain changed smoothly from `begin` to `end`."""
    samples = np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels)
    gain = np.linspace(begin, end, len(samples), dtype=np.float32)[:, None]
    faded = (samples * gain).astype(np.int16)
    return rtc.AudioFrame(
        faded.tobytes(), frame.sample_rate, frame.num_channels, frame.samples_per_channel
    )
