"""The stand-in for OpenAI: `/v1/chat/completions`, `/v1/audio/speech`, `/v1/models`."""

import asyncio
import hmac
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from workbench.standins.listening import Listener
from workbench.standins.openai_v1 import chat, speech
from workbench.standins.openai_v1.conversation import Reply
from workbench.standins.openai_v1.errors import failure, invalid_request, wrong_key
from workbench.standins.openai_v1.exchange import Exchange, RequestRecord, server_sent_event
from workbench.standins.openai_v1.faults import Fault, Pace
from workbench.standins.openai_v1.responder import reply_to

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
LARGEST_BODY_BYTES = 16 * 1024 * 1024
KEEP_ALIVE_SECONDS = 0.2


class OpenAIStandIn(Listener):
    """`async with OpenAIStandIn() as stand_in:` serves on a free port until the block ends.

    Without a `voice` speech is a tone of 60 ms for each character. Each request takes the next of
    `faults` that is meant for its endpoint.
    """

    def __init__(  # noqa: PLR0913  each has a default
        self,
        *,
        voice: speech.Voice = speech.tone,
        faults: Sequence[Fault] = (),
        pace: Pace | None = None,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        api_key: str = LOCAL_KEY,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.faults = list(faults)
        self.pace = pace or Pace()
        self.requests: list[RequestRecord] = []
        self._faults_since: dict[int, float] = {}
        self._connections: weakref.WeakSet[asyncio.BaseTransport] = weakref.WeakSet()
        self._voice = voice
        self._now = now
        self._authorization = f"Bearer {api_key}"
        application = web.Application(middlewares=[self._guard], client_max_size=LARGEST_BODY_BYTES)
        application.router.add_get("/v1/models", self._models)
        application.router.add_post("/v1/chat/completions", self._chat)
        application.router.add_post("/v1/audio/speech", self._speech)
        super().__init__(application, host, port)

    @property
    def url(self) -> str:
        """The base address for clients, with `/v1`."""
        return f"http://{self.address}/v1"

    def reset(self) -> None:
        """Forget requests and faults."""
        self.requests.clear()
        self.faults.clear()
        self._faults_since.clear()

    @web.middleware
    async def _guard(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        unknown = request.match_info.http_exception
        if unknown is not None:
            return failure(unknown.status, f"Invalid URL ({request.method} {request.path})")
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), self._authorization.encode()):
            return wrong_key()
        return await handler(request)

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
        answer: Callable[[Exchange], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return failure(400, "We could not parse the JSON body of your request.")
        record = RequestRecord(endpoint, body)
        self.requests.append(record)
        exchange = Exchange(request, body, record, None)
        exchange.fault = self._next_fault(endpoint, exchange)
        try:
            response = await self._answered(exchange, answer)
            record.status = response.status
            record.is_complete = True
            return response
        finally:
            record.closed.set()

    async def _answered(
        self, exchange: Exchange, answer: Callable[[Exchange], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        fault = exchange.fault
        if fault is not None:
            await asyncio.sleep(fault.delay_ms / 1000)
            if fault.hang:
                await asyncio.Event().wait()
            if fault.status is not None:
                return failure(fault.status, code=fault.code, headers=fault.headers)
            if fault.content_type is not None:
                head = {"Content-Type": fault.content_type}
                return web.Response(body=fault.body.encode(), headers=head)
            if fault.keep_alive:
                return await exchange.stream("text/event-stream", _comments())
            if fault.events is not None:
                return await exchange.stream("text/event-stream", _events(fault.events))
        try:
            return await answer(exchange)
        except ValidationError as invalid:
            return invalid_request(invalid)

    def _next_fault(self, endpoint: str, exchange: Exchange) -> Fault | None:
        transport = exchange.request.transport
        is_reused = transport in self._connections
        if transport is not None:
            self._connections.add(transport)
        for fault in self.faults:
            if fault.endpoint != endpoint or (fault.about or "") not in exchange.about:
                continue
            if (is_reused or not fault.on_reused_connections) and self._lasts(fault):
                return fault
        return None

    def _lasts(self, fault: Fault) -> bool:
        """Whether it goes on, counting this request."""
        index = next(index for index, each in enumerate(self.faults) if each is fault)
        if fault.for_seconds is not None:
            since = self._faults_since.setdefault(id(fault), time.monotonic())
            return time.monotonic() - since < fault.for_seconds
        if fault.times > 1:
            self.faults[index] = fault.model_copy(update={"times": fault.times - 1})
        else:
            del self.faults[index]
        return True

    async def _complete(self, exchange: Exchange) -> web.StreamResponse:
        asked = chat.ChatRequest.model_validate(exchange.body)
        fault = exchange.fault or Fault(endpoint="chat")
        reply = Reply(fault.says) if fault.says is not None else self._reply_to(asked)
        usage = chat.usage_of(asked.messages, reply)
        created = int(time.time())
        await asyncio.sleep(self.pace.first_token_ms / 1000)
        if not asked.stream:
            return web.json_response(chat.completion(reply, asked.model, created, usage))
        chunks = chat.chunks(
            reply, asked.model, created, usage if asked.wants_usage else None, fault.finish_reason
        )
        return await exchange.stream("text/event-stream", self._paced(chunks))

    def _reply_to(self, asked: chat.ChatRequest) -> Reply:
        return reply_to(asked.messages, asked.offered_tools, self._now())

    async def _paced(self, chunks: Iterator[dict[str, Any]]) -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield server_sent_event(chunk)
            await asyncio.sleep(self.pace.token_ms / 1000)
        yield b"data: [DONE]\n\n"

    async def _speak(self, exchange: Exchange) -> web.StreamResponse:
        asked = speech.SpeechRequest.model_validate(exchange.body)
        encoder = asked.encoder
        pieces = speech.sound(asked, encoder, self._voice)
        await asyncio.sleep(self.pace.first_sound_ms / 1000)
        if asked.stream_format == "sse":
            return await exchange.stream("text/event-stream", speech.events(asked, pieces))
        return await exchange.stream(encoder.content_type, pieces)


async def _comments() -> AsyncIterator[bytes]:
    while True:
        yield b": keep-alive\n\n"
        await asyncio.sleep(KEEP_ALIVE_SECONDS)


async def _events(events: Sequence[dict[str, Any]]) -> AsyncIterator[bytes]:
    for event in events:
        yield server_sent_event(event)
    yield b"data: [DONE]\n\n"
