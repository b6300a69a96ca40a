"""A far end that hears what it is really sent.

The audio spells its own time: every sample holds the millisecond, from 1 on, at which it was
spoken, and 0 is silence that nobody recorded. So the far end knows which words of the script a
session has heard, whatever is replayed, left out or cut in two.
"""

import bisect
import itertools
import json
import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.bench.fuzz.world import World

__all__ = ["RATE", "SpeechPeer", "SpeechService", "SpokenWord", "audio", "script"]

RATE = 8000
_PAUSE_MS = 700  # a turn is over after this much silence
_LATENCY_SECONDS = 0.3


@dataclass(frozen=True)
class SpokenWord:
    """A word of the script."""

    text: str
    start_ms: int
    end_ms: int


def audio(start_ms: int, duration_ms: int) -> bytes:
    """The audio of this part of the stream; it holds at most 65 s."""
    return np.repeat(np.arange(start_ms + 1, start_ms + duration_ms + 1), 8).astype("<u2").tobytes()


def script(draw: random.Random, length_ms: int) -> list[SpokenWord]:
    """Short words, some of them twice in a row, with pauses for breath and thought."""
    words: list[SpokenWord] = []
    now, last = 300, ""
    for number in itertools.count():
        length = draw.randrange(120, 400)
        text = last if last and draw.random() < 0.15 else f"word{number}"
        words.append(SpokenWord(text, now, now + length))
        now += length + draw.choice([20, 60, 100, 300, 1200])
        last = text
        if now > length_ms - 2500:
            break
    return words


@dataclass
class SpeechService:
    """Opens a `SpeechPeer` for each connection. `rewritten` models revise words until a turn ends;
    others settle them one by one."""

    words: list[SpokenWord]
    rewritten: bool = False
    expires_seconds: float | None = None
    peers: dict[int, "SpeechPeer"] = field(default_factory=dict)

    def open(self, world: World, key: int) -> "SpeechPeer":
        """A session that begins after 0.2 s."""
        peer = self.peers[key] = SpeechPeer(world, key, self)
        expires_at = None
        if self.expires_seconds is not None:
            expires_at = int(world.now + self.expires_seconds)
            world.at(expires_at, lambda: world.drop(key, 3008, "Session Expired"))
        begin = json.dumps({"type": "Begin", "id": f"session-{key}", "expires_at": expires_at})
        world.at(world.now + 0.2, lambda: world.say(key, begin))
        return peer


class SpeechPeer:
    """One session."""

    def __init__(self, world: World, key: int, service: SpeechService) -> None:
        self._world = world
        self._key = key
        self._words = service.words
        self._rewritten = service.rewritten
        self._spoken: list[int] = []  # by session millisecond: what was spoken then
        self._now_ms = 0  # the newest millisecond that was heard
        self._silent_ms = 0
        self._order = 0
        self._done = 0  # words of the script that belong to ended turns
        self._heard_from_ms: int | None = None
        self._last = ""
        self.blocked = False
        self.heard_ms: list[int] = []

    def take(self, frame: str | bytes) -> bool:
        """Hear audio, obey messages."""
        if self.blocked:
            return False
        if isinstance(frame, bytes):
            self._hear(np.frombuffer(frame, "<u2")[::8].tolist())
        elif (kind := json.loads(frame)["type"]) in ("ForceEndpoint", "Terminate"):
            self._turn(over=True)
            if kind == "Terminate":
                self._say({"type": "Termination", "session_duration_seconds": 1})
        return True

    def _hear(self, milliseconds: list[int]) -> None:
        if milliseconds[-1] == 0:
            self._spoken += [self._now_ms] * len(milliseconds)
            self._silent_ms += len(milliseconds)
        else:
            self.heard_ms += milliseconds
            self._spoken += milliseconds
            self._now_ms, self._silent_ms = milliseconds[-1], 0
            if self._heard_from_ms is None:
                self._heard_from_ms = milliseconds[0]
                whole_from_ms = self._heard_from_ms + 30
                self._done = sum(word.end_ms <= whole_from_ms for word in self._words)
        self._turn(over=False)

    def _turn(self, *, over: bool) -> None:
        """All words whose sound is in; the first may be the rest of one that was cut in two."""
        if self._heard_from_ms is None:
            return
        heard = [word for word in self._words[self._done :] if word.start_ms + 80 <= self._now_ms]
        if not heard:
            return
        silence_ms = self._now_ms + self._silent_ms - heard[-1].end_ms
        over = over or silence_ms >= _PAUSE_MS
        self._report([self._wire(word) for word in heard], over=over)
        if over:
            self._order += 1
            self._done += len(heard)

    def _wire(self, word: SpokenWord) -> dict[str, Any]:
        final = word.end_ms <= self._now_ms
        cut = word.start_ms < (self._heard_from_ms or 0)
        text = f"rest-of-{word.text}" if cut else word.text
        return {
            "text": text if final else text[: len(text) // 2],
            "start": bisect.bisect_left(self._spoken, word.start_ms),
            "end": bisect.bisect_left(self._spoken, min(word.end_ms, self._now_ms)),
            "confidence": 0.9,
            "word_is_final": final,
        }

    def _report(self, words: list[dict[str, Any]], *, over: bool) -> None:
        if over:
            words = [{**word, "word_is_final": True} for word in words]
        elif self._rewritten:
            words = [{**word, "word_is_final": False} for word in words]
        said = [word["text"] for word in words if word["word_is_final"] or self._rewritten]
        message = {
            "type": "Turn",
            "turn_order": self._order,
            "end_of_turn": over,
            "turn_is_formatted": self._rewritten,
            "transcript": " ".join(said),
            "words": words,
        }
        if str(message) != self._last:
            self._last = str(message)
            self._say(message)

    def _say(self, message: dict[str, Any]) -> None:
        frame = json.dumps(message)
        self._world.at(
            self._world.now + _LATENCY_SECONDS, lambda: self._world.say(self._key, frame)
        )
