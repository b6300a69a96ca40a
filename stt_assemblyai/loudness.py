"""Voice activity by loudness alone: where a voice ends, a service that ignores one, a calm line.

Loudness is the mean absolute sample of signed 16 bit PCM, 0 to 32768. A quiet line has less than
100.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stt_assemblyai.audio import SAMPLE_BYTES

if TYPE_CHECKING:
    import numpy.typing as npt

    from stt_assemblyai.audio import ReplayBuffer
    from stt_assemblyai.transcript import SpokenWord

__all__ = ["Calm", "StallDetector", "has_voice", "is_quiet", "voice_end_ms"]

_SOFTEST_WORD = 60  # softer is no word
_SPEECH = 400  # what surely is a voice, on any line
_WINDOW_MS = 10
_QUIET_SHARE = 0.15  # of the word's loudness: breath and room, but no speech
_NOISE_MS = 10_000  # this much audio shows how loud the line is without a voice
_OVER_NOISE = 3
_SHORTEST_VOICE_MS = 50
_LOOK_EVERY_MS = 500.0  # one chunk in this much audio is measured: it has to cost nothing
_LEAD_MS = 700.0  # speech may have begun right after the last look, and softly
_SPEECH_SHARE = 0.25  # speech is loud for a larger share of the time
_SAMPLED = 17  # of so many samples one is looked at: odd, so that no common tone hides
_CALM_BYTES = 16_000  # half a second at 16 kHz
_RISE, _FALL = 0.01, 0.3  # of the noise's level, for each piece of audio


def is_quiet(buffer: ReplayBuffer, word: SpokenWord, quiet_ms: int) -> bool:
    """Whether the newest `quiet_ms` of audio are far softer than the word before them.

    The service pads a word's edges with silence (protocol notes, section 7.3). So only its loud
    parts count, and the quiet is measured back from the newest audio, not from the word's end.
    """
    end_ms = buffer.milliseconds(buffer.end)
    if end_ms - quiet_ms < word.start_ms:
        return False
    spoken = _levels(buffer, word.start_ms, min(word.end_ms, end_ms))
    newest = _levels(buffer, end_ms - quiet_ms, end_ms)
    if not spoken.size or not newest.size:
        return False
    loudness = _voice_level(spoken)
    return loudness >= _SOFTEST_WORD and float(newest.max()) < loudness * _QUIET_SHARE


def voice_end_ms(buffer: ReplayBuffer, word: SpokenWord) -> int:
    """Where a word's sound ends: the word's own end may come 0.2 to 1.3 s later."""
    levels = _levels(buffer, word.start_ms, min(word.end_ms, buffer.milliseconds(buffer.end)))
    if not levels.size or (loudness := _voice_level(levels)) < _SOFTEST_WORD:
        return word.end_ms
    loud = np.flatnonzero(levels >= loudness * _QUIET_SHARE)
    from_ms = max(word.start_ms, buffer.milliseconds(buffer.start))
    return min(word.end_ms, int(from_ms + (loud[-1] + 1) * _WINDOW_MS))


def has_voice(buffer: ReplayBuffer, from_ms: float) -> bool:
    """Whether any audio from there on stands out from the line's noise."""
    end_ms = buffer.milliseconds(buffer.end)
    levels = _levels(buffer, from_ms, end_ms)
    if not levels.size:
        return False
    noise = _percentile(_levels(buffer, min(from_ms, end_ms - _NOISE_MS), end_ms), 0.1)
    loud = levels >= max(_SOFTEST_WORD, noise * _OVER_NOISE)
    return int(loud.sum()) * _WINDOW_MS >= _SHORTEST_VOICE_MS


class StallDetector:
    """Notices a service that gets speech and says nothing, on a live connection.

    It watches all sessions of a stream, one after the other. `stalled` is set after
    `unanswered_seconds` of ignored speech; after that it stays silent until the service says
    something again. Loudness alone counts as speech, so music on hold may pass for it.
    """

    def __init__(self, unanswered_seconds: float) -> None:
        self._limit_ms = unanswered_seconds * 1000
        self._armed = True
        self.stalled = False
        self._from_ms = float("inf")
        self._looks = self._loud_looks = 0
        self.restart()

    @property
    def unanswered_from_ms(self) -> float:
        """Where the unanswered speech begins; infinite if there is none."""
        return self._from_ms

    def restart(self) -> None:
        """Another session starts to hear the stream."""
        self._next_look_ms = float("-inf")
        self._forget()

    def answered(self) -> None:
        """The service reported words, or that there was nothing to hear."""
        self._forget()
        self._armed = True

    def sent(self, stream_ms: float, pcm: bytes) -> None:
        """A chunk of the stream has been sent; `pcm` is not empty."""
        if not self._armed or stream_ms < self._next_look_ms:
            return
        self._next_look_ms = stream_ms + _LOOK_EVERY_MS
        loud = _mean_magnitude(pcm) > _SPEECH
        if not (loud or self._looks):
            return
        self._looks += 1
        self._loud_looks += loud
        self._from_ms = min(self._from_ms, max(0.0, stream_ms - _LEAD_MS))
        if stream_ms - self._from_ms > self._limit_ms + _LEAD_MS:
            if self._loud_looks >= self._looks * _SPEECH_SHARE:
                self._armed, self.stalled = False, True
            else:
                self._forget()

    def _forget(self) -> None:
        self._from_ms = float("inf")
        self._looks = self._loud_looks = 0
        self.stalled = False


class Calm:
    """Whether a line is so quiet that its audio may wait: nobody has begun to speak on it.

    It costs two microseconds a piece. What is a little louder than the noise so far, by 6 dB, ends
    the calm at once.
    """

    def __init__(self) -> None:
        self._noise = 0.0
        self._quiet_bytes = 0

    def after(self, pcm: bytes | memoryview) -> bool:
        """Whether it is calm after this, the newest audio."""
        level = _mean_magnitude(pcm)
        is_quiet = level <= max(_SOFTEST_WORD, 2 * self._noise)
        self._noise += (level - self._noise) * (_RISE if level > self._noise else _FALL)
        self._quiet_bytes = self._quiet_bytes + len(pcm) if is_quiet else 0
        return self._quiet_bytes >= _CALM_BYTES


def _voice_level(levels: npt.NDArray[np.float64]) -> float:
    """How loud the voice in a word is: most of the word's windows are softer."""
    return _percentile(levels, 0.9)


def _percentile(levels: npt.NDArray[np.float64], share: float) -> float:
    """As numpy's own, which imports a big module at its first use: in a call's first turn."""
    ordered, place = np.sort(levels), share * (levels.size - 1)
    low = int(place)
    high = min(low + 1, levels.size - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


def _levels(buffer: ReplayBuffer, from_ms: float, until_ms: float) -> npt.NDArray[np.float64]:
    """The loudness of each whole window between two times."""
    magnitudes = _magnitudes(buffer.between(from_ms, until_ms))
    size = buffer.position(_WINDOW_MS) // SAMPLE_BYTES
    whole = magnitudes[: len(magnitudes) - len(magnitudes) % size].reshape(-1, size)
    levels: npt.NDArray[np.float64] = whole.mean(axis=1)
    return levels


def _mean_magnitude(pcm: bytes | memoryview) -> float:
    """Of some of the samples: numpy costs ten times as much for so few."""
    whole = memoryview(pcm)[: len(pcm) - len(pcm) % SAMPLE_BYTES]
    samples = whole.cast("h")[::_SAMPLED]
    return sum(map(abs, samples)) / max(1, len(samples))


def _magnitudes(pcm: bytes) -> npt.NDArray[np.float64]:
    return np.abs(np.frombuffer(pcm, "<i2").astype(np.float64))
