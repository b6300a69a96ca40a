"""The stand-in for OpenAI: `/v1/chat/completions`, `/v1/audio/speech`, `/v1/models`."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from aiohttp import web

from workbench.loopback.listening import Listener
from workbench.loopback.openai_v1 import chat
from workbench.loopback.openai_v1.errors import failure, wrong_key
from workbench.loopback.openai_v1.faults import Fault, Pace
from workbench.loopback.openai_v1.responder import reply_to
from workbench.loopback.openai_v1.sound import ENCODERS

LOCAL_KEY = "local-openai-key"
MODELS = (
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4o-mini-tts",
    "tts-1",
    "tts-1-hd",
)
VOICES = frozenset(
    [
        "alloy",
        "ash",
        "ballad",
        "cedar",
        "coral",
        "echo",
        "fable",
        "marin",
        "nova",
        "onyx",
        "sage",
        "shimmer",
        "verse",
    ]
)
LONGEST_INPUT = 4096
SPEECH_PIECE_BYTES = 9600
Samples = npt.NDArray[np.float32]
Voice = Callable[[str, float], Iterator[Samples]]
"""(text, speed) -> one array of 24 kHz samples for each sentence."""


@dataclass(slots=True)
class RequestRecord:
    """A request, for tests to look at. Never a key."""

    endpoint: str
    body: dict[str, Any]
    status: int | None = None
    bytes_sent: int = 0
    is_complete: bool = False
    """False as long as it runs, and for ever if the client went away before the end."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def as_json(self) -> dict[str, Any]:
        """For the control address."""
        return {
            "endpoint": self.endpoint,
            "body": self.body,
            "status": self.status,
            "bytes_sent": self.bytes_sent,
            "is_complete": self.is_complete,
            "is_closed": self.closed.is_set(),
        }


class OpenAIStandIn:
    """`async with OpenAIStandIn() as stand_in:` serves on a free port until the block ends.

    Without a `voice` speech is a tone of 60 ms for each letter. `faults` is a queue.
    """

    def __init__(
        self,
        *,
        voice: Voice | None = None,
        faults: Sequence[Fault] = (),
        pace: Pace | None = None,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        api_key: str = LOCAL_KEY,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.voice = voice or tone
        self.faults = list(faults)
        self.pace = pace or Pace()
        self.api_key = api_key
        self.requests: list[RequestRecord] = []
        self._now = now
        application = web.Application(middlewares=[self._guard])
        application.router.add_get("/v1/models", self._models)
        application.router.add_post("/v1/chat/completions", self._chat)
        application.router.add_post("/v1/audio/speech", self._speech)
        self._listener = Listener(application, host, port)

    async def __aenter__(self) -> Self:
        await self._listener.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._listener.stop()

    @property
    def url(self) -> str:
        """The base address for clients, with `/v1`."""
        return f"http://{self._listener.address}/v1"

    def reset(self) -> None:
        """Forget requests and faults."""
        self.requests.clear()
        self.faults.clear()

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Any]
    ) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            text = f"Invalid URL ({request.method} {request.path})"
            return failure(request.match_info.http_exception.status, text)
        if request.headers.get("Authorization") != f"Bearer {self.api_key}":
            return wrong_key()
        response: web.StreamResponse = await handler(request)
        return response

    async def _models(self, request: web.Request) -> web.Response:
        data = [
            {"id": name, "object": "model", "created": 0, "owned_by": "openai"} for name in MODELS
        ]
        return web.json_response({"object": "list", "data": data})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._recorded(request, "chat", self._complete)

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        return await self._recorded(request, "speech", self._speak)

    async def _recorded(
        self,
        request: web.Request,
        endpoint: str,
        answer: Callable[["_Exchange"], Any],
    ) -> web.StreamResponse:
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return failure(400, "We could not parse the JSON body of your request.")
        record = RequestRecord(endpoint, body)
        self.requests.append(record)
        exchange = _Exchange(request, body, record, self._next_fault(endpoint))
        try:
            if exchange.fault is not None and exchange.fault.hang:
                await asyncio.Event().wait()
            if exchange.fault is not None and exchange.fault.status is not None:
                response: web.StreamResponse = failure(exchange.fault.status)
            else:
                response = await answer(exchange)
            record.status = response.status
            record.is_complete = True
            return response
        finally:
            record.closed.set()

    def _next_fault(self, endpoint: str) -> Fault | None:
        for index, fault in enumerate(self.faults):
            if fault.endpoint == endpoint:
                if fault.times <= 1:
                    del self.faults[index]
                else:
                    self.faults[index] = fault.model_copy(update={"times": fault.times - 1})
                return fault
        return None

    async def _complete(self, exchange: "_Exchange") -> web.StreamResponse:
        body = exchange.body
        for name in ("model", "messages"):
            if not body.get(name):
                text = f"Missing required parameter: '{name}'."
                return failure(400, text, code="missing_required_parameter", param=name)
        tools = body.get("tools") or []
        if body.get("tool_choice") == "none":
            tools = []
        reply = reply_to(body["messages"], tools, self._now())
        usage = chat.usage_of(body["messages"], reply)
        await asyncio.sleep(self.pace.first_token_ms / 1000)
        if not body.get("stream"):
            return web.json_response(chat.completion(reply, body["model"], int(time.time()), usage))
        wants_usage = (body.get("stream_options") or {}).get("include_usage")
        pieces = chat.chunks(reply, body["model"], int(time.time()), usage if wants_usage else None)

        async def events() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield sse(piece)
                await asyncio.sleep(self.pace.token_ms / 1000)
            yield b"data: [DONE]\n\n"

        return await exchange.stream("text/event-stream", events())

    async def _speak(self, exchange: "_Exchange") -> web.StreamResponse:
        body = exchange.body
        problem = _speech_problem(body)
        if problem is not None:
            return problem
        text = str(body["input"])
        speed = float(body.get("speed") or 1.0)
        encoder = ENCODERS[body.get("response_format") or "mp3"]()
        await asyncio.sleep(self.pace.first_sound_ms / 1000)

        async def sound() -> AsyncIterator[bytes]:
            yield encoder.head()
            sentences = self.voice(text, speed)
            while (sentence := await asyncio.to_thread(next, sentences, None)) is not None:
                data = encoder.encode(sentence)
                for start in range(0, len(data), SPEECH_PIECE_BYTES):
                    yield data[start : start + SPEECH_PIECE_BYTES]
            yield encoder.tail()

        async def events() -> AsyncIterator[bytes]:
            async for data in sound():
                if data:
                    delta = base64.b64encode(data).decode()
                    yield sse({"type": "speech.audio.delta", "audio": delta})
            words = len(text.split())
            usage = {"input_tokens": words, "output_tokens": words, "total_tokens": 2 * words}
            yield sse({"type": "speech.audio.done", "usage": usage})

        if body.get("stream_format") == "sse":
            return await exchange.stream("text/event-stream", events())
        return await exchange.stream(encoder.content_type, sound())


@dataclass(slots=True)
class _Exchange:
    request: web.Request
    body: dict[str, Any]
    record: RequestRecord
    fault: Fault | None

    async def stream(self, content_type: str, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
        """Sends the pieces as they come, or fewer of them."""
        limit = self.fault.break_after_chunks if self.fault else None
        response = web.StreamResponse(headers={"Content-Type": content_type})
        response.enable_chunked_encoding()
        await response.prepare(self.request)
        count = 0
        async for piece in pieces:
            if limit is not None and count >= limit:
                if self.request.transport is not None:
                    self.request.transport.abort()
                raise ConnectionResetError("broken off by a fault")
            if piece:
                await response.write(piece)
                self.record.bytes_sent += len(piece)
                count += 1
        await response.write_eof()
        return response


def _speech_problem(body: dict[str, Any]) -> web.Response | None:
    for name in ("model", "input", "voice"):
        if not body.get(name):
            text = f"Missing required parameter: '{name}'."
            return failure(400, text, code="missing_required_parameter", param=name)
    if body["voice"] not in VOICES:
        return failure(
            400, f"Invalid value for 'voice'. Supported: {sorted(VOICES)}.", param="voice"
        )
    if (body.get("response_format") or "mp3") not in ENCODERS:
        text = f"The stand-in makes {', '.join(ENCODERS)} only."
        return failure(400, text, param="response_format")
    if len(str(body["input"])) > LONGEST_INPUT:
        return failure(400, f"Input is longer than {LONGEST_INPUT} characters.", param="input")
    return None


def sse(event: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(event)}\n\n".encode()


def tone(text: str, speed: float) -> Iterator[Samples]:
    """Stands for speech where no engine is wanted: 440 Hz, 60 ms for each character."""
    seconds = 0.06 * len(text) / speed
    times = np.arange(int(seconds * 24_000)) / 24_000
    yield (0.2 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
