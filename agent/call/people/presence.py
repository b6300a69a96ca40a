"""Watches the room for `caller_policy`: who comes, who goes, who publishes a microphone, and whose
microphone is received."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from livekit import rtc

from agent.call.endings import HUNG_UP, Ending
from agent.call.people.caller_policy import CallerPolicy
from agent.call.people.participants import (
    AgentRole,
    candidates,
    is_operator,
    may_speak,
    our_agents,
    show,
)
from agent.call.people.subscriptions import Subscriptions
from agent.room_names import Attribute, Method
from agent.tasks import Tasks
from config.behaviour import AgentSettings

log = logging.getLogger(__name__)

# LiveKit's clients answer every RPC by themselves, even if only to say that they have no such
# method. The caller's client has this long, is asked this often, and may miss this many in a row.
RPC_SECONDS = 2.0
CHECK_SECONDS = 0.5
MISSES = 2
_ALIVE = (0, rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD)
_DEAD = (
    rtc.RpcError.ErrorCode.CONNECTION_TIMEOUT,
    rtc.RpcError.ErrorCode.RESPONSE_TIMEOUT,
    rtc.RpcError.ErrorCode.RECIPIENT_DISCONNECTED,
)


class Presence:
    """Finds the caller, and ends the call when the caller is gone for good or the room closes."""

    def __init__(
        self,
        room: rtc.Room,
        agent: AgentSettings,
        *,
        end: Callable[[Ending], None],
        on_next_caller: Callable[[str], None] = lambda _: None,
        gives_over: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`on_next_caller` is called with the identity of a participant who takes the caller's
        place in a call that goes on. `gives_over` says whether an agent whose attribute HANDS_OVER
        is this gives its call to this one."""
        self._room = room
        self._agent = agent
        self._end = end
        self._on_next_caller = on_next_caller
        self._gives_over = gives_over
        self.predecessor: str | None = None
        """The identity of the agent whose call this one takes over."""
        self.shares_room: Callable[[], bool] = lambda: False
        """Whether a call is changing hands between this agent and another one: neither leaves."""
        self.on_must_hand_over: Callable[[], None] = lambda: None
        """Called when the worker wants the call to go to another agent."""
        self._active: set[str] = set()
        self._policy: CallerPolicy | None = None
        self._is_dead = False
        self._is_second = False
        self._chosen = asyncio.Event()
        self._next_look: asyncio.TimerHandle | None = None
        self._is_shown = False
        self._subscriptions = Subscriptions(room, self._may_be_heard)
        self._tasks = Tasks()

    @property
    def caller_identity(self) -> str | None:
        """The participant whom the agent serves; None until somebody is there."""
        return self._policy.caller if self._policy else None

    @property
    def absences(self) -> int:
        """How often the caller's network has failed."""
        return self._policy.absences if self._policy else 0

    @property
    def is_caller_dead(self) -> bool:
        """Whether the caller is still listed in the room, but their client no longer answers."""
        return self._is_dead and self.caller_identity in self._room.remote_participants

    def begin(self) -> None:
        """Watch the room, which the agent has joined."""
        room, agent = self._room, self._agent
        room.on("participant_connected", self._on_came)
        room.on("track_published", self._observe)
        room.on("participant_permissions_changed", self._observe)
        room.on("participant_disconnected", self._on_left)
        room.on("participant_attributes_changed", self._on_attributes)
        room.on("reconnected", self._leave_to_another_agent)
        room.on("disconnected", self._on_disconnected)
        self._policy = CallerPolicy(
            patience_seconds=agent.caller_timeout_seconds,
            grace_seconds=agent.reconnect_grace_seconds,
            now=asyncio.get_running_loop().time(),
            goes_on=agent.hears == "everybody",
        )
        self._leave_to_another_agent()
        if not self._is_second:
            self._observe()
            self._subscriptions.begin()

    def _go_on_with(self, caller: str) -> None:
        """The predecessor answers this caller, and so will this agent."""
        if self._policy:
            self._policy.caller = caller
            self._chosen.set()

    async def caller_came(self) -> None:
        """Return once there is a caller, which may be never: also wait for the call's end."""
        await self._chosen.wait()

    async def check_caller(self) -> None:
        """Notice a dead client sooner than the server does, if somebody else could be served.

        This works only for a client that answers a first RPC; the server notices the others.
        """
        misses = 0
        if self._policy and await self._ask_caller() in _ALIVE:
            while misses < MISSES:
                await asyncio.sleep(CHECK_SECONDS)
                is_dead = self._policy.is_contested and await self._ask_caller() in _DEAD
                misses = misses + 1 if is_dead else 0
            log.info("the caller's client does not answer, and somebody else is there")
            self._is_dead = True
            self._policy.answers(is_reachable=False)
            self._observe()

    async def _ask_caller(self) -> int:
        """Call a method of the caller's client. Returns LiveKit's error code, or 0 without one."""
        try:
            await self._room.local_participant.perform_rpc(
                destination_identity=self.caller_identity or "",
                method=Method.ALIVE,
                payload="",
                response_timeout=RPC_SECONDS,
                max_round_trip_latency=RPC_SECONDS,
            )
        except rtc.RpcError as error:
            is_ours = self._room.connection_state != rtc.ConnectionState.CONN_CONNECTED
            return rtc.RpcError.ErrorCode.SEND_FAILED if is_ours else error.code
        return 0

    async def show_caller(self) -> None:
        """Show the room whom this agent serves, now and at each change, so that a transcriber
        leaves that voice to this agent."""
        self._is_shown = True
        caller = self.caller_identity or ""
        await show(self._room.local_participant, Attribute.CALLER, caller)

    def typed(self, identity: str) -> None:
        """Somebody has typed in the room's chat, and so takes part as if they had spoken."""
        if identity not in self._active:
            self._active.add(identity)
            self._observe()

    def stop_waiting(self) -> None:
        """Wait no longer for somebody who is away."""
        if self._next_look:
            self._next_look.cancel()
            self._next_look = None

    async def aclose(self) -> None:
        """Show nothing more."""
        await self._tasks.aclose()

    def _observe(self, *_: object) -> None:
        policy = self._policy
        if policy is None:
            return
        self.stop_waiting()
        loop = asyncio.get_running_loop()
        was_absent, before = policy.is_absent, policy.caller
        present = candidates(self._room, self._agent.operators, self._active, policy.caller)
        self._active.update(each.identity for each in present if each.is_active)
        next_look = policy.observe(present, loop.time())
        if policy.caller and policy.caller != before:
            log.info("serving a caller", extra={"participant": policy.caller})
            self._chosen.set()
            self._subscriptions.update()
            if before is not None:
                self._on_next_caller(policy.caller)
                self._show_next_caller()
        elif policy.is_absent != was_absent and not policy.ending:
            log.info(
                "the caller came back" if was_absent else "the caller's network failed, waiting"
            )
        if policy.ending:
            self._end(policy.ending)
        elif next_look is not None:
            self._next_look = loop.call_at(next_look, self._observe)

    def _may_be_heard(self, who: rtc.RemoteParticipant) -> bool:
        """Until there is a caller, everybody who may become one."""
        caller = self.caller_identity
        if who.identity == caller or (caller and self._agent.hears == "caller"):
            return who.identity == caller
        return may_speak(who) and not is_operator(who.identity, self._agent.operators)

    def _show_next_caller(self) -> None:
        if self._is_shown:
            self._tasks.start(self.show_caller(), name="show caller")

    def _on_came(self, participant: rtc.RemoteParticipant) -> None:
        if self._policy and participant.identity == self._policy.caller:
            self._is_dead = False
            self._policy.answers(is_reachable=True)
        self._observe()

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        if self._policy and participant.disconnect_reason in HUNG_UP:
            self._policy.hung_up(participant.identity)
        self._observe()

    def _on_attributes(self, changed: Mapping[str, str], participant: rtc.Participant) -> None:
        if not isinstance(participant, rtc.LocalParticipant):
            return
        if changed.get(Attribute.MUST_GO):
            self._end(Ending.HURRIED)
        elif changed.get(Attribute.MUST_HAND_OVER):
            self.on_must_hand_over()

    def _leave_to_another_agent(self) -> None:
        """Leave the room if another of our agents was there first.

        Two workers may have asked for an agent at once. After a restart of the server, another
        agent may be in the new room as well. One that gives its call over waits for this one.
        """
        others = our_agents(self._room, AgentRole.ANSWERS, self._agent.name)
        if self.shares_room() or not others:
            return
        shown = others[0].attributes
        caller = shown.get(Attribute.CALLER)
        is_free = len(others) == 1 and not self._chosen.is_set()
        if is_free and caller and self._gives_over(shown.get(Attribute.HANDS_OVER, "")):
            self.predecessor = others[0].identity
            self._go_on_with(caller)
            return
        self._is_second = True
        self._end(Ending.OTHER_AGENT)

    def _on_disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        # If this agent was removed as dead, another one has its place and goes on with the record.
        removed = reason == rtc.DisconnectReason.PARTICIPANT_REMOVED
        self._end(Ending.OTHER_AGENT if removed else Ending.ROOM_CLOSED)
