"""The HTTP client of a provider, with a transport that adapts responses to LiveKit's plugins.

The plugins read only what OpenAI sends. The transport turns everything else into that, or into an
error that says what came instead.
"""

import asyncio
from typing import Any

import httpx2
from openai import AsyncClient, omit

from agent.call.models.bodies import Body, ChatBody, SpeechBody
from agent.call.models.connections import Connections, Network
from agent.call.models.errors import shown_error

CHAT_PATH = "/chat/completions"
SPEECH_PATH = "/audio/speech"
LIMIT_SECONDS = 10.0
LARGEST_ERROR_BYTES = 64 * 1024
# Headers that no longer hold for a rewritten body.
OF_THE_BODY = ("content-encoding", "content-length", "transfer-encoding", "content-type")


def openai_client(base_url: str, key: str, network: Network | None = None) -> AsyncClient:
    """A client that sends each request once: `providers` decides about retries.

    Making one takes 150 ms and more, for its TLS.
    """
    client = AsyncClient(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        http_client=httpx2.AsyncClient(
            transport=ModelTransport(Connections(network)), follow_redirects=False
        ),
    )
    _send_history_as_it_is(client)
    return client


def _send_history_as_it_is(client: AsyncClient) -> None:
    """Keep openai from comparing each message and tool with all types that it knows.

    It takes 0.2 ms for a message, in one piece, of a history that grows with the call: 70 ms before
    each answer after an hour. LiveKit's plugin has made them as they are sent.
    """
    completions: Any = client.chat.completions
    create = completions.create

    async def create_as_it_is(
        *, messages: Any, tools: Any = omit, extra_body: Any = None, **others: Any
    ) -> Any:
        body = {"messages": messages, "tools": tools, **(extra_body or {})}
        return await create(messages=[], extra_body=body, **others)

    completions.create = create_as_it_is


class ModelTransport(httpx2.AsyncBaseTransport):
    """Sends requests with a timeout that counts content, and adapts responses to the plugins."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # The TTS plugin allows every request 30 s to its first byte. Its connect timeout is ours.
        limit = request.extensions.get("timeout", {}).get("connect") or LIMIT_SECONDS
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), limit)
        request.headers["accept-encoding"] = "identity"
        deadline = asyncio.get_running_loop().time() + limit
        response = await self._connections.handle_async_request(request)
        try:
            if response.is_error:
                return await _readable_error(request, response, deadline)
            if request.url.path.endswith(CHAT_PATH):
                return _made_over(
                    response, ChatBody(response, limit, deadline), "text/event-stream"
                )
            if request.url.path.endswith(SPEECH_PATH):
                speech = SpeechBody(response, limit, deadline)
                await speech.begin()
                return _made_over(response, speech, speech.media_type)
        except BaseException:  # cancelled, too
            await response.aclose()
            raise
        return response

    async def aclose(self) -> None:
        await self._connections.aclose()


def _made_over(response: httpx2.Response, body: Body, content_type: str) -> httpx2.Response:
    kept = [(n, value) for n, value in response.headers.multi_items() if n not in OF_THE_BODY]
    return httpx2.Response(
        response.status_code,
        headers=[*kept, ("content-type", content_type)],
        stream=body,
        extensions=response.extensions,
    )


async def _readable_error(
    request: httpx2.Request, response: httpx2.Response, deadline: float
) -> httpx2.Response:
    """The error in OpenAI's shape, without the key, which some servers repeat."""
    body = b""
    try:
        async with asyncio.timeout_at(deadline):
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST_ERROR_BYTES:
                    break
    except (TimeoutError, httpx2.TransportError):
        pass  # the status says enough
    await response.aclose()
    if key := request.headers.get("authorization", "").removeprefix("Bearer ").encode():
        body = body.replace(key, b"***")
    shown = shown_error(body.decode("utf-8", "replace"), response.headers)
    return httpx2.Response(response.status_code, json=shown)
