"""Whom a room's listener hears, and how many at once. Time is virtual."""

import asyncio
from typing import Any, cast

import pytest

from agent.call.voices.speaker import Speaker
from agent.call.voices.speakers import (
    MOST_SPEAKERS,
    MOST_STREAMS_A_MINUTE,
    REST_SECONDS,
    Speakers,
)
from workbench.standins.scripted_room import Person, ScriptedRoom

pytestmark = pytest.mark.looptime


class Stream:
    """A stream that somebody is heard through."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Listener:
    """A room, and the streams that were opened for it."""

    def __init__(self) -> None:
        self.room = ScriptedRoom()
        self.opened: list[Stream] = []
        self.speakers = Speakers(self._open, self.look)

    def _open(self, identity: str) -> Speaker:
        self.opened.append(Stream(identity))
        return cast("Speaker", self.opened[-1])

    def look(self) -> None:
        people: Any = self.room.remote_participants.values()
        self.speakers.hear(people)

    def come(self, identity: str) -> None:
        """With a microphone."""
        self.room.join(Person(identity))
        self.room.publish(identity)
        self.look()

    def go(self, identity: str) -> None:
        self.room.leave(identity)
        self.look()


async def test_somebody_is_heard_as_soon_as_there_is_a_microphone() -> None:
    listener = Listener()
    listener.room.join(Person("ann"))
    listener.look()
    assert listener.opened == []
    listener.room.publish("ann")
    listener.look()
    listener.look()
    assert [each.identity for each in listener.opened] == ["ann"]
    assert listener.speakers.all == listener.opened


async def test_who_leaves_is_heard_no_more_and_the_others_are() -> None:
    listener = Listener()
    for identity in ("bob", "ann"):
        listener.come(identity)
    assert listener.speakers.identities == ["ann", "bob"]
    listener.go("bob")
    assert [each.is_closed for each in listener.opened] == [True, False]
    assert listener.speakers.identities == ["ann"]
    listener.speakers.close("bob")  # nobody any more
    assert len(listener.speakers) == 1


async def test_who_rests_is_heard_again_after_a_while() -> None:
    listener = Listener()
    listener.come("ann")
    listener.speakers.rest("ann")
    listener.look()
    assert (len(listener.opened), len(listener.speakers)) == (1, 0)
    await asyncio.sleep(REST_SECONDS + 0.1)
    assert (len(listener.opened), len(listener.speakers)) == (2, 1)


async def test_who_comes_and_goes_without_limit_has_to_rest() -> None:
    listener = Listener()
    for _ in range(MOST_STREAMS_A_MINUTE + 3):
        listener.come("ann")
        listener.go("ann")
    assert len(listener.opened) == MOST_STREAMS_A_MINUTE
    await asyncio.sleep(REST_SECONDS + 0.1)
    listener.come("ann")
    assert len(listener.opened) == MOST_STREAMS_A_MINUTE + 1


async def test_a_room_has_a_limit_which_those_who_leave_make_room_in() -> None:
    listener = Listener()
    for number in range(MOST_SPEAKERS + 1):
        listener.come(f"person {number}")
    assert len(listener.speakers) == MOST_SPEAKERS
    listener.go("person 0")
    await asyncio.sleep(REST_SECONDS + 0.1)
    assert len(listener.speakers) == MOST_SPEAKERS
    assert f"person {MOST_SPEAKERS}" in listener.speakers.identities
