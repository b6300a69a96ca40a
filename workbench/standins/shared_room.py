"""A room without a server that several of our agents share: attributes, methods, texts, departures.

Whatever goes between two agents takes LINK_SECONDS, and may be lost when a test says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from livekit import rtc
from livekit.agents.types import ATTRIBUTE_AGENT_NAME

from workbench.standins.scripted_room import LocalParticipant, Person, ScriptedRoom

LINK_SECONDS = 0.01
AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
_CODES = rtc.RpcError.ErrorCode


class SharedRoom:
    """One room. `loses` says whether a message of this name gets lost."""

    def __init__(self) -> None:
        self.sides: dict[str, Side] = {}
        self.loses: Callable[[str], bool] = lambda _: False

    def enter(self, identity: str, **attributes: str) -> Side:
        """An agent of ours comes. In names of attributes _ stands for a dot."""
        attributes |= {"agent_role": "answers"}
        shown = {name.replace("_", ".", 1): value for name, value in attributes.items()}
        shown |= {ATTRIBUTE_AGENT_NAME: ""}
        side = Side(self, identity, shown)
        for each in self.sides.values():
            side.remote_participants[each.identity] = each.as_seen()
            each.join(side.as_seen())
        self.sides[identity] = side
        return side

    def remove(self, identity: str, reason: int = rtc.DisconnectReason.CLIENT_INITIATED) -> None:
        """An agent is gone."""
        gone = self.sides.pop(identity)
        gone.is_connected = False
        for each in self.sides.values():
            each.leave(identity, reason)


class Side(ScriptedRoom):
    """The room as one of its agents has it."""

    def __init__(self, shared: SharedRoom, identity: str, attributes: dict[str, str]) -> None:
        super().__init__()
        self.shared = shared
        self.identity = identity
        self.local: Local = Local(self)
        self.local_participant = self.local
        self.local_participant.attributes = attributes
        self._handlers: dict[str, Callable[[Any, str], None]] = {}

    def as_seen(self) -> Person:
        """This agent, for another one."""
        return Person(self.identity, AGENT, attributes=dict(self.local_participant.attributes))

    def register_text_stream_handler(self, topic: str, handler: Callable[[Any, str], None]) -> None:
        """Hand texts on this topic over."""
        self._handlers[topic] = handler

    def unregister_text_stream_handler(self, topic: str) -> None:
        """Take no more of them."""
        self._handlers.pop(topic, None)

    def receive(self, topic: str, text: str, sender: str) -> None:
        """A text arrives."""
        if handler := self._handlers.get(topic):
            handler(Text(text), sender)


class Text:
    """A text that has arrived."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.info = SimpleNamespace(stream_id=f"ST_{text}")

    async def read_all(self) -> str:
        """All of it."""
        return self._text

    async def __aiter__(self) -> AsyncIterator[str]:
        yield self._text

    def close(self) -> None:
        """It is read."""


class Local(LocalParticipant):
    """An agent's own participant."""

    def __init__(self, side: Side) -> None:
        super().__init__(side)
        self._side = side
        self._methods: dict[str, Callable[[Any], Awaitable[str]]] = {}

    def register_rpc_method(self, name: str, method: Callable[[Any], Awaitable[str]]) -> None:
        """Answer this method."""
        self._methods[name] = method

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        await super().set_attributes(attributes)
        for each in [*self._side.shared.sides.values()]:
            if each is not self._side:
                person = each.remote_participants[self._side.identity]
                person.attributes.update(attributes)
                each.emit("participant_attributes_changed", dict(attributes), person)

    async def send_text(self, text: str, *, topic: str, destination_identities: list[str]) -> None:
        """Send a text to some agents."""
        await asyncio.sleep(LINK_SECONDS)
        if self._side.shared.loses(topic):
            return
        for identity in destination_identities:
            if side := self._side.shared.sides.get(identity):
                side.receive(topic, text, self._side.identity)

    async def perform_rpc(
        self, *, destination_identity: str, response_timeout: float, **request: Any
    ) -> str:
        """Call a method of another agent; a question that is lost is not answered."""
        shared, method, payload = self._side.shared, request["method"], request["payload"]
        await asyncio.sleep(LINK_SECONDS)
        other = shared.sides.get(destination_identity)
        if other is None:
            raise rtc.RpcError(_CODES.RECIPIENT_NOT_FOUND, "")
        if shared.loses(f"{method} asked"):
            await asyncio.sleep(response_timeout)
            raise rtc.RpcError(_CODES.CONNECTION_TIMEOUT, "")
        answer = await other.local.answer(method, self._side.identity, payload)
        await asyncio.sleep(LINK_SECONDS)
        if shared.loses(f"{method} answered"):
            await asyncio.sleep(response_timeout)
            raise rtc.RpcError(_CODES.RESPONSE_TIMEOUT, "")
        return answer

    async def answer(self, method: str, caller: str, payload: str) -> str:
        """Another agent calls this method."""
        if method not in self._methods:
            raise rtc.RpcError(_CODES.UNSUPPORTED_METHOD, "")
        data = SimpleNamespace(caller_identity=caller, payload=payload)
        return await self._methods[method](data)
