"""Speech that spells its own time, and a recogniser that reads it: exact words without engines.

Every sample holds the millisecond, from 1 on, at which it was spoken; 0 is silence that nobody
recorded. So the recogniser knows which words of the script a session has heard, whatever is
replayed, left out or cut in two.
"""

import bisect
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["RATE", "SpeltRecogniser", "SpeltWord", "audio", "script"]

RATE = 8000
PAUSE_MS = 700
"""A turn is over after this much silence."""
_SHORTEST_MS = 80  # of a word that is recognised
_EDGE_MS = 30


@dataclass(frozen=True)
class SpeltWord:
    """A word of the script, with its place in the stream."""

    text: str
    start_ms: int
    end_ms: int


def audio(start_ms: int, duration_ms: int) -> bytes:
    """The audio of this part of the stream, as 16 bit PCM of `RATE`; a stream has at most 65 s."""
    return np.repeat(np.arange(start_ms + 1, start_ms + duration_ms + 1), 8).astype("<u2").tobytes()


def script(draw: random.Random, length_ms: int) -> list[SpeltWord]:
    """A caller: short words, some of them twice in a row, with pauses for breath and thought."""
    words: list[SpeltWord] = []
    now, last = 300, ""
    for number in itertools.count():
        length = draw.randrange(120, 400)
        text = last if last and draw.random() < 0.15 else f"word{number}"
        words.append(SpeltWord(text, now, now + length))
        now += length + draw.choice([20, 60, 100, 300, 1200])
        last = text
        if now > length_ms - 2500:
            break
    return words


class SpeltRecogniser:
    """One session's recognition of the `words` of a script, which may change meanwhile.

    A `rewritten` model revises the words of a turn until it ends; others settle them one by one.
    Each time that it tells is off by `jitter()`, and all of them by `shift_ms`.
    """

    def __init__(
        self,
        words: Callable[[], Sequence[SpeltWord]],
        *,
        rewritten: bool = False,
        jitter: Callable[[], int] = lambda: 0,
        shift_ms: int = 0,
    ) -> None:
        self._words = words
        self._rewritten = rewritten
        self._jitter = jitter
        self._shift_ms = shift_ms
        self._spoken: list[int] = []  # by session millisecond: what was spoken then
        self._now_ms = 0  # the newest millisecond that was heard
        self._silent_ms = 0
        self._order = 0
        self._done = 0  # words of the script that belong to ended turns
        self._heard_from_ms: int | None = None
        self._last: dict[str, Any] = {}
        self.pause_ms = PAUSE_MS
        self.silence_ms = 0
        """Silence that nobody recorded, so far."""

    @property
    def session_ms(self) -> int:
        """How much audio the session was sent."""
        return len(self._spoken)

    def hear(self, pcm: bytes) -> dict[str, Any] | None:
        """The Turn message that follows, if there is something new."""
        milliseconds: list[int] = np.frombuffer(pcm, "<u2")[::8].tolist()
        if milliseconds[-1] == 0:
            self._spoken += [self._now_ms] * len(milliseconds)
            self._silent_ms += len(milliseconds)
            self.silence_ms += len(milliseconds)
        else:
            self._spoken += milliseconds
            self._now_ms, self._silent_ms = milliseconds[-1], 0
            if self._heard_from_ms is None:
                self._heard_from_ms = milliseconds[0]
                whole_from_ms = self._heard_from_ms + _EDGE_MS
                self._done = sum(word.end_ms <= whole_from_ms for word in self._words())
        return self.turn(over=False)

    def turn(self, *, over: bool) -> dict[str, Any] | None:
        """The same at a moment without audio; `over` ends the turn.

        It has all words whose sound is in; the first may be the rest of one that was cut in two.
        """
        words = self._words()[self._done :]
        heard = [word for word in words if word.start_ms + _SHORTEST_MS <= self._now_ms]
        if self._heard_from_ms is None or not heard:
            return None
        silence_ms = self._now_ms + self._silent_ms - heard[-1].end_ms
        over = over or silence_ms >= self.pause_ms
        message = self._message([self._wire(word) for word in heard], over=over)
        if over:
            self._order += 1
            self._done += len(heard)
        is_new, self._last = message != self._last, message
        return message if is_new else None

    def _wire(self, word: SpeltWord) -> dict[str, Any]:
        final = word.end_ms <= self._now_ms
        is_cut = word.start_ms < (self._heard_from_ms or 0)
        text = f"rest-of-{word.text}" if is_cut else word.text
        return {
            "text": text if final else text[: len(text) // 2],
            "start": self._session_ms(word.start_ms) + self._jitter(),
            "end": self._session_ms(min(word.end_ms, self._now_ms)) + self._jitter(),
            "confidence": 0.9,
            "word_is_final": final,
        }

    def _session_ms(self, spoken_ms: int) -> int:
        return bisect.bisect_left(self._spoken, spoken_ms) + self._shift_ms

    def _message(self, words: list[dict[str, Any]], *, over: bool) -> dict[str, Any]:
        if over:
            words = [{**word, "word_is_final": True} for word in words]
        elif self._rewritten:
            words = [{**word, "word_is_final": False} for word in words]
        said = [word["text"] for word in words if word["word_is_final"] or self._rewritten]
        return {
            "type": "Turn",
            "turn_order": self._order,
            "end_of_turn": over,
            "turn_is_formatted": self._rewritten,
            "transcript": " ".join(said),
            "words": words,
        }
