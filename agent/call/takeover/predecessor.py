"""Gives a call up to another of our agents, when the worker says so.

It decides nothing: `protocol.Predecessor` does. What is given is in `Giver`.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from livekit import rtc
from livekit.agents.types import ATTRIBUTE_PUBLISH_ON_BEHALF

from agent.call.people.authority import on_rpc_of_agents
from agent.call.people.participants import AgentRole, our_agents
from agent.call.takeover import protocol
from agent.call.takeover.boundary import Facts, is_boundary
from agent.call.takeover.protocol import Do, Giving
from agent.call.takeover.state import CallState, to_text
from agent.room_names import Attribute, Method, Topic
from agent.tasks import Tasks

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
"""How often to look for a boundary."""
ASK_SECONDS = 2.0
"""How often to ask LiveKit for an agent while none comes."""
ANSWER_SECONDS = 1.0
"""How long the successor may take to ask for the call when the state is on its way to it."""
SEND_SECONDS = 5.0
LEAVE_SECONDS = 0.3
"""After the call is given, so that the answer and what pages go by are on their way before this
agent leaves the room."""
ALONG_SECONDS = 0.5
"""How long the successor has listened along. A voice that began before it did is noticed here by
then; of its first word the successor has heard a part at most."""
REFUSED = 409
"""The code of an RPC's answer that says no."""


class Giver(Protocol):
    """The call, as far as it is given."""

    def why_not(self) -> str:
        """Why this call cannot be handed over at all, in a sentence; empty: it can."""

    def facts(self) -> Facts:
        """What is under way."""

    def quiet_seconds(self) -> float:
        """How long the caller's voice has been quiet."""

    def stop_hearing(self) -> None:
        """Take nothing from the caller from now on, and keep what comes."""

    def hear_on(self) -> None:
        """Go on, with what was kept."""

    def state(self, number: int) -> CallState:
        """The state of the call, of which the caller's part stands still. May raise anything."""

    def gives_over(self, successor: str) -> None:
        """The call is this agent's no more: leave."""


class GivesOver:
    """For one call. `begin` when the worker asks for it; nothing of it costs anything before."""

    def __init__(
        self,
        room: rtc.Room,
        agent_name: str,
        giver: Giver,
        ask: Callable[[], Awaitable[None]],
        seconds: float,
    ) -> None:
        """`ask` has LiveKit send another agent; `seconds` is the time for all of it."""
        self._room = room
        self._agent_name = agent_name
        self._giver = giver
        self._ask_for_agent = ask
        self._seconds = seconds
        self._core = protocol.Predecessor()
        self._loop = asyncio.get_running_loop()
        self._asked_at = float("-inf")
        self._accepted_at = float("inf")
        self._is_shown = asyncio.Event()
        self._tasks = Tasks()
        self._timers: list[asyncio.TimerHandle] = []

    @property
    def is_under_way(self) -> bool:
        """Whether another agent may come for the call."""
        return self._core.state in (Giving.ASKING, Giving.ACCEPTED, Giving.GIVING)

    def begin(self) -> None:
        """The worker stops: give the call to another one's agent. Once is enough."""
        if self._core.state is not Giving.IDLE:
            return
        if reason := self._giver.why_not():
            log.info("the call stays here until its end", extra={"reason": reason})
            return
        participant = self._room.local_participant
        on_rpc_of_agents(participant, Method.MAY_TAKE_OVER, self._on_offer, self._is_ours)
        on_rpc_of_agents(participant, Method.TOOK_OVER, self._on_take, self._is_ours)
        self._room.on("participant_disconnected", self._on_left)
        self._timers.append(self._loop.call_later(self._seconds, self._on_late))
        self._do(self._core.must_hand_over())
        self._tasks.start(self._look(), name="hand-over")

    async def aclose(self) -> None:
        """Stop; the call is over."""
        self._room.off("participant_disconnected", self._on_left)
        for timer in self._timers:
            timer.cancel()
        await self._tasks.aclose()

    async def _look(self) -> None:
        while self.is_under_way:
            for each in our_agents(self._room, AgentRole.ANSWERS, self._agent_name):
                self._do(self._core.joined(each.identity))
            if self._loop.time() >= self._asked_at + ASK_SECONDS:
                self._do(self._core.nobody_came())
            if self._core.state is Giving.ACCEPTED and self._is_boundary():
                self._do(self._core.at_boundary())
            await asyncio.sleep(LOOK_SECONDS)

    def _is_boundary(self) -> bool:
        if self._loop.time() - self._accepted_at < ALONG_SECONDS:
            return False
        return is_boundary(self._giver.facts(), self._giver.quiet_seconds())

    def _do(self, todo: list[Do]) -> None:
        for each in todo:
            match each:
                case Do.SHOW:
                    log.info("handing the call over")
                    self._tasks.start(self._show_versions(protocol.shown()), name="show hand-over")
                case Do.HIDE:
                    log.info("the call stays here until its end")
                    self._tasks.start(self._show_versions(""), name="hide hand-over")
                case Do.ASK:
                    self._asked_at = self._loop.time()
                    self._tasks.start(self._ask(), name="ask for a successor")
                case Do.SEND_STATE:
                    self._give()
                case Do.HEAR_ON:
                    log.info("the successor did not take the call: going on")
                    self._giver.hear_on()
                case Do.LEAVE:
                    self._giver.gives_over(self._core.successor or "")
                case _:  # the other side's
                    raise AssertionError(each)

    def _give(self) -> None:
        number = self._core.number
        self._giver.stop_hearing()
        try:
            text = to_text(self._giver.state(number))
        except Exception:  # the application's own part may raise anything
            log.exception("the state of the call cannot be taken")
            self._do(self._core.cannot_give())
            return
        self._timers.append(self._loop.call_later(ANSWER_SECONDS, self._on_no_answer, number))
        self._tasks.start(self._send(text, number), name="send call state")

    async def _send(self, text: str, number: int) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._room.local_participant.send_text(
                    text,
                    topic=Topic.CALL_STATE,
                    destination_identities=[self._core.successor or ""],
                )
        except Exception as error:  # LiveKit's library raises these in a closing room
            log.warning("the call state could not be sent", extra={"error": str(error)})
            self._on_no_answer(number)

    async def _show_versions(self, versions: str) -> None:
        await self._show({Attribute.HANDS_OVER: versions})
        self._is_shown.set()

    async def _show(self, attributes: dict[str, str]) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._room.local_participant.set_attributes(attributes)
        except Exception as error:  # the same; nobody will come for the call
            log.warning("could not show that the call is handed over", extra={"error": str(error)})

    async def _ask(self) -> None:
        await self._is_shown.wait()  # an agent that comes leaves unless it sees that
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._ask_for_agent()
        except Exception as error:  # LiveKit's client; it is asked again
            log.warning("could not ask for a successor", extra={"error": str(error)})

    async def _on_offer(self, payload: str, identity: str) -> str:
        try:
            version = int(json.loads(payload)["version"])
        except (ValueError, KeyError, TypeError):
            version = 0
        before = self._core.successor
        if not self._core.offers(identity, version):
            raise rtc.RpcError(REFUSED, "the call is not for you")
        if self._core.successor != before:
            self._accepted_at = self._loop.time()
        return json.dumps({"now": time.time()})

    async def _on_take(self, payload: str, identity: str) -> str:
        try:
            number = int(json.loads(payload)["number"])
        except (ValueError, KeyError, TypeError):
            number = 0
        is_given, todo = self._core.takes(identity, number)
        if not is_given:
            raise rtc.RpcError(REFUSED, "the call goes on here")
        if todo:
            self._tasks.start(self._stand_behind(identity), name="stand behind")
            self._timers.append(self._loop.call_later(LEAVE_SECONDS, self._do, todo))
        return "yes"

    async def _stand_behind(self, successor: str) -> None:
        """Have LiveKit's pages show the successor. Otherwise they would say until the end of the
        call that the agent has failed: it is not there any more (`useAgent`)."""
        await self._show({ATTRIBUTE_PUBLISH_ON_BEHALF: successor})

    def _is_ours(self, identity: str) -> bool:
        ours = our_agents(self._room, AgentRole.ANSWERS, self._agent_name)
        return identity in [each.identity for each in ours]

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        self._do(self._core.left(participant.identity))

    def _on_late(self) -> None:
        self._do(self._core.time_is_up())

    def _on_no_answer(self, number: int) -> None:
        self._do(self._core.no_answer(number))
