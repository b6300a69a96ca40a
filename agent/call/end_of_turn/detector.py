"""How probable it is that a caller's turn is over, by its sound alone.

LiveKit's detector comes with livekit-agents; its licence (LiveKit Model License) allows its use
together with LiveKit Agents only, and none of its results may train another model.
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

# A prediction keeps a core busy for tens of milliseconds. One at a time: what a process's calls
# ask for at the same moment waits here, and not for all the cores of the machine.
_EXECUTOR = ThreadPoolExecutor(max_workers=1, thread_name_prefix="end of turn")


class EndOfTurnDetector(Protocol):
    """An opinion on sound: mono, 16 kHz, the caller's alone."""

    @property
    def window_seconds(self) -> float:
        """How much of the newest sound it looks at."""

    def threshold(self, language: str) -> float:
        """From this probability on a turn counts as over; `language` as "en-US", or empty."""

    async def probability(self, samples: Samples) -> float:
        """How probable it is, from 0 to 1, that the turn is over where the sound ends.

        Raises what the model raises.
        """


class LiveKitDetector:
    """LiveKit's `turn-detector-v1-mini`, which runs in this process. Where its weights are not in
    memory yet, to make one loads them (244 MB, a second or more)."""

    def __init__(self, predict: Callable[[Samples], float] | None = None) -> None:
        self._predict = predict or EOT().predict

    @property
    def window_seconds(self) -> float:
        return EOT_MAX_SAMPLES / SAMPLE_RATE

    def threshold(self, language: str) -> float:
        """LiveKit's own for each language (`LOCAL_LANGUAGES`); English where it has none."""
        code = LanguageCode(language).language if language else "en"
        return LOCAL_LANGUAGES.get(code, LOCAL_LANGUAGES["en"])

    async def probability(self, samples: Samples) -> float:
        """It takes some 0.05 s of a core, beside the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_EXECUTOR, self._predict, samples[-EOT_MAX_SAMPLES:])
