"""The scripted providers of one contestant: their delays, and what they are to say."""

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from workbench.standins.assemblyai_v3.cued import Cue, CuedRecognizer
from workbench.standins.assemblyai_v3.hearing import Recognizer
from workbench.standins.assemblyai_v3.knobs import Knobs
from workbench.standins.assemblyai_v3.parameters import Parameters
from workbench.standins.assemblyai_v3.server import AssemblyAIStandIn
from workbench.standins.assemblyai_v3.sound import SoundReader
from workbench.standins.openai_v1.faults import Pace
from workbench.standins.openai_v1.server import OpenAIStandIn
from workbench.standins.openai_v1.sound import SAMPLE_RATE_HZ, Samples

__all__ = ["Delays", "Providers"]

_REPLY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Delays:
    """What the providers take, in milliseconds; the defaults are those of the first measurement."""

    transcript_ms: int = 100
    """From a sound's arrival to the message about it."""
    jitter_ms: int = 0
    """And up to so much more, by chance."""
    twin_ms: int | None = 150
    """From an end of turn to its formatted twin; None: none comes."""
    tells_late: bool = False
    """The service's confidence is low, and its last word open, until it ends a turn."""
    first_token_ms: int = 300
    token_ms: int = 0
    first_sound_ms: int = 150

    @property
    def sum_of_parts_ms(self) -> int:
        """What no order of events can undercut without guessing: the service's 160 ms of silence,
        its delay, a thought and a sound."""
        return 160 + self.transcript_ms + self.first_token_ms + self.first_sound_ms


class _CuedStandIn(AssemblyAIStandIn):
    cues: Sequence[Cue] = ()

    def _recognizer(self, parameters: Parameters) -> Recognizer:
        return CuedRecognizer(self.cues, SoundReader(parameters.encoding, parameters.sample_rate))


class Providers:
    """`async with Providers(cues, delays) as providers:` serves one contestant."""

    def __init__(self, cues: Sequence[Cue], delays: Delays) -> None:
        self.stt = _CuedStandIn(
            knobs=Knobs(
                transcript_delay_ms=delays.transcript_ms,
                transcript_jitter_ms=delays.jitter_ms,
                format_twin_delay_ms=delays.twin_ms,
                tells_late=delays.tells_late,
            )
        )
        self.stt.cues = cues
        self.llm = OpenAIStandIn(
            pace=Pace(delays.first_token_ms, delays.token_ms, delays.first_sound_ms),
            voice=_short_reply,
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.stt)
        await self._stack.enter_async_context(self.llm)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()


def _short_reply(text: str, speed: float) -> Iterator[Samples]:
    """Half a second of a tone, whatever the text: only its beginning is measured."""
    times = np.arange(round(_REPLY_SECONDS * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    yield (0.2 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
