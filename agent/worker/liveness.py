"""Asks agents whether they are alive: a machine that has died says no goodbye.

LiveKit's server keeps a participant whose process was killed for about 20 s, and nothing shows it.
But the server forwards RPC calls, and the library of a living participant answers at once, even if
only to say that it has no such method. Tried with server 1.13: a living agent answers in 10 ms, a
dead one never.

In a cluster the server says "unavailable" of a participant who is with none of its nodes: one whose
node has died. Such an agent is on its way to another node, which takes up to 13 s, or dead as well.
"""

import asyncio
import logging

from livekit import api

from agent.room_names import Method
from agent.worker.livekit_api import FAILURES, Api

log = logging.getLogger(__name__)

RPC_SECONDS = 1.0
# A client that comes back after a short network failure must not be taken for dead.
QUESTIONS = 3
# Of an agent whose worker is silent too, less proof is needed.
QUESTIONS_IF_LOST = 2
# The server takes 3 s to say that it is nowhere.
QUESTIONS_IF_NOWHERE = 5
AT_ONCE = 40

_OUT_OF_REACH = "internal"  # the server has lost the connection
_NOWHERE = "unavailable"  # with no node of the cluster
_NO_ANSWER = ("canceled", "deadline_exceeded", _OUT_OF_REACH, _NOWHERE)
_NO_SUCH_METHOD = "invalid_argument"  # said by the agent's library: it is alive
_NOT_OFFERED = ("bad_route", "unimplemented")


class Liveness:
    """Finds out which agents are dead; one instance per worker."""

    def __init__(self, server: Api) -> None:
        self._server = server
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._offered = True

    async def is_dead(self, room: str, identity: str, questions: int = QUESTIONS) -> bool:
        """Whether this agent leaves so many questions unanswered, one after the other.

        False where that cannot be known, as with a server too old to forward questions.
        """
        async with self._gate:
            asked = 0
            while asked < questions:
                answer = await self._ask(room, identity) if self._offered else _NOT_OFFERED[0]
                if answer not in _NO_ANSWER:
                    return False
                asked += 1
                if answer == _NOWHERE and questions == QUESTIONS:
                    questions = QUESTIONS_IF_NOWHERE
        return True

    async def _ask(self, room: str, identity: str) -> str:
        """What LiveKit's server says to one question; empty if that says nothing of the agent."""
        try:
            await self._server.perform_rpc(room, identity, Method.ALIVE, RPC_SECONDS)
        except api.TwirpError as error:
            if error.code in _NOT_OFFERED:
                self._offered = False
                log.info("this LiveKit server forwards no RPC calls: dead agents are noticed late")
            if error.code == _OUT_OF_REACH:  # said at once, and perhaps true only for a moment
                await asyncio.sleep(RPC_SECONDS)
            code: str = error.code
            return code
        except FAILURES:
            return ""
        return ""
