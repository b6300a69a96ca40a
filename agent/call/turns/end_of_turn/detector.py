"""The probability that a caller's turn is over, by its sound alone.

LiveKit's detector comes with livekit-agents. Its licence (LiveKit Model License) allows it only
together with LiveKit Agents, and forbids training other models on its results.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import numpy.typing as npt
from livekit.agents import LanguageCode
from livekit.agents.inference.eot.languages import LOCAL_LANGUAGES
from livekit.local_inference import EOT, EOT_MAX_SAMPLES

__all__ = ["SAMPLE_RATE", "EndOfTurnDetector", "LiveKitDetector", "Samples"]

Samples = npt.NDArray[np.int16]

SAMPLE_RATE = 16_000

# A prediction keeps a core busy for tens of milliseconds. This runs one at a time in a process:
# the others wait here and do not take all cores of the machine.
_EXECUTOR = ThreadPoolExecutor(max_workers=1, thread_name_prefix="end of turn")


class EndOfTurnDetector(Protocol):
    """Judges sound: mono, 16 kHz, the caller's alone."""

    @property
    def window_seconds(self) -> float:
        """How much of the newest sound it uses."""

    def threshold(self, language: str) -> float:
        """From this probability on a turn is over. `language`: such as "en-US", or empty."""

    async def probability(self, samples: Samples) -> float:
        """The probability, from 0 to 1, that the turn is over where the sound ends.

        Raises what the model raises.
        """


class LiveKitDetector:
    """LiveKit's `turn-detector-v1-mini`, which runs in this process. Making the first one loads its
    weights (244 MB, a second or more)."""

    def __init__(self, predict: Callable[[Samples], float] | None = None) -> None:
        self._predict = predict or EOT().predict

    @property
    def window_seconds(self) -> float:
        return EOT_MAX_SAMPLES / SAMPLE_RATE

    def threshold(self, language: str) -> float:
        """LiveKit's own for each language (`LOCAL_LANGUAGES`); English if it has none."""
        code = LanguageCode(language).language if language else "en"
        return LOCAL_LANGUAGES.get(code, LOCAL_LANGUAGES["en"])

    async def probability(self, samples: Samples) -> float:
        """Takes about 0.05 s of a core, outside the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_EXECUTOR, self._predict, samples[-EOT_MAX_SAMPLES:])
