"""LiveKit's HTTP API, each call of which ends in time, whatever the server does.

LiveKit's library hands `timeout=None` to aiohttp with each request, which there means: for ever,
whatever the session's own timeout says. So the deadline stands in a middleware.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import aiohttp
from livekit import api

from config.services import LiveKitSettings

DEADLINE_SECONDS = 5.0
# Connections that a NAT or a balancer has forgotten look alive: when a call on one has timed out,
# the others are older than this, and the next call dials anew.
KEEPALIVE_SECONDS = 4.0
# The second is what aiohttp assumes where a server names none.
MESSAGE_TYPES = ("application/protobuf", "application/octet-stream")

FAILURES = (api.TwirpError, aiohttp.ClientError, TimeoutError, OSError)
"""What a call may raise."""


class Api:
    """The library's client and its session; and what the server's answers tell of the time."""

    def __init__(self, livekit: LiveKitSettings) -> None:
        key, secret = livekit.api_key.get_secret_value(), livekit.api_secret.get_secret_value()
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=KEEPALIVE_SECONDS),
            middlewares=(self._in_time,),
        )
        self.client = api.LiveKitAPI(livekit.url, key, secret, session=self.session)
        self.clock_ahead_seconds: float | None = None
        """How far this machine's clock was ahead of the server's; None where it told no time."""

    async def _in_time(
        self, request: aiohttp.ClientRequest, handle: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        async with asyncio.timeout(DEADLINE_SECONDS):
            response = await handle(request)
            await response.read()  # kept in the response
        _require_message(request, response)
        with contextlib.suppress(KeyError, ValueError):
            told = parsedate_to_datetime(response.headers["Date"])
            self.clock_ahead_seconds = time.time() - told.timestamp()
        return response


def _require_message(request: aiohttp.ClientRequest, response: aiohttp.ClientResponse) -> None:
    """Raises ClientResponseError for a page or a redirect, which no server of LiveKit's sends: its
    library would take the one for a message, and follow the other."""
    is_message = response.status == 200 and response.content_type in MESSAGE_TYPES
    if request.method == "POST" and response.status < 400 and not is_message:
        leads_to = response.headers.get("Location", "").partition("?")[0]
        raise aiohttp.ClientResponseError(
            response.request_info,
            (),
            status=response.status,
            message=leads_to or response.content_type,
        )


@contextlib.asynccontextmanager
async def livekit_api(livekit: LiveKitSettings) -> AsyncIterator[Api]:
    """The API of this server. Calls raise one of `FAILURES` within some seconds."""
    connected = Api(livekit)
    async with connected.session:
        yield connected
