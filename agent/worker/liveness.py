"""Asks agents whether they live: a machine that is gone says no goodbye.

LiveKit's server keeps a participant whose process was killed for about 20 s and shows no sign of
it. But it passes calls of methods on, and the library of a living participant answers at once, be
it that it knows no such method: tried with server 1.13, 10 ms for the living, never for the dead.
"""

import asyncio
import logging

import aiohttp
from livekit import api
from livekit.api.twirp_client import TwirpClient
from livekit.protocol import room as rooms

from config.services import LiveKitSettings

log = logging.getLogger(__name__)

METHOD = "agent.alive"
ANSWER_SECONDS = 1.0
# A client that comes back after a short failure of the network must not be taken for dead.
CHANCES = 3
AT_ONCE = 20

_OUT_OF_REACH = "internal"  # the server has lost the connection
_NO_ANSWER = ("canceled", "deadline_exceeded", _OUT_OF_REACH)
_NO_SUCH_METHOD = "invalid_argument"  # said by the agent's library: it lives
_NOT_OFFERED = ("bad_route", "unimplemented")


class Liveness:
    """Finds out which agents are dead; one for a worker."""

    def __init__(self, livekit: LiveKitSettings, session: aiohttp.ClientSession) -> None:
        self._livekit = livekit
        self._twirp = TwirpClient(session, livekit.url, "livekit")
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._offered = True

    async def is_dead(self, room: str, identity: str) -> bool:
        """Whether this agent leaves every question unanswered.

        False where that cannot be told, as with a server too old to pass questions on.
        """
        async with self._gate:
            for _ in range(CHANCES):
                if not self._offered or await self._may_live(room, identity):
                    return False
        return True

    async def _may_live(self, room: str, identity: str) -> bool:
        question = rooms.PerformRpcRequest(
            room=room,
            destination_identity=identity,
            method=METHOD,
            response_timeout_ms=int(ANSWER_SECONDS * 1000),
        )
        try:
            await self._twirp.request(
                "RoomService", "PerformRpc", question, self._headers(room), rooms.PerformRpcResponse
            )
        except api.TwirpError as error:
            if error.code in _NOT_OFFERED:
                self._offered = False
                log.info("this LiveKit server passes no questions on: it notices dead agents late")
            if error.code == _OUT_OF_REACH:  # said at once, and true for the moment only
                await asyncio.sleep(ANSWER_SECONDS)
            return error.code not in _NO_ANSWER
        except (aiohttp.ClientError, OSError, TimeoutError):
            return True
        return True

    def _headers(self, room: str) -> dict[str, str]:
        livekit = self._livekit
        key, secret = livekit.api_key.get_secret_value(), livekit.api_secret.get_secret_value()
        grants = api.VideoGrants(room_admin=True, room=room)
        token = api.AccessToken(key, secret).with_grants(grants).to_jwt()
        return {"Authorization": f"Bearer {token}"}
