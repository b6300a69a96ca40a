"""Stall detection: notice a service that gets speech and says nothing, on a live connection.

Loudness alone counts as speech, so music on hold may pass for it. After one warning the next comes
only when the service has said something again.
"""

from __future__ import annotations

__all__ = ["Progress"]

_LOOK_EVERY_MS = 500.0  # one chunk in this much audio is measured: it has to cost nothing
_LEAD_MS = 700.0  # speech may have begun right after the last look, and softly
_ONE_SAMPLE_IN = 8
_LOUD = 400  # the mean absolute sample; a quiet line has less than 100
_SPEECH_SHARE = 0.25  # speech is loud for a larger share of the time


class Progress:
    """Watches all sessions of a stream. `stalled` after `unanswered_seconds` of ignored speech."""

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
        """A chunk of the stream has been sent."""
        if not self._armed or stream_ms < self._next_look_ms:
            return
        self._next_look_ms = stream_ms + _LOOK_EVERY_MS
        loud = _is_loud(pcm)
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


def _is_loud(pcm: bytes) -> bool:
    """Judge by some of the samples, in plain Python: faster than an array of so few."""
    samples = memoryview(pcm).cast("h")[::_ONE_SAMPLE_IN]
    return sum(map(abs, samples)) > _LOUD * len(samples)
