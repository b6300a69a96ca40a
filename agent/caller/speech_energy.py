"""Where somebody speaks in a stretch of sound, judged by its energy alone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

_WINDOW_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Span:
    """Speech from its first to its last loud window, in seconds on the listener's clock."""

    start_seconds: float
    end_seconds: float


class EnergyDetector:
    """Finds speech in mono 16-bit sound as it comes in.

    `onset_seconds` of windows above `threshold_dbfs` begin a span, `pause_seconds` without one end
    it. Good for clean sound, such as synthetic speech over a room's audio track.
    """

    def __init__(
        self,
        sample_rate: int,
        *,
        threshold_dbfs: float = -45.0,
        onset_seconds: float = 0.03,
        pause_seconds: float = 0.6,
    ) -> None:
        self._window = round(sample_rate * _WINDOW_SECONDS)
        self._threshold = 32768.0 * 10 ** (threshold_dbfs / 20)
        self._onset_seconds = onset_seconds
        self._pause_seconds = pause_seconds
        self._rest = np.empty(0, np.int16)
        self._candidate: float | None = None
        self._open: Span | None = None
        self._closed: list[Span] = []

    @property
    def spans(self) -> list[Span]:
        """All speech so far; the last span may still be growing."""
        return [*self._closed, *([self._open] if self._open else [])]

    @property
    def current(self) -> Span | None:
        """The span that is going on, pauses included; None in silence."""
        return self._open

    def feed(self, at_seconds: float, samples: Samples) -> None:
        """Take the sound that begins at `at_seconds`."""
        at_seconds -= self._rest.size / self._window * _WINDOW_SECONDS
        sound = np.concatenate([self._rest, samples])
        whole = sound.size // self._window
        windows = sound[: whole * self._window].reshape(whole, self._window).astype(np.float32)
        self._rest = sound[whole * self._window :]
        loud = np.sqrt(np.mean(windows * windows, axis=1)) > self._threshold
        for index, is_loud in enumerate(loud.tolist()):
            self._window_at(at_seconds + index * _WINDOW_SECONDS, is_loud)

    def close(self) -> None:
        """No more sound comes: the speaker has stopped."""
        if self._open is not None:
            self._closed.append(self._open)
            self._open = None

    def _window_at(self, start: float, is_loud: bool) -> None:
        end = start + _WINDOW_SECONDS
        if self._open is not None and start - self._open.end_seconds >= self._pause_seconds:
            self.close()
        if not is_loud:
            self._candidate = None
        elif self._open is not None:
            self._open = Span(self._open.start_seconds, end)
        else:
            self._candidate = start if self._candidate is None else self._candidate
            if end - self._candidate >= self._onset_seconds - 1e-9:
                self._open, self._candidate = Span(self._candidate, end), None


def speech_spans(
    samples: Samples, sample_rate: int, *, pause_seconds: float, threshold_dbfs: float = -45.0
) -> list[Span]:
    """The stretches of speech in a recording, cut where it is silent for `pause_seconds`."""
    detector = EnergyDetector(
        sample_rate, pause_seconds=pause_seconds, threshold_dbfs=threshold_dbfs
    )
    detector.feed(0.0, samples)
    return detector.spans
