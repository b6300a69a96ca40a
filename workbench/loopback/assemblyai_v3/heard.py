"""The heard recognizer: what somebody really says, by a voice detector and a speech engine.

The open turn is a row of windows. The last window is decoded again and again while somebody
speaks, and once more at each pause; earlier windows are settled for good.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from workbench.loopback.assemblyai_v3.agreement import agreed, continuation
from workbench.loopback.assemblyai_v3.endings import end_of_turn_confidence
from workbench.loopback.assemblyai_v3.hearing import Hearing, Word
from workbench.loopback.assemblyai_v3.messages import plain
from workbench.loopback.assemblyai_v3.sound import Samples, SoundReader

FRAME_SAMPLES = 512
FRAME_MS = 32
ONSET_FRAMES = 2
PREROLL_FRAMES = 10
LEAST_VOICED_MS = 160
SETTLE_SILENCE_MS = 160
DECODE_EVERY_MS = 500
LONG_WINDOW_MS = 6000
LONGEST_WINDOW_MS = 11_000
QUIETER = 0.7
"""Once somebody speaks, this share of the threshold is still speech."""


@dataclass(frozen=True, slots=True)
class Ears:
    """A transcript of up to 12 s of speech, and how likely a 32 ms frame is speech."""

    decode: Callable[[Samples], str]
    voice_probability: Callable[[Samples], float]


@dataclass(slots=True)
class _Window:
    frames: list[Samples] = field(default_factory=list)
    voiced_at_ms: list[int] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)
    told: list[Word] = field(default_factory=list)
    decoded_ms: int = 0
    is_settled: bool = False

    @property
    def length_ms(self) -> int:
        return len(self.frames) * FRAME_MS


class HeardRecognizer:
    """With `is_immutable` words become final one by one, else none before the turn ends."""

    def __init__(
        self, ears: Ears, sound: SoundReader, *, is_immutable: bool, vad_threshold: float
    ) -> None:
        self.vad_threshold = vad_threshold
        self.settle_silence_ms = SETTLE_SILENCE_MS
        self._ears = ears
        self._sound = sound
        self._is_immutable = is_immutable
        self._rest: Samples = np.zeros(0, np.float32)
        self._preroll: deque[Samples] = deque(maxlen=PREROLL_FRAMES)
        self._now_ms = 0
        self._silence_ms = 0
        self._voiced_run = 0
        self._settled: list[_Window] = []
        self._window: _Window | None = None

    def listen(self, audio: bytes, duration_ms: float) -> Iterator[Hearing]:
        """One hearing for every 32 ms of audio."""
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
        return Hearing(
            hearing.now_ms,
            words,
            hearing.onset_ms,
            hearing.silence_ms,
            True,
            hearing.end_of_turn_confidence,
            hearing.formatted_words,
        )

    def close_turn(self) -> None:
        """The next voice begins a new turn."""
        self._settled = []
        self._window = None
        self._voiced_run = 0
        self._preroll.clear()

    def _hear(self, frame: Samples) -> None:
        self._now_ms += FRAME_MS
        is_voiced = self._is_voiced(frame)
        self._voiced_run = self._voiced_run + 1 if is_voiced else 0
        self._silence_ms = 0 if is_voiced else self._silence_ms + FRAME_MS
        window = self._window
        if window is not None and not window.is_settled:
            window.frames.append(frame)
            if is_voiced:
                window.voiced_at_ms.append(self._now_ms - FRAME_MS)
            self._decode_if_due(window)
            return
        self._preroll.append(frame)
        if self._voiced_run >= ONSET_FRAMES:
            self._resume()

    def _is_voiced(self, frame: Samples) -> bool:
        share = QUIETER if self._silence_ms == 0 and self._voiced_run else 1.0
        return self._ears.voice_probability(frame) >= self.vad_threshold * share

    def _resume(self) -> None:
        """Somebody speaks: in a new window, or on in the one that was settled in a pause."""
        window = self._window
        if window is not None and window.length_ms >= LONG_WINDOW_MS:
            self._settled.append(window)
            window = None
        if window is None:
            window = self._window = _Window()
        window.frames.extend(self._preroll)
        window.is_settled = False
        window.decoded_ms = window.length_ms
        begun = self._voiced_run
        window.voiced_at_ms.extend(
            self._now_ms - (begun - index) * FRAME_MS for index in range(begun)
        )
        self._preroll.clear()

    def _decode_if_due(self, window: _Window) -> None:
        if self._silence_ms >= self.settle_silence_ms:
            self._settle()
        elif window.length_ms >= LONGEST_WINDOW_MS:
            self._settle()
            self._settled.append(window)
            self._window = None
            self._voiced_run = 0
        elif self._silence_ms == 0 and window.length_ms - window.decoded_ms >= self._interval_ms:
            self._decode(window, is_last=False)

    @property
    def _interval_ms(self) -> int:
        """Longer windows take longer: never spend more than about a third of the time on them."""
        window = self._window
        return max(DECODE_EVERY_MS, (window.length_ms if window else 0) // 6)

    def _settle(self) -> None:
        window = self._window
        if window is None or window.is_settled:
            return
        if len(window.voiced_at_ms) * FRAME_MS < LEAST_VOICED_MS:
            self._window = None  # a click or a cough: engines would make a "You" of it
            return
        self._decode(window, is_last=True)
        window.is_settled = True
        if not window.transcript:
            self._window = None

    def _decode(self, window: _Window, *, is_last: bool) -> None:
        window.decoded_ms = window.length_ms
        fresh = [
            word for word in self._ears.decode(np.concatenate(window.frames)).split() if plain(word)
        ]
        told = [word.text for word in window.told]
        start = continuation(told, fresh)
        sure = len(fresh) if is_last else agreed(window.transcript, fresh)
        window.transcript = fresh
        if self._is_immutable:
            words = timed(fresh, window.voiced_at_ms)
            window.told.extend(word.finished() for word in words[start : max(start, sure)])

    def _hearing(self) -> Hearing:
        windows = [*self._settled, *([self._window] if self._window else [])]
        formatted = tuple(
            word for window in windows for word in timed(window.transcript, window.voiced_at_ms)
        )
        if not formatted:
            return Hearing(self._now_ms)
        words = formatted
        if self._is_immutable:
            words = tuple(word for window in windows for word in self._told(window))
        text = " ".join(word.text for word in formatted)
        return Hearing(
            self._now_ms,
            words,
            onset_ms=windows[0].voiced_at_ms[0],
            silence_ms=self._silence_ms,
            is_settled=self._window is None or self._window.is_settled,
            end_of_turn_confidence=end_of_turn_confidence(text),
            formatted_words=formatted,
        )

    def _told(self, window: _Window) -> list[Word]:
        """Final words, and the one after them as it stands."""
        start = continuation([word.text for word in window.told], window.transcript)
        if window.is_settled:
            return window.told
        return window.told + timed(window.transcript, window.voiced_at_ms)[start : start + 1]


def timed(texts: list[str], voiced_at_ms: list[int]) -> list[Word]:
    """Give each word its share of the frames in which somebody spoke, by its length."""
    total = sum(len(text) for text in texts)
    words = []
    begun = 0
    for text in texts:
        first = begun * len(voiced_at_ms) // total
        begun += len(text)
        last = max(first, begun * len(voiced_at_ms) // total - 1)
        words.append(Word(text, voiced_at_ms[first], voiced_at_ms[last] + FRAME_MS))
    return words
