"""The cued recognizer: what is said is decided beforehand, when it is said is heard.

Each time that somebody begins to speak and no cue is open, the next cue begins: its words appear
on the audio clock from there on, exactly. So scripted speech survives a network, whose delays
nobody knows beforehand, and whoever hears both sides knows to the word what was said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.standins.assemblyai_v3.hearing import Hearing
from workbench.standins.assemblyai_v3.scripted import ScriptedRecognizer, ScriptedWord
from workbench.standins.assemblyai_v3.sound import Samples, SoundReader

WINDOW_SAMPLES = 160
LOUD = 10 ** (-45 / 20)
"""The effective value, of 1, from which a window of 10 ms is speech."""
QUIET_MS = 100


@dataclass(frozen=True, slots=True)
class Cue:
    """What is said next. Its words' times count from its first sound."""

    words: tuple[ScriptedWord, ...]

    @property
    def end_ms(self) -> int:
        """Of the last word."""
        return max(word.end_ms for word in self.words)


class CuedRecognizer(ScriptedRecognizer):
    """Of what the audio contains, only where speech begins counts."""

    def __init__(self, cues: Sequence[Cue], sound: SoundReader) -> None:
        super().__init__(())
        self._cues = iter(cues)
        self._sound = sound
        self._rest: Samples = np.zeros(0, np.float32)
        self._heard_ms = 0
        self._free_from_ms = 0
        self._known: list[ScriptedWord] = []

    def listen(
        self, audio: bytes, duration_ms: float, *, is_late: bool = False
    ) -> Iterator[Hearing]:
        """One hearing for every 10 ms of audio."""
        samples = np.concatenate([self._rest, self._sound.read(audio)])
        whole = samples.size // WINDOW_SAMPLES * WINDOW_SAMPLES
        self._rest = samples[whole:]
        windows = samples[:whole].reshape(-1, WINDOW_SAMPLES)
        for is_loud in np.sqrt(np.mean(windows * windows, axis=1)) > LOUD:
            if is_loud:
                if self._heard_ms >= self._free_from_ms:
                    self._begin(next(self._cues, None))
                # A voice dies away: a new cue begins after silence only.
                self._free_from_ms = max(self._free_from_ms, self._heard_ms + QUIET_MS)
            self._heard_ms += 10
        yield from super().listen(audio, duration_ms, is_late=is_late)

    def _begin(self, cue: Cue | None) -> None:
        if cue is None:
            return
        start_ms = self._heard_ms
        self._free_from_ms = start_ms + cue.end_ms + QUIET_MS
        self._known += [
            replace(word, start_ms=word.start_ms + start_ms, end_ms=word.end_ms + start_ms)
            for word in cue.words
        ]
        self._learn(self._known)
