"""A caller's newest sound, and how long the voice in it has been quiet."""

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from livekit import rtc

from agent.call.turns.end_of_turn.detector import SAMPLE_RATE, Samples

__all__ = ["ASK_AFTER_SECONDS", "LatestSound", "Quiet"]

# After how much quiet in a pause the detector is asked. LiveKit asks after 0.2 s
# (`MIN_SILENCE_DURATION_MS` of livekit.agents.inference.eot.base). Asked later, the detector takes
# more pauses for ends, but finds no more true ends: docs/turns.md.
ASK_AFTER_SECONDS = (0.1,)


class LatestSound:
    """Keeps the newest `seconds` of mono sound of one rate."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pieces: deque[Samples] = deque()
        self._rate = SAMPLE_RATE
        self._kept = 0

    def push(self, frames: Iterable[rtc.AudioFrame]) -> None:
        """Add the next frames."""
        for frame in frames:
            self._rate = frame.sample_rate
            self._pieces.append(np.frombuffer(frame.data, np.int16))
            self._kept += self._pieces[-1].size
        while self._pieces and self._kept - self._pieces[0].size >= self._seconds * self._rate:
            self._kept -= self._pieces.popleft().size

    def samples(self) -> Samples:
        """The kept sound at 16 kHz, `seconds` of it at most."""
        sound = np.concatenate([np.zeros(0, np.int16), *self._pieces])
        if self._rate != SAMPLE_RATE:
            resampler = rtc.AudioResampler(self._rate, SAMPLE_RATE)
            frames = [*resampler.push(bytearray(sound.tobytes())), *resampler.flush()]
            sound = np.concatenate([np.frombuffer(frame.data, np.int16) for frame in frames])
        return sound[-round(self._seconds * SAMPLE_RATE) :]


class Quiet:
    """Measures the quiet after a voice. Pure: it counts the time of the sound.

    `threshold`: the probability from which the voice detector hears a voice.
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
        """How many pauses there have been, the current one included."""

    def hear(self, seconds: float, probability: float) -> bool:
        """Take `seconds` of sound with this probability of a voice. Returns whether to ask the
        detector now."""
        if probability >= self._threshold:
            self.seconds, self._asked = 0.0, 0
            return False
        self.pauses += not self.seconds
        self.seconds += seconds
        due = sum(self.seconds >= after - 1e-6 for after in self._ask_after_seconds)
        is_due, self._asked = due > self._asked, max(due, self._asked)
        return is_due
