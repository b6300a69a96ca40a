"""The newest of a caller's sound, and for how long the voice in it has been quiet."""

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from livekit import rtc

from agent.call.end_of_turn.detector import SAMPLE_RATE, Samples

__all__ = ["ASK_AFTER_SECONDS", "LatestSound", "Quiet"]

# After this much quiet the detector is asked, once a pause. LiveKit asks after 0.2 s
# (`MIN_SILENCE_DURATION_MS` of livekit.agents.inference.eot.base); later, it calls more pauses the
# end, and no more ends: docs/turns.md.
ASK_AFTER_SECONDS = (0.1,)


class LatestSound:
    """Keeps the newest `seconds` of mono sound of one rate."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pieces: deque[Samples] = deque()
        self._rate = SAMPLE_RATE
        self._kept = 0

    def push(self, frames: Iterable[rtc.AudioFrame]) -> None:
        """What was heard next."""
        for frame in frames:
            self._rate = frame.sample_rate
            self._pieces.append(np.frombuffer(frame.data, np.int16))
            self._kept += self._pieces[-1].size
        while self._pieces and self._kept - self._pieces[0].size >= self._seconds * self._rate:
            self._kept -= self._pieces.popleft().size

    def samples(self) -> Samples:
        """All that is kept: at 16 kHz, and no longer than was asked for."""
        sound = np.concatenate([np.zeros(0, np.int16), *self._pieces])
        if self._rate != SAMPLE_RATE:
            resampler = rtc.AudioResampler(self._rate, SAMPLE_RATE)
            frames = [*resampler.push(bytearray(sound.tobytes())), *resampler.flush()]
            sound = np.concatenate([np.frombuffer(frame.data, np.int16) for frame in frames])
        return sound[-round(self._seconds * SAMPLE_RATE) :]


class Quiet:
    """Counts the quiet behind a voice. Pure: its time is the sound's own.

    `threshold` is the voice detector's probability from which it hears a voice.
    """

    def __init__(
        self, threshold: float, ask_after_seconds: Sequence[float] = ASK_AFTER_SECONDS
    ) -> None:
        self._threshold = threshold
        self._ask_after_seconds = ask_after_seconds
        self._asked = len(ask_after_seconds)  # before the first voice there is nothing to ask
        self.seconds = 0.0
        """How long the voice has been quiet; 0 while there is one."""
        self.pauses = 0
        """How many there have been, this one included."""

    def hear(self, seconds: float, probability: float) -> bool:
        """So much sound of this probability of a voice. Is it time to ask the detector?"""
        if probability >= self._threshold:
            self.seconds, self._asked = 0.0, 0
            return False
        self.pauses += not self.seconds
        self.seconds += seconds
        due = sum(self.seconds >= after - 1e-6 for after in self._ask_after_seconds)
        is_due, self._asked = due > self._asked, max(due, self._asked)
        return is_due
