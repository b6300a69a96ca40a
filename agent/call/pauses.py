"""Pauses in the agent's speech that are no longer than a reader's. Pure.

A voice puts silence before and behind each text that it is given, such as 0.3 and 0.5 s. Between
two sentences of one reply a caller takes as much for its end.
"""

import re

import numpy as np

QUIET_DBFS = -50.0
WINDOW_SECONDS = 0.01
LEAD_SECONDS = 0.05
"""Of the silence before a voice so much is kept: a soft consonant may be in it."""

CLAUSE = 0.6
"""A pause in a text without the end of a sentence, as a part of the longest."""

_SENTENCE_END = re.compile("[.!?\n\u2026\uff01\uff1f\u3002\uff61\u0964\u0965\u061f\u06d4]")


class Pauses:
    """Shortens the silences of one speech, which comes piece by piece as 16 bit samples.

    None is longer than `longest_seconds`, or a part of it in and behind a piece that is only a
    clause. The speech begins with next to none. A piece that is silent as a whole is kept as it is:
    nobody knows what it is for.
    """

    def __init__(self, sample_rate: int, num_channels: int, longest_seconds: float) -> None:
        self._window = round(sample_rate * WINDOW_SECONDS) * num_channels
        self._loud = 32768 * 10 ** (QUIET_DBFS / 20)
        self._longest_seconds = longest_seconds
        self._rest = b""
        self._kept = 0  # windows of this silence that were handed on
        self._most = 0  # of them, at most
        self._most_next = 0  # once a voice is heard
        self._held = bytearray()  # what follows them
        self._has_voice = False

    def begin_piece(self, text: str) -> None:
        """The samples of this text follow."""
        part = 1.0 if _SENTENCE_END.search(text) else CLAUSE
        most_seconds = self._longest_seconds * part - LEAD_SECONDS
        self._most_next = max(0, round(most_seconds / WINDOW_SECONDS))
        self._has_voice = False

    def push(self, samples: bytes) -> bytes:
        """What is to be heard of the samples so far, each of them once."""
        data = self._rest + samples
        size = 2 * self._window
        whole = len(data) // size * size
        self._rest = data[whole:]
        return self._shortened(data[:whole])

    def end_piece(self) -> bytes:
        """No more samples of this piece follow."""
        rest = self._shortened(self._rest) if self._rest else b""
        self._rest = b""
        kept = b"" if self._has_voice else bytes(self._held)
        self._held.clear()
        return rest + kept

    def _shortened(self, data: bytes) -> bytes:
        out = bytearray()
        size = 2 * self._window
        for start in range(0, len(data), size):
            window = data[start : start + size]
            if self._is_loud(window):
                out += self._lead() + window
            elif self._kept < self._most:
                self._kept += 1
                out += window
            else:
                self._held += window
        return bytes(out)

    def _lead(self) -> bytes:
        """A voice begins: the last of the silence before it."""
        lead = bytes(self._held[-2 * self._window * round(LEAD_SECONDS / WINDOW_SECONDS) :])
        self._held.clear()
        self._has_voice = True
        self._kept, self._most = 0, self._most_next
        return lead

    def _is_loud(self, window: bytes) -> bool:
        samples = np.frombuffer(window, np.int16).astype(np.float32)
        return bool(np.sqrt(np.mean(samples * samples)) >= self._loud)
