"""Authority over the agent: its caller has it, and the operators in the settings do.

Only the identity counts. It comes from the token that you made, and LiveKit's server writes it on
every message; only other agents can write in somebody else's name. Participants can choose their
own name, metadata and attributes, so these decide nothing.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum, auto

from livekit import rtc

from agent.call.people.participants import is_operator

log = logging.getLogger(__name__)

# Far more than a person clicks.
MOST_A_MINUTE = 30
# The log names each refused participant once, but not every member of a crowd.
MOST_REFUSALS_LOGGED = 20

RPC_SECONDS = 10
NOT_ALLOWED, TOO_OFTEN, FAULTY = 403, 429, 400


class Role(Enum):
    """What a participant is in this call. One participant may have both roles."""

    CALLER = auto()
    OPERATOR = auto()


class Decision(Enum):
    """Whether to carry out a participant's request. The value says why not."""

    GRANTED = "granted"
    STRANGER = "you may not do this"
    TOO_OFTEN = "this is too often: wait a minute"


class Authority:
    """Judges requests from the room, for one call."""

    def __init__(
        self,
        caller: str,
        operators: Sequence[str] = (),
        *,
        others: Callable[[str], bool] = lambda _: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`caller` is an identity; `operators` are identities, or prefixes such as ops-*;
        `others` says whether an identity is heard like the caller."""
        self._caller = caller
        self._operators = operators
        self._others = others
        self._clock = clock
        self._granted: dict[str, deque[float]] = {}
        self._refused: set[str] = set()

    def roles(self, identity: str) -> frozenset[Role]:
        """The roles of this participant; a stranger has none."""
        operates = is_operator(identity, self._operators)
        calls = identity == self._caller or self._others(identity)
        found = {Role.CALLER: calls, Role.OPERATOR: operates}
        return frozenset(role for role, holds in found.items() if holds)

    def admits(self, identity: str, *allowed: Role) -> bool:
        """Whether this participant has one of these roles. Sets no limit on how often they ask."""
        if self.roles(identity).isdisjoint(allowed):
            self._note(identity, Decision.STRANGER)
            return False
        return True

    def decide(self, identity: str, *allowed: Role) -> Decision:
        """Whether to carry out this participant's request, which only these roles may make."""
        if not self.admits(identity, *allowed):
            return Decision.STRANGER
        now = self._clock()
        recent = self._granted.setdefault(identity, deque())
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if len(recent) >= MOST_A_MINUTE:
            self._note(identity, Decision.TOO_OFTEN)
            return Decision.TOO_OFTEN
        recent.append(now)
        return Decision.GRANTED

    def _note(self, identity: str, verdict: Decision) -> None:
        if identity not in self._refused and len(self._refused) < MOST_REFUSALS_LOGGED:
            self._refused.add(identity)
            log.warning(
                "refused a participant's request",
                extra={"participant": identity, "verdict": verdict.name.lower()},
            )


RpcHandler = Callable[[str], Awaitable[str]]
"""Takes the payload and returns the answer. Raises ValueError, which says what is wrong with it."""


def on_rpc(
    participant: rtc.LocalParticipant,
    name: str,
    method: RpcHandler,
    authority: Authority,
    *allowed: Role,
) -> None:
    """Answer an RPC method, to participants in these roles only. Register every method here."""
    participant.register_rpc_method(name, guarded(method, authority, *allowed))


def guarded(
    method: RpcHandler, authority: Authority, *allowed: Role
) -> Callable[[rtc.RpcInvocationData], Awaitable[str]]:
    """The guarded method. Strangers get an RpcError, and so do frequent requests."""

    async def invoke(data: rtc.RpcInvocationData) -> str:
        match authority.decide(data.caller_identity, *allowed):
            case Decision.STRANGER as decision:
                raise rtc.RpcError(NOT_ALLOWED, decision.value)
            case Decision.TOO_OFTEN as decision:
                raise rtc.RpcError(TOO_OFTEN, decision.value)
        try:
            async with asyncio.timeout(RPC_SECONDS):
                return await method(data.payload)
        except ValueError as error:
            raise rtc.RpcError(FAULTY, str(error)) from None

    return invoke


def on_rpc_of_agents(
    participant: rtc.LocalParticipant,
    name: str,
    method: Callable[[str, str], Awaitable[str]],
    is_ours: Callable[[str], bool],
) -> None:
    """Answer an RPC method, to our own agents only. `method` takes the payload and the identity."""

    async def invoke(data: rtc.RpcInvocationData) -> str:
        if not is_ours(data.caller_identity):
            raise rtc.RpcError(NOT_ALLOWED, Decision.STRANGER.value)
        return await method(data.payload, data.caller_identity)

    participant.register_rpc_method(name, invoke)
