"""Sound placed on a clock, so that both sides of a call can be heard as they happened."""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

_EARLY_SECONDS = 0.03


class Timeline:
    """Pieces of mono 16-bit sound, each at its time on one clock that starts at 0 s.

    A piece that is late by less than `gap_seconds` joins the one before without a seam: what comes
    over a network is continuous, and only our noticing it is late. One that is early moves the
    track back to the true time.
    """

    def __init__(self, sample_rate: int, *, gap_seconds: float = 0.0) -> None:
        self.sample_rate = sample_rate
        self._gap_seconds = gap_seconds
        self._pieces: list[tuple[int, Samples]] = []
        self._end = 0

    @property
    def seconds(self) -> float:
        """When the last piece ends."""
        return self._end / self.sample_rate

    def put(self, at_seconds: float, samples: Samples) -> float:
        """Place a piece; the answer is when it begins, once our own lateness is taken out."""
        begin = max(0, round(at_seconds * self.sample_rate))
        late_seconds = (begin - self._end) / self.sample_rate
        if self._pieces and -_EARLY_SECONDS < late_seconds < self._gap_seconds:
            begin = self._end
        self._pieces.append((begin, samples))
        self._end = begin + samples.size
        return begin / self.sample_rate

    def render(self) -> Samples:
        """The whole track from 0 s on, silence where there was none."""
        # What came far too early ends before what came ahead of it.
        size = max((begin + samples.size for begin, samples in self._pieces), default=0)
        track = np.zeros(size, np.int16)
        for begin, samples in self._pieces:
            track[begin : begin + samples.size] = samples
        return track

    def between(self, start_seconds: float, end_seconds: float) -> Samples:
        """A stretch of the track."""
        first = max(0, round(start_seconds * self.sample_rate))
        return self.render()[first : round(end_seconds * self.sample_rate)]


def write_stereo(path: Path, left: Samples, right: Samples, sample_rate: int) -> None:
    """Write a 16-bit WAV; the shorter side is followed by silence."""
    both = np.zeros((max(left.size, right.size), 2), "<i2")
    both[: left.size, 0] = left
    both[: right.size, 1] = right
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(sample_rate)
        out.writeframes(both.tobytes())
