"""How long the agent is patient with an answer that the caller dictates."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from config.phrases import words_of

# A dictated answer has at least this many words, or a digit.
DICTATED_WORDS = 5
# How long a dictated answer may take, with the wait for it and all its turns.
DICTATION_SECONDS = 60.0


class DictatedAnswer:
    """For one call. `on_change` is called when patience begins or ends."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._asked = 0
        """How often our own code asks for patience now."""
        self._end: asyncio.TimerHandle | None = None  # of the wait for a dictated answer

    @property
    def is_awaited(self) -> bool:
        """Whether patience is wanted now."""
        return self._end is not None or self._asked > 0

    @property
    def is_asked(self) -> bool:
        """Whether our own code asks for it, and will say when that is over."""
        return self._asked > 0

    @property
    def left_seconds(self) -> float | None:
        """How long the wait for the answer still lasts; None: there is none."""
        now = asyncio.get_running_loop().time()
        return None if self._end is None else max(0.0, self._end.when() - now)

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Be patient inside this block."""
        self._asked += 1
        self._on_change()
        try:
            yield
        finally:
            self._asked -= 1
            self._on_change()

    def begin(self, seconds: float = DICTATION_SECONDS) -> None:
        """The agent has asked for a dictated answer."""
        if self._end is not None:
            self._end.cancel()
        self._end = asyncio.get_running_loop().call_later(seconds, self.end)
        self._on_change()

    def end(self) -> None:
        """It has come, or nobody waits for it any more."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
            self._on_change()

    def heard(self, text: str) -> None:
        """The caller's turn is over: it may be the answer, or only `let me see`."""
        if any(character.isdigit() for character in text) or len(words_of(text)) >= DICTATED_WORDS:
            self.end()
