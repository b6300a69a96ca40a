"""Who is who in a room, by what its participants show."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from livekit import rtc

from agent.call.people.caller_policy import Candidate
from agent.call.people.participants import (
    SHOW_SECONDS,
    AgentRole,
    candidates,
    has_role,
    is_operator,
    may_publish_voice,
    may_speak,
    our_agents,
    served,
    show,
    show_role,
    speakers,
)
from agent.room_names import Attribute
from workbench.standins.scripted_room import Permission, Person, ScriptedRoom

Kind = rtc.ParticipantKind
AGENT, PHONE = Kind.PARTICIPANT_KIND_AGENT, Kind.PARTICIPANT_KIND_SIP
MICROPHONE, CAMERA = rtc.TrackSource.SOURCE_MICROPHONE, rtc.TrackSource.SOURCE_CAMERA
MUTE = Permission(can_publish=False)


def room(*people: Person) -> ScriptedRoom:
    scripted = ScriptedRoom()
    for each in people:
        scripted.join(each)
    return scripted


def agent(identity: str, **attributes: str) -> Person:
    shown = {f"agent.{name}": value for name, value in attributes.items()}
    return Person(identity, AGENT, attributes={"agent.role": "answers", **shown})


@pytest.mark.parametrize(
    ("identity", "is_one"),
    [("ann", True), ("bot-7", True), ("bot-", True), ("anna", False), ("a-bot-7", False)],
)
def test_a_star_stands_for_any_ending(identity: str, is_one: bool) -> None:
    assert is_operator(identity, ("ann", "bot-*")) is is_one


@pytest.mark.parametrize(
    ("attributes", "is_ours"),
    [
        ({"agent.role": "answers", "lk.agent.name": "desk"}, True),
        ({"agent.role": "answers"}, False),
        ({"agent.role": "transcribes", "lk.agent.name": "desk"}, False),
        ({}, False),
    ],
)
def test_an_agent_is_ours_by_its_role_and_name(attributes: dict[str, str], is_ours: bool) -> None:
    assert has_role(attributes, AgentRole.ANSWERS, "desk") is is_ours


def test_an_agent_without_a_name_has_an_empty_one() -> None:
    here = room(agent("a"), Person("stranger", AGENT), Person("ann"))
    found = our_agents(here.as_livekit, AgentRole.ANSWERS, "")
    assert [each.identity for each in found] == ["a"]


async def test_the_role_is_shown_once() -> None:
    shown: list[dict[str, str]] = []

    class Local:
        def __init__(self) -> None:
            self.attributes: dict[str, str] = {}

        async def set_attributes(self, attributes: dict[str, str]) -> None:
            shown.append(attributes)
            self.attributes = attributes

    local: Any = Local()
    await show_role(local, AgentRole.ANSWERS)
    await show_role(local, AgentRole.ANSWERS)
    assert shown == [{"agent.role": "answers"}]


@pytest.mark.parametrize("is_silent", [False, True])
@pytest.mark.looptime
async def test_an_attribute_that_cannot_be_shown_holds_nothing_up(is_silent: bool) -> None:
    shown: list[dict[str, str]] = []

    class Closing:
        async def set_attributes(self, attributes: dict[str, str]) -> None:
            shown.append(attributes)
            if is_silent:
                await asyncio.Event().wait()
            raise ConnectionError("the room is closing")

    local: Any = Closing()
    began = asyncio.get_running_loop().time()
    await show(local, Attribute.CALLER, "ann")
    took_seconds = asyncio.get_running_loop().time() - began
    assert shown == [{"agent.caller": "ann"}]
    assert took_seconds == pytest.approx(SHOW_SECONDS if is_silent else 0.0)


def test_who_is_served_is_what_answering_agents_show() -> None:
    here = room(
        agent("one", caller="ann"),
        agent("all", caller="bob", hears='["bob", "cat"]'),
        agent("odd", caller="dan", hears="[what?"),
        agent("new"),
        Person("scribe", AGENT, attributes={"agent.role": "transcribes", "agent.caller": "eve"}),
        Person("liar", attributes={"agent.role": "answers", "agent.caller": "mia"}),
    )
    assert served(here.as_livekit) == {"ann", "bob", "cat", "dan"}


@pytest.mark.parametrize(
    ("can_publish", "sources", "may"),
    [(True, [], True), (True, [MICROPHONE], True), (True, [CAMERA], False), (False, [], False)],
)
def test_a_permission_that_names_sources_has_to_name_the_microphone(
    can_publish: bool, sources: list[int], may: bool
) -> None:
    assert may_publish_voice(can_publish, sources) is may


@pytest.mark.parametrize(
    ("person", "may"),
    [
        (Person("ann"), True),
        (Person("phone", PHONE), True),
        (Person("muted", permissions=MUTE), False),
        (Person("agent", AGENT), False),
        (Person("recorder", Kind.PARTICIPANT_KIND_EGRESS), False),
        (Person("stream", Kind.PARTICIPANT_KIND_INGRESS), False),
    ],
)
def test_people_may_speak(person: Any, may: bool) -> None:
    assert may_speak(person) is may


def test_everybody_who_may_speak_is_a_speaker_but_operators() -> None:
    here = room(Person("ann"), Person("muted", permissions=MUTE), Person("ops-1"), agent("a"))
    assert [each.identity for each in speakers(here.as_livekit, ["ops-*"])] == ["ann"]


def test_candidates_come_in_the_order_in_which_they_joined() -> None:
    here = room(Person("late"), Person("early"), Person("unknown"))
    for identity, day in (("late", 2), ("early", 1)):
        here.remote_participants[identity].joined_at = datetime(2026, 1, day, tzinfo=UTC)
    here.remote_participants["unknown"].joined_at = None
    found = candidates(here.as_livekit, [])
    assert [each.identity for each in found] == ["unknown", "early", "late"]


def test_a_candidate_is_active_with_a_voice_of_whatever_kind() -> None:
    here = room(Person("silent"), Person("typed"), Person("speaks"), Person("phone", PHONE))
    here.publish("speaks")
    here.publish("silent", source=CAMERA)
    found = candidates(here.as_livekit, [], active={"typed"})
    assert set(found) == {
        Candidate("silent"),
        Candidate("typed", is_active=True),
        Candidate("speaks", is_active=True),
        Candidate("phone", is_active=True, is_phone=True),
    }


def test_the_caller_stays_a_candidate_without_the_right_to_speak() -> None:
    here = room(Person("ann", permissions=MUTE))
    assert candidates(here.as_livekit, []) == []
    assert candidates(here.as_livekit, [], caller="ann") == [Candidate("ann")]
