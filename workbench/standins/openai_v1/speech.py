"""`/v1/audio/speech`: what may be asked, and the sound or events that answer."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from workbench.standins.openai_v1.exchange import server_sent_event
from workbench.standins.openai_v1.sound import ENCODERS, SAMPLE_RATE_HZ, Encoder, Samples

PIECE_BYTES = 9600

Voice = Callable[[str, float], Iterator[Samples]]
"""(text, speed) -> one array of 24 kHz samples for each sentence."""


class SpeechRequest(BaseModel):
    """The body; of the formats only those that the stand-in makes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: Annotated[str, Field(min_length=1)]
    input: Annotated[str, Field(min_length=1, max_length=4096)]
    voice: Literal[
        "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx",
        "sage", "shimmer", "verse",
    ]  # fmt: skip
    speed: Annotated[float, Field(ge=0.25, le=4)] = 1.0
    response_format: Literal["mp3", "pcm", "wav"] = "mp3"
    stream_format: Literal["audio", "sse"] = "audio"

    @property
    def encoder(self) -> Encoder:
        """A new one."""
        return ENCODERS[self.response_format]()


async def sound(asked: SpeechRequest, encoder: Encoder, voice: Voice) -> AsyncIterator[bytes]:
    """A sentence is spoken when the one before it has been sent."""
    yield encoder.head()
    sentences = voice(asked.input, asked.speed)
    while (sentence := await asyncio.to_thread(next, sentences, None)) is not None:
        data = encoder.encode(sentence)
        for start in range(0, len(data), PIECE_BYTES):
            yield data[start : start + PIECE_BYTES]
    yield encoder.tail()


async def events(asked: SpeechRequest, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The sound as server-sent events, and at last what it cost, counted in words."""
    async for piece in pieces:
        if piece:
            audio = base64.b64encode(piece).decode()
            yield server_sent_event({"type": "speech.audio.delta", "audio": audio})
    words = len(asked.input.split())
    usage = {"input_tokens": words, "output_tokens": words, "total_tokens": 2 * words}
    yield server_sent_event({"type": "speech.audio.done", "usage": usage})


def tone(text: str, speed: float) -> Iterator[Samples]:
    """Stands for speech where no engine is wanted: 440 Hz, 60 ms for each character."""
    count = int(0.06 * len(text) / speed * SAMPLE_RATE_HZ)
    times = np.arange(count) / SAMPLE_RATE_HZ
    yield (0.2 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
