"""Who in a room becomes the caller, and what of a room ends a call. Time is virtual."""

import asyncio
import logging
from typing import Literal

import pytest
from livekit import rtc

from agent.call.endings import Ending
from agent.call.people.caller_policy import RETURN_SECONDS
from agent.call.people.participants import AgentRole
from agent.call.people.presence import Presence
from agent.room_names import Attribute
from config.behaviour import AgentSettings
from workbench.standins.scripted_room import Permission, Person, ScriptedRoom

pytestmark = pytest.mark.looptime

Kind, Reason, Source = rtc.ParticipantKind, rtc.DisconnectReason, rtc.TrackSource
GRACE_SECONDS = 15
SETTINGS = AgentSettings(operators=("ops-*",), reconnect_grace_seconds=GRACE_SECONDS)


class Call:
    """A call in a scripted room, as far as its presence goes."""

    def __init__(self, *people: Person) -> None:
        self.room = ScriptedRoom()
        for each in people:
            self.room.join(each)
        self.ending: Ending | None = None
        self.presence = Presence(self.room.as_livekit, SETTINGS, end=self._end)
        self.presence.begin()

    def _end(self, ending: Ending) -> None:
        self.ending = self.ending or ending

    @property
    def caller(self) -> str | None:
        return self.presence.caller_identity


def observer() -> Person:
    return Person("observer", permissions=Permission(can_publish=False))


def agent(identity: str, **attributes: str) -> Person:
    shown = {name.replace("_", "."): value for name, value in attributes.items()}
    return Person(identity, Kind.PARTICIPANT_KIND_AGENT, attributes=shown)


NOBODY = {
    "a listener": observer,
    "one who may show a camera only": lambda: Person(
        "viewer", permissions=Permission(can_publish_sources=[Source.SOURCE_CAMERA])
    ),
    "an operator": lambda: Person("ops-anna"),
    "a recorder": lambda: Person("egress", Kind.PARTICIPANT_KIND_EGRESS),
    "a stream": lambda: Person("ingress", Kind.PARTICIPANT_KIND_INGRESS),
    "an avatar": lambda: agent("avatar"),
    "a transcriber": lambda: agent("minutes", agent_role=AgentRole.TRANSCRIBES),
}


@pytest.mark.parametrize("who", NOBODY.values(), ids=NOBODY.keys())
async def test_the_caller_is_served_whoever_else_was_there_first(who: "type[Person]") -> None:
    call = Call(who())
    await asyncio.sleep(0.5)
    assert (call.caller, call.ending) == (None, None)
    call.room.join(Person("caller"))
    assert call.caller == "caller"


async def test_the_log_says_whom_the_agent_serves(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        call = Call(Person("caller"))
    assert call.caller == "caller"
    assert [
        vars(line)["participant"]
        for line in caplog.records
        if line.getMessage() == "serving a caller"
    ] == ["caller"]


async def test_who_waits_for_the_caller_learns_of_one() -> None:
    call = Call()
    waiting = asyncio.create_task(call.presence.caller_came())
    await asyncio.sleep(1)
    assert not waiting.done()
    call.room.join(Person("caller"))
    await waiting


async def test_a_listener_who_is_given_the_right_to_speak_becomes_the_caller() -> None:
    call = Call(observer())
    call.room.permit("observer", can_publish=True)
    assert call.caller == "observer"


@pytest.mark.parametrize("source", [Source.SOURCE_MICROPHONE, Source.SOURCE_UNKNOWN])
async def test_of_two_people_the_one_with_a_microphone_is_served(source: int) -> None:
    call = Call(Person("supervisor"), Person("caller"))
    call.room.publish("supervisor", Source.SOURCE_SCREENSHARE_AUDIO)
    call.room.publish("caller", source)
    assert call.caller == "caller"


async def test_a_silent_person_who_types_is_not_sent_away_for_one_with_a_microphone() -> None:
    call = Call(Person("caller"))
    call.presence.typed("caller")
    call.room.join(Person("visitor"))
    call.room.publish("visitor")
    assert (call.caller, call.ending) == ("caller", None)


async def test_a_caller_whom_a_moderator_silences_stays_the_caller() -> None:
    call = Call(Person("ann"))
    call.room.publish("ann")
    call.room.permit("ann", can_publish=False)
    await asyncio.sleep(GRACE_SECONDS + 1)
    assert call.presence.absences == 0
    call.room.permit("ann", can_publish=True)
    call.room.leave("ann")
    assert call.ending is Ending.CALLER_LEFT


async def test_a_silenced_caller_makes_room_for_somebody_who_speaks() -> None:
    call = Call(Person("ann"))
    call.room.publish("ann")
    call.room.join(Person("bob"))
    call.room.publish("bob")
    assert call.ending is None
    call.room.permit("ann", can_publish=False)
    assert call.ending is Ending.ANOTHER_CALLER


async def test_a_caller_who_takes_the_microphone_back_stays_the_caller() -> None:
    call = Call(Person("caller"))
    publication = call.room.publish("caller")
    call.room.unpublish("caller", publication.sid)
    call.room.join(Person("visitor"))
    call.room.publish("visitor")
    assert (call.caller, call.ending) == ("caller", None)


@pytest.mark.parametrize(
    ("reason", "seconds", "ending"),
    [
        (Reason.CLIENT_INITIATED, 0, Ending.CALLER_LEFT),
        (Reason.PARTICIPANT_REMOVED, 0, Ending.CALLER_LEFT),
        (Reason.CONNECTION_TIMEOUT, 0, None),
        (Reason.DUPLICATE_IDENTITY, GRACE_SECONDS - 1, None),
        (Reason.CONNECTION_TIMEOUT, GRACE_SECONDS + 1, Ending.CALLER_LOST),
    ],
)
async def test_who_hangs_up_ends_the_call_and_who_vanishes_is_waited_for(
    reason: int, seconds: float, ending: Ending | None
) -> None:
    call = Call(Person("caller"))
    call.room.leave("caller", reason)
    await asyncio.sleep(seconds)
    assert call.ending is ending


async def test_a_caller_whose_network_failed_comes_back_to_the_same_call() -> None:
    call = Call(Person("caller"))
    call.room.leave("caller", Reason.CONNECTION_TIMEOUT)
    await asyncio.sleep(GRACE_SECONDS - 1)
    call.room.join(Person("caller"))
    await asyncio.sleep(GRACE_SECONDS)
    assert (call.ending, call.presence.absences) == (None, 1)


async def test_a_caller_who_is_back_under_another_name_is_served_while_the_first_is_away() -> None:
    call = Call(Person("caller"))
    call.room.publish("caller")
    call.room.join(Person("caller again"))
    call.room.publish("caller again")
    await asyncio.sleep(20)
    assert call.ending is None
    call.room.leave("caller", Reason.CONNECTION_TIMEOUT)
    await asyncio.sleep(RETURN_SECONDS + 0.1)
    assert call.ending is Ending.CALLER_LOST
    assert call.ending.frees_the_room


async def contested(unanswering_from: float, seconds: float, *, visitor: bool = True) -> Call:
    """A caller whose client answers nothing from some time on, beside somebody who could speak."""
    call = Call(Person("caller"))
    call.room.publish("caller")
    if unanswering_from == 0:
        call.room.unanswering.add("caller")
    checking = asyncio.create_task(call.presence.check_caller())
    asyncio.get_running_loop().call_later(unanswering_from, call.room.unanswering.add, "caller")
    await asyncio.sleep(5)
    if visitor:
        call.room.join(Person("visitor"))
        call.room.publish("visitor")
    await asyncio.sleep(seconds)
    checking.cancel()
    return call


async def test_a_dead_client_is_noticed_within_ten_seconds_where_somebody_else_waits() -> None:
    assert (await contested(4, 10)).ending is Ending.CALLER_LOST


@pytest.mark.parametrize(
    ("unanswering_from", "visitor"),
    [(60, True), (4, False), (0, True)],
    ids=["it answers", "nobody else waits", "it never answered"],
)
async def test_a_caller_is_not_taken_for_dead_without_need(
    unanswering_from: float, visitor: bool
) -> None:
    assert (await contested(unanswering_from, 50, visitor=visitor)).ending is None


async def test_nobody_is_waited_for_when_the_call_is_over() -> None:
    call = Call(Person("caller"))
    call.room.leave("caller", Reason.CONNECTION_TIMEOUT)
    call.presence.stop_waiting()
    await asyncio.sleep(2 * GRACE_SECONDS)
    assert call.ending is None


@pytest.mark.parametrize("kind", ["another agent of ours", "anybody else's"])
async def test_only_another_agent_of_ours_makes_this_one_leave(kind: str) -> None:
    role = {"agent_role": AgentRole.ANSWERS} if kind == "another agent of ours" else {}
    call = Call(agent("agent", **role), Person("caller"))
    assert call.ending is (Ending.OTHER_AGENT if role else None)
    assert call.caller == (None if role else "caller")


@pytest.mark.parametrize("changes_hands", [True, False])
async def test_after_a_restart_only_a_call_that_changes_hands_has_two_agents(
    *, changes_hands: bool
) -> None:
    call = Call(Person("caller"))
    call.presence.shares_room = lambda: changes_hands
    call.room.join(agent("other", agent_role=AgentRole.ANSWERS))
    call.room.emit("reconnected")
    assert call.ending is (None if changes_hands else Ending.OTHER_AGENT)


async def test_a_room_that_closes_ends_the_call_and_an_agent_that_is_removed_was_replaced() -> None:
    closed, removed = Call(), Call()
    closed.room.emit("disconnected", Reason.ROOM_DELETED)
    removed.room.emit("disconnected", Reason.PARTICIPANT_REMOVED)
    assert closed.ending is Ending.ROOM_CLOSED
    assert removed.ending is Ending.OTHER_AGENT


async def test_where_everybody_is_heard_the_next_caller_is_told_of() -> None:
    room = ScriptedRoom()
    told: list[object] = []
    for each in ("ann", "bob"):
        room.join(Person(each))
        room.publish(each)
    settings = SETTINGS.model_copy(update={"hears": "everybody"})
    presence = Presence(room.as_livekit, settings, end=told.append, on_next_caller=told.append)
    presence.begin()
    room.leave("ann")
    assert (presence.caller_identity, told) == ("bob", ["bob"])
    room.leave("bob")
    assert told == ["bob", Ending.CALLER_LEFT]


async def test_the_room_is_shown_whom_the_agent_serves_after_every_change() -> None:
    room = ScriptedRoom()
    for each in ("ann", "bob", "cleo"):
        room.join(Person(each))
        room.publish(each)
    settings = SETTINGS.model_copy(update={"hears": "everybody"})
    presence = Presence(room.as_livekit, settings, end=lambda _: None)
    presence.begin()
    shown = room.local_participant.attributes
    room.leave("ann")
    await asyncio.sleep(1)
    assert Attribute.CALLER not in shown  # nobody is heard before the session has started
    await presence.show_caller()
    assert shown[Attribute.CALLER] == "bob"
    room.leave("bob")
    await asyncio.sleep(1)
    assert shown[Attribute.CALLER] == "cleo"


@pytest.mark.parametrize("hears", ["caller", "everybody"])
async def test_only_those_are_received_who_may_be_heard(
    hears: Literal["caller", "everybody"],
) -> None:
    room = ScriptedRoom()
    for each in (
        Person("ops-anna"),
        observer(),
        agent("avatar"),
        Person("first"),
        Person("second"),
    ):
        room.join(each)
    settings = SETTINGS.model_copy(update={"hears": hears})
    presence = Presence(room.as_livekit, settings, end=lambda _: None)
    presence.begin()
    tracks = {identity: room.publish(identity) for identity in room.remote_participants}
    received = {identity for identity, each in tracks.items() if each.is_wanted}
    assert received == ({presence.caller_identity} if hears == "caller" else {"first", "second"})
    presence.stop_waiting()
