"""LiveKit's HTTP API with a deadline on each call, whatever the server does.

LiveKit's library passes `timeout=None` to aiohttp with each request. To aiohttp that means no
timeout at all, whatever the session says. So a middleware keeps the deadline.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from email.utils import parsedate_to_datetime

import aiohttp
from livekit import api
from livekit.api.twirp_client import TwirpClient
from livekit.protocol import room as rooms

from config.services import LiveKitSettings

DEADLINE_SECONDS = 5.0
# A connection that a NAT or a load balancer has forgotten looks alive. By the time a call on one
# has timed out, all others are older than this, and the next call opens a new one.
KEEPALIVE_SECONDS = 4.0
# The second is what aiohttp assumes when a server names none.
MESSAGE_TYPES = ("application/protobuf", "application/octet-stream")

FAILURES = (api.TwirpError, aiohttp.ClientError, TimeoutError, OSError)
"""The exceptions that a call may raise."""


def access_token(livekit: LiveKitSettings) -> api.AccessToken:
    """A token of our key that grants nothing yet. Its `with_grants` adds what it is for."""
    key, secret = livekit.api_key.get_secret_value(), livekit.api_secret.get_secret_value()
    return api.AccessToken(key, secret)


class Api:
    """The library's client, its session, and the server's clock as its answers show it."""

    def __init__(self, livekit: LiveKitSettings, called: Callable[[str], object]) -> None:
        self._livekit = livekit
        self._called = called
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=KEEPALIVE_SECONDS),
            middlewares=(self._in_time,),
        )
        key, secret = livekit.api_key.get_secret_value(), livekit.api_secret.get_secret_value()
        self.client = api.LiveKitAPI(livekit.url, key, secret, session=self.session)
        self.clock_ahead_seconds: float | None = None
        """How far this machine's clock is ahead of the server's; None if it sent no date."""
        self._twirp = TwirpClient(self.session, livekit.url, "livekit")

    async def perform_rpc(
        self, room: str, identity: str, method: str, response_seconds: float
    ) -> None:
        """Call a method of a participant with an empty payload. Raises one of `FAILURES`.

        The library's client does not offer this call of the server.
        """
        grants = api.VideoGrants(room_admin=True, room=room)
        token = access_token(self._livekit).with_grants(grants).to_jwt()
        question = rooms.PerformRpcRequest(
            room=room,
            destination_identity=identity,
            method=method,
            response_timeout_ms=int(response_seconds * 1000),
        )
        headers = {"Authorization": f"Bearer {token}"}
        await self._twirp.request(
            "RoomService", "PerformRpc", question, headers, rooms.PerformRpcResponse
        )

    async def _in_time(
        self, request: aiohttp.ClientRequest, handle: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        self._called(request.url.name)
        async with asyncio.timeout(DEADLINE_SECONDS):
            response = await handle(request)
            await response.read()  # kept in the response
        _require_message(request, response)
        with contextlib.suppress(KeyError, ValueError):
            sent_at = parsedate_to_datetime(response.headers["Date"])
            self.clock_ahead_seconds = time.time() - sent_at.timestamp()
        return response


def _require_message(request: aiohttp.ClientRequest, response: aiohttp.ClientResponse) -> None:
    """Raises ClientResponseError for a web page or a redirect. No LiveKit server sends either; the
    library would parse the page as a message and follow the redirect."""
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
async def livekit_api(
    livekit: LiveKitSettings, called: Callable[[str], object] = lambda _method: None
) -> AsyncIterator[Api]:
    """The API of this server. Calls raise one of `FAILURES` within some seconds.

    `called` gets the method of each call, such as `ListRooms`, before it is made.
    """
    connected = Api(livekit, called)
    async with connected.session:
        yield connected
