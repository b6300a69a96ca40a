"""Takes a call over from another of our agents, which answers the caller until then.

It decides nothing: `protocol.Successor` does. What is taken is in `Taker`.
"""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from typing import Protocol

from livekit import rtc

from agent.call.takeover import protocol
from agent.call.takeover.predecessor import REFUSED
from agent.call.takeover.protocol import VERSION, Do
from agent.call.takeover.state import CallState, from_text
from agent.room_names import Attribute, Method, Topic
from agent.tasks import Tasks

log = logging.getLogger(__name__)

RPC_SECONDS = 2.0
AGAIN_SECONDS = 0.2
"""How soon a question is asked again that was not answered."""
READ_SECONDS = 5.0


class Taker(Protocol):
    """The call, as far as it is taken."""

    async def heard(self) -> None:
        """Return when speech recognition hears the caller."""

    async def prepare(self, state: CallState) -> None:
        """Set everything by this state, and say nothing yet. May raise anything."""

    async def forget(self) -> None:
        """The state is void."""


class TakesOver:
    """For one call that a predecessor answers. `run` returns when it is decided who answers."""

    def __init__(self, room: rtc.Room, predecessor: str, taker: Taker) -> None:
        """`predecessor`: its identity."""
        self.state: CallState | None = None
        """What the predecessor has sent last, if it was read."""
        self.clock_offset = 0.0
        """What the predecessor's clock is ahead of this one, in seconds."""
        self._room = room
        self._predecessor = predecessor
        self._taker = taker
        self._core = protocol.Successor()
        self._outcome: asyncio.Future[Do] = asyncio.get_running_loop().create_future()
        self._tasks = Tasks()

    async def run(self) -> Do:
        """Take the call, and say how: from the state (`ANSWER`), in the place of an agent that died
        (`REPLACE`), or not at all (`LEAVE`)."""
        room = self._room
        room.register_text_stream_handler(Topic.CALL_STATE, self._on_state)
        room.on("participant_disconnected", self._on_left)
        room.on("participant_attributes_changed", self._on_attributes)
        self._tasks.start(self._get_ready(), name="successor's ears")
        try:
            if self._predecessor not in room.remote_participants:  # it left meanwhile
                self._do(self._core.predecessor_left(in_order=False))
            return await self._outcome
        finally:
            room.off("participant_disconnected", self._on_left)
            room.off("participant_attributes_changed", self._on_attributes)
            room.unregister_text_stream_handler(Topic.CALL_STATE)
            await self._tasks.aclose()

    async def _get_ready(self) -> None:
        await self._taker.heard()
        self._do(self._core.hears())

    def _do(self, todo: list[Do]) -> None:
        for each in todo:
            match each:
                case Do.OFFER:
                    self._tasks.start(self._offer(), name="offer to take over")
                case Do.TAKE:
                    self._tasks.start(self._take(self._core.number), name="take over")
                case Do.FORGET:
                    self.state = None
                    self._tasks.start(self._taker.forget(), name="forget call state")
                case Do.ANSWER | Do.REPLACE | Do.LEAVE if not self._outcome.done():
                    self._outcome.set_result(each)
                case _:
                    pass

    async def _offer(self) -> None:
        asked_at = time.time()
        code, answer = await self._ask(Method.MAY_TAKE_OVER, {"version": VERSION})
        if code == 0:
            self.clock_offset = _offset(_now_in(answer, asked_at), asked_at, time.time())
            self._do(self._core.accepted())
        elif code == REFUSED:
            self._do(self._core.leaves())
        else:
            await asyncio.sleep(AGAIN_SECONDS)
            self._do(self._core.unheard())

    async def _take(self, number: int) -> None:
        while self._core.number == number and not self._core.is_over:
            code, _ = await self._ask(Method.TOOK_OVER, {"number": number})
            if code == 0:
                self._do(self._core.given(number))
                return
            if code == REFUSED:
                self._do(self._core.refused(number))
                return
            await asyncio.sleep(AGAIN_SECONDS)

    async def _ask(self, method: Method, payload: Mapping[str, int]) -> tuple[int, str]:
        """Call a method of the predecessor. Returns LiveKit's error code, or 0, and the answer."""
        try:
            answer = await self._room.local_participant.perform_rpc(
                destination_identity=self._predecessor,
                method=method,
                payload=json.dumps(payload),
                response_timeout=RPC_SECONDS,
                max_round_trip_latency=RPC_SECONDS,
            )
        except rtc.RpcError as error:
            return error.code, ""
        return 0, answer

    def _on_state(self, reader: rtc.TextStreamReader, identity: str) -> None:
        if identity == self._predecessor:
            self._tasks.start(self._read(reader), name="read call state")

    async def _read(self, reader: rtc.TextStreamReader) -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                state = from_text(await reader.read_all())
            if state.number <= self._core.number:
                return
            await self._taker.prepare(state)
        except Exception:  # the application's own part may raise anything
            log.exception("the call state cannot be taken over")
            self._do(self._core.leaves())
            return
        self.state = state
        self._do(self._core.got_state(state.number))

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._predecessor:
            in_order = participant.disconnect_reason == rtc.DisconnectReason.CLIENT_INITIATED
            self._do(self._core.predecessor_left(in_order=in_order))

    def _on_attributes(self, changed: Mapping[str, str], who: rtc.Participant) -> None:
        is_theirs = who.identity == self._predecessor and Attribute.HANDS_OVER in changed
        if is_theirs and not changed[Attribute.HANDS_OVER]:
            self._do(self._core.keeps())


def _offset(said: float, asked_at: float, answered_at: float) -> float:
    """What the other clock is ahead, in seconds, that said this between the two moments of ours. 0
    where clocks that agree could have said it: an answer may be under way for seconds."""
    if asked_at <= said <= answered_at:
        return 0.0
    return said - (asked_at + answered_at) / 2


def _now_in(answer: str, otherwise: float) -> float:
    try:
        return float(json.loads(answer)["now"])
    except (ValueError, KeyError, TypeError):
        return otherwise
