"""Voice activity by loudness alone: sooner and more exact than the words' times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stt_assemblyai.audio import SAMPLE_BYTES

if TYPE_CHECKING:
    import numpy.typing as npt

    from stt_assemblyai.audio import Tape
    from stt_assemblyai.events import SpokenWord

__all__ = ["has_voice", "is_quiet", "voice_end_ms"]

_WINDOW_MS = 10
_QUIET_SHARE = 0.15  # of the word's loudness: breath and room, but no speech
_NOISE_MS = 10_000  # this much audio shows how loud the line is without a voice
_OVER_NOISE = 3
_SHORTEST_VOICE_MS = 50
_SOFTEST_WORD = 60  # the mean absolute sample; softer is no word


def is_quiet(tape: Tape, word: SpokenWord, quiet_ms: int) -> bool:
    """Whether the newest `quiet_ms` of the tape are far softer than the word before them.

    The service pads a word's edges with silence (protocol notes, section 7.3). So only its loud
    parts count, and the quiet is measured back from the tape's end, not from the word's.
    """
    end_ms = tape.milliseconds(tape.end)
    if end_ms - quiet_ms < word.start_ms:
        return False
    spoken = _levels(tape, word.start_ms, min(word.end_ms, end_ms))
    newest = _levels(tape, end_ms - quiet_ms, end_ms)
    if not spoken.size or not newest.size:
        return False
    loudness = float(np.percentile(spoken, 90))
    return loudness >= _SOFTEST_WORD and float(newest.max()) < loudness * _QUIET_SHARE


def voice_end_ms(tape: Tape, word: SpokenWord) -> int:
    """Where a word's sound ends: the word's own end may come 0.2 to 1.3 s later."""
    levels = _levels(tape, word.start_ms, min(word.end_ms, tape.milliseconds(tape.end)))
    if not levels.size or (loudness := float(np.percentile(levels, 90))) < _SOFTEST_WORD:
        return word.end_ms
    loud = np.flatnonzero(levels >= loudness * _QUIET_SHARE)
    from_ms = max(word.start_ms, tape.milliseconds(tape.start))
    return min(word.end_ms, int(from_ms + (loud[-1] + 1) * _WINDOW_MS))


def has_voice(tape: Tape, from_ms: float) -> bool:
    """Whether anything in the tape from there on stands out from the line's noise."""
    end_ms = tape.milliseconds(tape.end)
    levels = _levels(tape, from_ms, end_ms)
    if not levels.size:
        return False
    noise = float(np.percentile(_levels(tape, min(from_ms, end_ms - _NOISE_MS), end_ms), 10))
    loud = levels >= max(_SOFTEST_WORD, noise * _OVER_NOISE)
    return int(loud.sum()) * _WINDOW_MS >= _SHORTEST_VOICE_MS


def _levels(tape: Tape, from_ms: float, until_ms: float) -> npt.NDArray[np.float64]:
    """The mean loudness of each whole window."""
    samples = np.frombuffer(tape.between(from_ms, until_ms), "<i2").astype(np.float64)
    size = tape.position(_WINDOW_MS) // SAMPLE_BYTES
    whole = samples[: len(samples) - len(samples) % size].reshape(-1, size)
    levels: npt.NDArray[np.float64] = np.abs(whole).mean(axis=1)
    return levels
