"""What a caller hears: every audio track of the room, on the call's clock."""

import numpy as np

from agent.caller.speech_energy import EnergyDetector, Samples, Span
from agent.caller.timeline import Timeline

# Longer than any pause of ours in taking what came in; a track has no shorter gaps of its own.
_STREAM_GAP_SECONDS = 2.0
_PAUSE_SECONDS = 0.7


class HeardTrack:
    """One audio track."""

    def __init__(self, sample_rate: int) -> None:
        self.heard = Timeline(sample_rate, gap_seconds=_STREAM_GAP_SECONDS)
        self.energy = EnergyDetector(sample_rate, pause_seconds=_PAUSE_SECONDS)

    def take(self, at_seconds: float, samples: Samples) -> None:
        """Take the sound that began at `at_seconds`, as far as we noticed."""
        self.energy.feed(self.heard.put(at_seconds, samples), samples)

    def close(self) -> None:
        """The track has gone, perhaps in mid-word."""
        self.energy.close()


class HeardTracks:
    """All tracks together."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._tracks: list[HeardTrack] = []

    def open(self) -> HeardTrack:
        """One more track."""
        self._tracks.append(HeardTrack(self._sample_rate))
        return self._tracks[-1]

    @property
    def spans(self) -> list[Span]:
        """When there was speech, in order; the last span may still be growing."""
        spans = [span for track in self._tracks for span in track.energy.spans]
        return sorted(spans, key=lambda span: span.start_seconds)

    @property
    def hear_speech(self) -> bool:
        """Whether somebody is speaking at this moment, short pauses included."""
        return any(track.energy.current for track in self._tracks)

    def between(self, start_seconds: float, end_seconds: float) -> Samples:
        """What was heard in a stretch of the call, all tracks mixed."""
        size = max(0, round((end_seconds - start_seconds) * self._sample_rate))
        mix = np.zeros(size + 1, np.int32)
        for track in self._tracks:
            piece = track.heard.between(start_seconds, end_seconds)
            mix[: piece.size] += piece
        return np.clip(mix, -32768, 32767).astype(np.int16)
