"""The page for webhooks of LiveKit's server: they name rooms in which something happens.

LiveKit signs each with the secret of an API key. Nothing of them is kept or logged but the room's
name, which is passed on.
"""

from collections.abc import Callable, Sequence

from aiohttp import web
from livekit import api

from agent.worker import metrics
from config.services import LiveKitSettings

PATH = "/livekit/webhook"
LONGEST_BYTES = 64 * 1024
"""LiveKit's own have some kilobytes; a room's metadata may have more."""


def webhook_page(
    livekit: LiveKitSettings, changed: Callable[[str], object]
) -> Sequence[web.RouteDef]:
    """A route for webhooks. `changed` gets the name of the room that one is about."""
    key, secret = livekit.api_key.get_secret_value(), livekit.api_secret.get_secret_value()
    receiver = api.WebhookReceiver(api.TokenVerifier(key, secret))

    async def receive(request: web.Request) -> web.Response:
        body = await _body(request)
        if body is None:
            return _answer(413, "too_large", f"at most {LONGEST_BYTES} bytes")
        try:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            event = receiver.receive(body.decode(), token)
        except Exception:  # the library has no class of its own for what is wrong
            return _answer(401, "refused", "not signed with the key and the secret of this worker")
        if event.room.name:
            changed(event.room.name)
        return _answer(200, "taken", "taken")

    return [web.post(PATH, receive)]


async def _body(request: web.Request) -> bytes | None:
    """The body; None if it is too long."""
    found = bytearray()
    async for part in request.content.iter_chunked(LONGEST_BYTES):
        found += part
        if len(found) > LONGEST_BYTES:
            return None
    return bytes(found)


def _answer(status: int, outcome: str, text: str) -> web.Response:
    metrics.WEBHOOKS.labels(outcome).inc()
    return web.Response(text=f"{text}\n", status=status)
