"""What no client can do without: the same bytes out, the messages in, and nothing else.

Two that look like streams: one is only a socket, the other is only LiveKit's resampler.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Protocol
from urllib.parse import urlencode

from livekit import rtc
from livekit.agents import stt
from websockets.asyncio.client import ClientConnection, connect

__all__ = ["BareResampler", "BareSocket", "Listener"]


class Listener(Protocol):
    """What a contestant asks of a stream; LiveKit's are such."""

    def push_frame(self, frame: rtc.AudioFrame) -> None: ...
    def end_input(self) -> None: ...
    async def aclose(self) -> None: ...
    def __aiter__(self) -> AsyncIterator[stt.SpeechEvent]: ...


class BareSocket:
    """Sends each frame of 16 kHz by the sans-I/O layer of websockets, and decodes what comes; a
    message stands for a final."""

    def __init__(self, base_url: str, api_key: str, **parameters: object) -> None:
        spelled = {name: str(value).lower() for name, value in parameters.items()}
        self._address = f"{base_url}/v3/ws?{urlencode(spelled)}"
        self._headers = {"Authorization": api_key}
        self._connection: ClientConnection | None = None
        self._ended = asyncio.Event()

    def push_frame(self, frame: rtc.AudioFrame) -> None:
        if self._connection is not None:
            self._connection.protocol.send_binary(bytes(frame.data))
            self._connection.send_data()

    def end_input(self) -> None:
        self._ended.set()

    async def aclose(self) -> None:
        self._ended.set()

    async def __aiter__(self) -> AsyncIterator[stt.SpeechEvent]:
        async with connect(
            self._address, additional_headers=self._headers, compression=None, ping_interval=None
        ) as connection:
            self._connection = connection
            ending = asyncio.create_task(self._close_at_the_end(connection))
            async for message in connection:
                if json.loads(message).get("type"):
                    yield stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT)
            ending.cancel()

    async def _close_at_the_end(self, connection: ClientConnection) -> None:
        await self._ended.wait()
        self._connection = None
        await connection.send('{"type": "Terminate"}')


class BareResampler:
    """Resamples as LiveKit does before any stream, and throws the outcome away."""

    def __init__(self, input_rate: int, needed_rate: int) -> None:
        high = rtc.AudioResamplerQuality.HIGH
        self._resampler = rtc.AudioResampler(input_rate, needed_rate, quality=high)
        self._ended = asyncio.Event()

    def push_frame(self, frame: rtc.AudioFrame) -> None:
        self._resampler.push(frame)

    def end_input(self) -> None:
        self._ended.set()

    async def aclose(self) -> None:
        self._ended.set()

    async def __aiter__(self) -> AsyncIterator[stt.SpeechEvent]:
        await self._ended.wait()
        yield stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT)
