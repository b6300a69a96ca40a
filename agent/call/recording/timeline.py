"""The sound of one side of a call on a timeline: pauses stay, and what overlaps is added up.

Times are seconds since the timeline began. Sound is 16 bit, mono.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

LATEST_SECONDS = 0.5
"""Frames of a voice that come this late, or this early, still follow the one before: the network,
or our own event loop, was slow. Beyond that there was a pause."""


class Side:
    """One side's sound. Several voices may sound at once; each has a number of the caller's own."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._pieces: list[_Piece] = []
        self._taken = 0
        """How many samples have been taken."""

    def add(self, voice: int, start: float, samples: Samples) -> None:
        """Add this sound of a voice. What is older than what has been taken is dropped."""
        first = round(start * self._rate)
        late = max(0, self._taken - first)
        if late < samples.size:
            self._pieces.append(_Piece(voice, first + late, samples[late:]))

    def cut(self, voice: int, at: float) -> None:
        """Take back what this voice was to say from `at` on."""
        end = round(at * self._rate)
        self._pieces = [
            _Piece(each.voice, each.first, each.samples[: max(0, end - each.first)])
            if each.voice == voice
            else each
            for each in self._pieces
        ]

    def take(self, until: float) -> Samples:
        """The next sound, from where the last one ended to `until`; silence where there was
        none."""
        first, end = self._taken, max(self._taken, round(until * self._rate))
        total = np.zeros(end - first, np.int32)
        later: list[_Piece] = []
        for piece in self._pieces:
            sounding, rest = piece.split(end)
            begin = sounding.first - first
            total[begin : begin + sounding.samples.size] += sounding.samples
            if rest.samples.size:
                later.append(rest)
        self._pieces, self._taken = later, end
        return np.clip(total, -32768, 32767).astype(np.int16)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of sound of one voice, and the number of its first sample."""

    voice: int
    first: int
    samples: Samples

    def split(self, end: int) -> tuple["_Piece", "_Piece"]:
        """What comes before this sample, and the rest."""
        size = min(max(0, end - self.first), self.samples.size)
        before = _Piece(self.voice, self.first, self.samples[:size])
        return before, _Piece(self.voice, self.first + size, self.samples[size:])


class Heard:
    """When the frames of a voice sounded that come from the network, by their time of arrival."""

    def __init__(self) -> None:
        self._end = float("-inf")

    def start(self, now: float, seconds: float) -> float:
        """When a frame began that arrives now."""
        start = now - seconds
        if abs(start - self._end) <= LATEST_SECONDS:
            start = self._end
        start = max(start, self._end, 0.0)  # its sender's clock is fast: it follows, if late
        self._end = start + seconds
        return start


class Played:
    """When the frames of a voice sound that are passed on ahead of their time."""

    def __init__(self) -> None:
        self._end = 0.0

    def start(self, now: float, seconds: float) -> float:
        """When a frame begins that is passed on now: after those before it, at the earliest now."""
        start = max(now, self._end)
        self._end = start + seconds
        return start

    def cut(self, now: float) -> None:
        """The frames that have not sounded yet never will."""
        self._end = min(self._end, now)
