"""Shortens the pauses in the agent's speech to those of a human reader. Pure.

A voice puts silence before and after each text, such as 0.3 and 0.5 s. Between two sentences of one
reply, a caller takes that much for the end of the reply.
"""

import re

import numpy as np

QUIET_DBFS = -50.0
WINDOW_SECONDS = 0.01
LEAD_SECONDS = 0.05
"""How much of the silence before a voice is kept: a soft consonant may be in it."""

CLAUSE = 0.6
"""The longest pause in a text that ends no sentence, as a part of `longest_seconds`."""

_SENTENCE_END = re.compile("[.!?\n\u2026\uff01\uff1f\u3002\uff61\u0964\u0965\u061f\u06d4]")


class Pauses:
    """Shortens the silences of one speech, which comes piece by piece as 16 bit samples.

    No silence is longer than `longest_seconds`, or CLAUSE of that in and after a piece that is only
    a clause. The speech begins with LEAD_SECONDS of silence at most. A piece without any voice
    stays as it is: its silence may be intended.
    """

    def __init__(self, sample_rate: int, num_channels: int, longest_seconds: float) -> None:
        self._window = round(sample_rate * WINDOW_SECONDS) * num_channels
        self._loud = 32768 * 10 ** (QUIET_DBFS / 20)
        self._longest_seconds = longest_seconds
        self._rest = b""
        self._kept = 0  # windows of the current silence that were passed on
        self._most = 0  # how many may be
        self._most_next = 0  # how many may be after the next voice
        self._held = bytearray()  # the rest of the current silence
        self._has_voice = False

    def begin_piece(self, text: str) -> None:
        """The samples of this text follow."""
        part = 1.0 if _SENTENCE_END.search(text) else CLAUSE
        most_seconds = self._longest_seconds * part - LEAD_SECONDS
        self._most_next = max(0, round(most_seconds / WINDOW_SECONDS))
        self._has_voice = False

    def push(self, samples: bytes) -> bytes:
        """Add samples. Returns those that can be played now, each of them once."""
        data = self._rest + samples
        size = 2 * self._window
        whole = len(data) // size * size
        self._rest = data[whole:]
        return self._shortened(data[:whole])

    def end_piece(self) -> bytes:
        """The piece has ended. Returns the rest of it that is to be played."""
        rest = self._shortened(self._rest) if self._rest else b""
        self._rest = b""
        kept = b"" if self._has_voice else bytes(self._held)
        self._held.clear()
        return rest + kept

    def _shortened(self, data: bytes) -> bytes:
        out = bytearray()
        size = 2 * self._window
        for number, is_loud in enumerate(self._loud_windows(data)):
            window = data[number * size : (number + 1) * size]
            if is_loud:
                out += self._lead() + window
            elif self._kept < self._most:
                self._kept += 1
                out += window
            else:
                self._held += window
        return bytes(out)

    def _lead(self) -> bytes:
        """A voice begins. Returns the last of the silence before it."""
        lead = bytes(self._held[-2 * self._window * round(LEAD_SECONDS / WINDOW_SECONDS) :])
        self._held.clear()
        self._has_voice = True
        self._kept, self._most = 0, self._most_next
        return lead

    def _loud_windows(self, data: bytes) -> list[bool]:
        """Of each window whether it is loud. All at once: there are a hundred in a second."""
        samples = np.frombuffer(data, np.int16).astype(np.float32)
        starts = np.arange(0, samples.size, self._window)
        lengths = np.minimum(samples.size - starts, self._window)
        energies = np.add.reduceat(samples * samples, starts) if starts.size else starts
        loud: list[bool] = (energies >= lengths * self._loud**2).tolist()
        return loud
