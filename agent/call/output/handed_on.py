"""What an agent's voice has passed on, kept until it has certainly been heard. Pure."""

from collections import deque
from collections.abc import Iterable

from livekit import rtc

KEPT_SECONDS = 1.0
"""Longer than any output takes ahead of time."""


class HandedOn:
    """The newest frames, as they were before their gain was changed: 16 bit, one rate."""

    def __init__(self) -> None:
        self._frames: deque[rtc.AudioFrame] = deque()
        self._seconds = 0.0

    def add(self, frames: Iterable[rtc.AudioFrame]) -> None:
        """These have been passed on."""
        for frame in frames:
            self._frames.append(frame)
            self._seconds += frame.duration
        while self._frames and self._seconds - self._frames[0].duration > KEPT_SECONDS:
            self._seconds -= self._frames.popleft().duration

    def clear(self) -> None:
        """None of it can come back."""
        self._frames.clear()
        self._seconds = 0.0

    def take_back(self, seconds: float) -> list[rtc.AudioFrame]:
        """The last so many seconds, in order; the first of these frames may be shortened."""
        back: list[rtc.AudioFrame] = []
        left = round(seconds * self._frames[-1].sample_rate) if self._frames else 0  # samples
        while self._frames and left > 0:
            frame = self._frames.pop()
            self._seconds -= frame.duration
            if frame.samples_per_channel > left:
                before, frame = _split(frame, frame.samples_per_channel - left)
                self._frames.append(before)
                self._seconds += before.duration
            left -= frame.samples_per_channel
            back.append(frame)
        return back[::-1]


def joined(frames: list[rtc.AudioFrame]) -> rtc.AudioFrame:
    """Frames that follow each other, as one."""
    if len(frames) == 1:
        return frames[0]
    data = b"".join(frame.data.cast("B") for frame in frames)
    samples = sum(frame.samples_per_channel for frame in frames)
    return rtc.AudioFrame(data, frames[0].sample_rate, frames[0].num_channels, samples)


def _split(frame: rtc.AudioFrame, samples: int) -> tuple[rtc.AudioFrame, rtc.AudioFrame]:
    """The frame up to this sample, and from there on."""
    at = samples * frame.num_channels * 2
    data = bytes(frame.data.cast("B"))
    rate, channels = frame.sample_rate, frame.num_channels
    rest = frame.samples_per_channel - samples
    return (
        rtc.AudioFrame(data[:at], rate, channels, samples),
        rtc.AudioFrame(data[at:], rate, channels, rest),
    )
