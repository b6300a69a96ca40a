"""Whether a flush without an open turn will be followed by words. Time is an argument, in seconds.

NOTHING --a flush--> SENDING --all is sent, no voice in it--> NOTHING
SENDING --all is sent, a voice in it--> LISTENING --a second--> NOTHING
SENDING --words come--> NOTHING
LISTENING --words come--> NOTHING
LISTENING --a flush--> SENDING
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stt_assemblyai.loudness import has_voice
from stt_assemblyai.service import RECOGNITION_MS

if TYPE_CHECKING:
    from stt_assemblyai.audio import ReplayBuffer

__all__ = ["Flush"]

_LOOK_SECONDS = 0.1
_WORDS_SECONDS = 1.0  # words that a flush asked for appear within this (section 11: 0.27 s)


class Flush:
    """One stream's newest flush. Call `give_up` at `look_at`."""

    def __init__(self, replay: ReplayBuffer) -> None:
        self._replay = replay
        self._until_ms = 0.0
        self._waits_for_words = False
        self.look_at = math.inf

    def ask(self, now: float) -> None:
        """The caller flushed after the audio that is here by now."""
        self._until_ms = self._replay.milliseconds(self._replay.end)
        self._waits_for_words, self.look_at = False, now

    def cancel(self) -> bool:
        """Words have come, or none can come any more. Returns whether they were awaited."""
        was_awaited, self.look_at = self.look_at < math.inf, math.inf
        return was_awaited

    def give_up(self, sent_until_ms: float, said_until_ms: float, now: float) -> bool:
        """Whether it is sure now that no words follow: said at most once, for the newest flush.

        All audio has been sent until `sent_until_ms`, and ended turns reach until `said_until_ms`.
        """
        if now < self.look_at:
            return False
        if not self._waits_for_words:
            chunk_ms = self._replay.milliseconds(self._replay.chunk_bytes)
            if self._until_ms - sent_until_ms >= chunk_ms:
                self.look_at = now + _LOOK_SECONDS
                return False
            from_ms = max(0.0, self._until_ms - RECOGNITION_MS, said_until_ms)
            if has_voice(self._replay, from_ms):
                self._waits_for_words, self.look_at = True, now + _WORDS_SECONDS
                return False
        self.cancel()
        return True
