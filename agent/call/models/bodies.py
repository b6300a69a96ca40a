"""The bodies of responses, rewritten for the plugins, and how long to wait for each piece.

The read timeout counts words or sound instead of bytes: servers may send comments and empty events
for ever.
"""

import asyncio
import base64
import binascii
import json
from abc import abstractmethod
from collections.abc import AsyncIterator

import httpx2

from agent.call.models.chat_stream import ChatStream
from agent.call.models.errors import CutError, EmptyError, EventError, described
from agent.call.models.event_stream import Events
from agent.call.models.pcm import MediaType, NotSoundError, Samples, decoded_type

DONE = "[DONE]"
# The usage comes right after the last word, or never.
AFTERWARDS_SECONDS = 1.0
# How many bytes show whether it is a file or a text.
HEAD_BYTES = 16


class Body(httpx2.AsyncByteStream):
    """A response's body, rewritten for the plugin."""

    def __init__(self, response: httpx2.Response, limit_seconds: float, deadline: float) -> None:
        """`deadline`: when the first content is due, in seconds on the event loop's clock. Each
        later piece is due `limit_seconds` after the one before."""
        self._response = response
        self._limit_seconds = limit_seconds
        self._deadline = deadline
        self._pieces = response.aiter_bytes()

    async def aclose(self) -> None:
        await self._response.aclose()

    @abstractmethod
    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def _next(self) -> bytes | None:
        """The next bytes; None at the end. Raises httpx2.ReadTimeout."""
        try:
            async with asyncio.timeout_at(self._deadline):
                return await anext(self._pieces, None)
        except TimeoutError:
            seconds = f"{self._limit_seconds:g} s"
            raise httpx2.ReadTimeout(f"{self._expected} came for {seconds}") from None

    _expected = "nothing"

    def _has_come(self) -> None:
        """Content has come: move the deadline."""
        self._deadline = asyncio.get_running_loop().time() + self._limit_seconds

    async def _events(self) -> AsyncIterator[str]:
        events = Events()
        while (piece := await self._next()) is not None:
            for data in events.push(piece):
                yield data
        for data in events.flush():
            yield data


class ChatBody(Body):
    """A stream of chat completions. It ends like a complete one, or raises."""

    _expected = "no word"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        reader = ChatStream()
        try:
            async for data in self._events():
                if data.startswith(DONE):
                    break
                chunk, has_content = reader.read(data)
                if has_content:
                    self._has_come()
                if chunk:
                    yield f"data: {json.dumps(chunk)}\n\n".encode()
                if reader.fault:
                    raise reader.fault
                if reader.has_finished:
                    self._deadline = asyncio.get_running_loop().time() + AFTERWARDS_SECONDS
        except httpx2.TransportError:
            if reader.fault or not reader.has_finished:
                raise
        reader.end()
        if reader.fault:
            raise reader.fault
        yield f"data: {DONE}\n\n".encode()


class SpeechBody(Body):
    """The sound of a speech. Await `begin` first."""

    _expected = "no sound"

    def __init__(self, response: httpx2.Response, limit_seconds: float, deadline: float) -> None:
        super().__init__(response, limit_seconds, deadline)
        self._media = MediaType.of(response.headers.get("content-type", ""))
        self._is_events = self._media.name == "text/event-stream"
        self._sound = self._sound_of_events() if self._is_events else self._all_bytes()
        self._head = b""
        self.media_type = "audio/pcm"
        """The media type to decode it as."""

    async def begin(self) -> None:
        """Wait for the first sound, which shows the format.

        Raises EmptyError, NotSoundError, EventError, or what any transport raises.
        """
        self._head = await anext(self._sound, b"")
        while len(self._head) < HEAD_BYTES and (more := await anext(self._sound, None)):
            self._head += more
        if not self._head:
            raise EmptyError("it has no sound for this text")
        media = MediaType("audio/pcm", self._media.rate, 1) if self._is_events else self._media
        try:
            self.media_type = decoded_type(media, self._head) or "audio/pcm"
        except NotSoundError:
            if described(_json(self._head)) != ("", ""):
                raise EventError(_json(self._head)) from None
            raise
        self._samples = None if self.media_type != "audio/pcm" else Samples(media)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        has_sound = False
        piece: bytes | None = self._head
        while piece is not None:
            sound = self._samples.push(piece) if self._samples else piece
            if sound:
                has_sound = True
                yield sound
            piece = await anext(self._sound, None)
        if self._samples and (sound := self._samples.flush()):
            has_sound = True
            yield sound
        if not has_sound:
            raise EmptyError("it has no sound for this text")

    async def _all_bytes(self) -> AsyncIterator[bytes]:
        while (piece := await self._next()) is not None:
            if piece:
                self._has_come()
                yield piece

    async def _sound_of_events(self) -> AsyncIterator[bytes]:
        async for data in self._events():
            if data.startswith(DONE):
                return
            event = _json(data)
            kind = event.get("type") if isinstance(event, dict) else None
            if kind == "speech.audio.done":
                return
            if isinstance(event, dict) and (event.get("error") or kind == "error"):
                raise EventError(event)
            if kind == "speech.audio.delta" and (sound := _decoded(event)):
                self._has_come()
                yield sound
        raise CutError("the speech ended without speech.audio.done")


def _json(data: str | bytes) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _decoded(event: object) -> bytes:
    assert isinstance(event, dict)
    try:
        return base64.b64decode(event.get("delta") or event.get("audio") or "")
    except (binascii.Error, ValueError, TypeError):
        raise CutError("a piece of the speech cannot be read") from None
