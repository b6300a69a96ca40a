"""The heard recognizer: what somebody really says, by a voice detector and a speech engine.

The open turn is a row of windows. The last one is decoded again and again while somebody speaks,
and once more at each pause; earlier ones are settled for good.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from workbench.standins.assemblyai_v3.endings import end_of_turn_confidence
from workbench.standins.assemblyai_v3.hearing import Hearing, Word
from workbench.standins.assemblyai_v3.sound import Samples, SoundReader
from workbench.standins.assemblyai_v3.window import FRAME_MS, Window, as_spoken

FRAME_SAMPLES = 512
ONSET_FRAMES = 2
PREROLL_FRAMES = 10
LEAST_VOICED_MS = 160
SETTLE_SILENCE_MS = 160
LEAST_SETTLE_SILENCE_MS = 96
DECODE_EVERY_MS = 500
DECODE_SHARE = 6
"""A window is decoded again after a sixth of its length: long ones take longer."""
LONG_WINDOW_MS = 6000
LONGEST_WINDOW_MS = 11_000
CUT_FRAMES = 48
"""A window that is too long is cut at the quietest of its last frames, this many."""
FINAL_SILENCE: Samples = np.zeros(4800, np.float32)
"""Added at a pause: with 300 ms more of silence the engine puts more full stops."""
QUIETER = 0.7
"""Once somebody speaks, this share of the threshold is still speech."""


@dataclass(frozen=True, slots=True)
class Engines:
    """A transcript of up to 12 s of speech, and how likely a 32 ms frame is speech."""

    decode: Callable[[Samples], str]
    voice_probability: Callable[[Samples], float]


class HeardRecognizer:
    """With `is_immutable` words become final one by one, else none before the turn ends."""

    def __init__(self, engines: Engines, sound: SoundReader, *, is_immutable: bool) -> None:
        self._engines = engines
        self._sound = sound
        self._is_immutable = is_immutable
        self._threshold = 0.5
        self._settle_silence_ms = SETTLE_SILENCE_MS
        self._rest: Samples = np.zeros(0, np.float32)
        self._preroll: deque[Samples] = deque(maxlen=PREROLL_FRAMES)
        self._probabilities: deque[float] = deque(maxlen=CUT_FRAMES)
        self._is_late = False
        self._now_ms = 0
        self._silence_ms = 0
        self._voiced_run = 0
        self._earlier: list[Window] = []
        self._window: Window | None = None

    def listen(
        self, audio: bytes, duration_ms: float, *, is_late: bool = False
    ) -> Iterator[Hearing]:
        """One hearing for every 32 ms of audio; no new partial transcripts if it is late."""
        self._is_late = is_late
        samples = np.concatenate([self._rest, self._sound.read(audio)])
        whole = samples.size // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = samples[whole:]
        for frame in samples[:whole].reshape(-1, FRAME_SAMPLES):
            self._hear(frame)
            yield self._hearing()

    def conclude(self) -> Hearing:
        """Settles the open window at once."""
        self._settle()
        hearing = self._hearing()
        words = tuple(word.finished() for word in hearing.words)
        return replace(hearing, words=words, is_settled=True)

    def close_turn(self) -> None:
        """The next voice begins a new turn."""
        self._earlier = []
        self._drop_window()

    def adapt(self, *, vad_threshold: float, min_turn_silence_ms: int) -> None:
        """Silence is what is below the threshold; text settles before a turn may end."""
        self._threshold = vad_threshold
        wanted_ms = max(LEAST_SETTLE_SILENCE_MS, min_turn_silence_ms)
        self._settle_silence_ms = min(SETTLE_SILENCE_MS, wanted_ms)

    def _hear(self, frame: Samples) -> None:
        self._now_ms += FRAME_MS
        share = QUIETER if self._voiced_run else 1.0
        self._probabilities.append(self._engines.voice_probability(frame))
        is_voiced = self._probabilities[-1] >= self._threshold * share
        self._voiced_run = self._voiced_run + 1 if is_voiced else 0
        self._silence_ms = 0 if is_voiced else self._silence_ms + FRAME_MS
        window = self._window
        if window is None or window.is_settled:
            self._preroll.append(frame)
            if self._voiced_run >= ONSET_FRAMES:
                self._resume()
            return
        window.frames.append(frame)
        if is_voiced:
            window.voiced_at_ms.append(self._now_ms - FRAME_MS)
        self._decode_if_due(window)

    def _resume(self) -> None:
        """Somebody speaks: in a new window, or on in the one that was settled in a pause."""
        window = self._window
        if window is not None and window.length_ms >= LONG_WINDOW_MS:
            self._earlier.append(window)
            window = None
        if window is None:
            window = self._window = Window()
        window.frames.extend(self._preroll)
        window.voiced_at_ms.extend(
            self._now_ms - frames_ago * FRAME_MS for frames_ago in range(ONSET_FRAMES, 0, -1)
        )
        window.decoded_ms = window.length_ms
        window.is_settled = False
        self._preroll.clear()

    def _decode_if_due(self, window: Window) -> None:
        interval_ms = max(DECODE_EVERY_MS, window.length_ms // DECODE_SHARE)
        if self._silence_ms >= self._settle_silence_ms:
            self._settle()
        elif window.length_ms >= LONGEST_WINDOW_MS:
            self._cut(window)
        elif self._is_late or self._silence_ms > 0:
            return
        elif window.length_ms - window.decoded_ms >= interval_ms:
            window.rewrite(self._engines.decode(window.sound))

    def _settle(self) -> None:
        window = self._window
        if window is None or window.is_settled:
            return
        if window.voiced_ms < LEAST_VOICED_MS:
            self._drop_window()  # a click or a cough: engines would make a "You" of it
            return
        window.settle(self._engines.decode(np.concatenate([window.sound, FINAL_SILENCE])))
        if not window.words:
            self._drop_window()

    def _cut(self, window: Window) -> None:
        """Nobody makes a pause: go on in a new window behind the quietest place of late."""
        recent = list(self._probabilities)
        keep = len(recent) - 1 - int(np.argmin(recent))
        rest = window.frames[len(window.frames) - keep :]
        cut_ms = self._now_ms - keep * FRAME_MS
        voiced = [at_ms for at_ms in window.voiced_at_ms if at_ms >= cut_ms]
        del window.frames[len(window.frames) - keep :]
        del window.voiced_at_ms[len(window.voiced_at_ms) - len(voiced) :]
        window.settle(self._engines.decode(window.sound))
        self._earlier.append(window)
        self._window = Window(rest, voiced) if voiced else None

    def _drop_window(self) -> None:
        self._window = None
        self._voiced_run = 0
        self._preroll.clear()

    def _hearing(self) -> Hearing:
        windows = [*self._earlier, *([self._window] if self._window else [])]
        formatted = tuple(word for window in windows for word in window.words)
        probability = self._probabilities[-1] if self._probabilities else 0.0
        if not formatted:
            return Hearing(self._now_ms, voice_probability=probability)
        text = " ".join(word.text for word in formatted)
        return Hearing(
            self._now_ms,
            self._immutable(windows) if self._is_immutable else formatted,
            onset_ms=windows[0].voiced_at_ms[0],
            silence_ms=self._silence_ms,
            is_settled=self._window is None or self._window.is_settled,
            end_of_turn_confidence=end_of_turn_confidence(text, self._silence_ms),
            formatted_words=formatted,
            voice_probability=probability,
        )

    @staticmethod
    def _immutable(windows: list[Window]) -> tuple[Word, ...]:
        """Final words, and the one after them as it stands, as they are spoken."""
        words = [word for window in windows for word in window.told]
        if windows:
            words += windows[-1].unfinished
        return tuple(each for word in words for each in as_spoken(word))
