"""How long a piece of audio is, and which lengths the service takes (protocol notes, section 6)."""

from workbench.standins.assemblyai_v3.knobs import Knobs
from workbench.standins.assemblyai_v3.outputs import Fail

BYTES_PER_SAMPLE = {"pcm_s16le": 2, "pcm_mulaw": 1}


class FrameRules:
    """Judges frames one by one: too long at once, too short when a second of them has come."""

    def __init__(self, encoding: str, sample_rate_hz: int, knobs: Knobs) -> None:
        self._bytes_per_ms = BYTES_PER_SAMPLE.get(encoding, 2) * sample_rate_hz / 1000
        self._knobs = knobs
        self._short_ms = 0.0

    def duration_ms(self, frame: bytes) -> float:
        """The frame's length."""
        return len(frame) / self._bytes_per_ms

    def judge(self, duration_ms: float) -> Fail | None:
        """The end of the session, if this frame is one too many."""
        if duration_ms < self._knobs.min_frame_ms:
            self._short_ms += duration_ms
        else:
            self._short_ms = 0
        is_bad = (
            duration_ms > self._knobs.max_frame_ms
            or self._short_ms >= self._knobs.short_frames_limit_ms
        )
        return violation(duration_ms, self._knobs) if is_bad else None


def violation(duration_ms: float, knobs: Knobs) -> Fail:
    """What the service says of such a frame."""
    return Fail(
        3007,
        f"Input Duration Error: Input Duration Violation: {round(duration_ms, 2)} ms. "
        f"Expected between {knobs.min_frame_ms} and {knobs.max_frame_ms} ms",
    )
