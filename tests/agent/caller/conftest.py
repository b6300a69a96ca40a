"""A room without a server, for callers. Time is virtual where nothing is spoken."""

from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
from livekit import rtc

from agent.caller.caller import Caller
from workbench.standins.scripted_room import LocalParticipant, Person, ScriptedRoom

AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


class Typist(LocalParticipant):
    """The caller's own side, which can type."""

    def __init__(self, room: "CalledRoom") -> None:
        super().__init__(room)
        self._typed = room.typed

    async def send_text(self, text: str, *, topic: str) -> None:
        self._typed.append(text)


class CalledRoom(ScriptedRoom):
    """A scripted room that can be joined, written into and left."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers: dict[str, Callable[..., None]] = {}
        self.typed: list[str] = []
        self.local_participant = Typist(self)

    async def connect(self, _url: str, _token: str) -> None:
        self.is_connected = True

    async def disconnect(self) -> None:
        self.is_connected = False

    def register_text_stream_handler(self, topic: str, handler: Callable[..., None]) -> None:
        self.handlers[topic] = handler

    def comes(self, identity: str, **attributes: str) -> None:
        """An agent, with what it shows of itself; `ending` is `agent.ending`."""
        self.join(Person(identity, AGENT, attributes=spelt(attributes)))

    def shows(self, identity: str, **attributes: str) -> None:
        self.show(identity, **spelt(attributes))


def spelt(attributes: dict[str, str]) -> dict[str, str]:
    own = {"state": "lk.agent.state"}
    return {own.get(name, f"agent.{name}"): value for name, value in attributes.items()}


@pytest.fixture
def room() -> CalledRoom:
    return CalledRoom()


@pytest.fixture
async def caller(room: CalledRoom) -> AsyncIterator[Caller]:
    """Ann, who has joined without a microphone."""
    joined = Caller(cast("rtc.Room", cast("Any", room)), "room", "ann")
    await joined.connect("ws://nowhere", "token", None)
    yield joined
    await joined.hang_up()
