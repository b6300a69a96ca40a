"""Tells the participants of a room apart: people who may call, operators, our agents, the rest.

A person is a participant of LiveKit's kinds for people: an ordinary client, a telephone, a
connector. Agents, recorders (egress), streams from elsewhere (ingress) and avatars are not people.
Other agents than ours may be in a room, and without names they all look alike. So our workers set
an attribute on our agents.
"""

import asyncio
import contextlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from livekit import rtc
from livekit.agents.types import ATTRIBUTE_AGENT_NAME

from agent.call.people.caller_policy import Candidate
from agent.room_names import Attribute

_SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
PEOPLE = (
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    _SIP,
    rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR,
)
_MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE
VOICES = (_MICROPHONE, rtc.TrackSource.SOURCE_UNKNOWN)
"""Sources that may be a microphone: some clients do not name the source."""

SHOW_SECONDS = 5
"""How long LiveKit's server may take to show an attribute."""


class AgentRole(StrEnum):
    """What one of our agents does in a room."""

    ANSWERS = "answers"
    TRANSCRIBES = "transcribes"


async def show(agent: rtc.LocalParticipant, name: Attribute, value: str) -> None:
    """Show the room an attribute of our agent; in vain where it takes more than SHOW_SECONDS."""
    with contextlib.suppress(Exception):  # LiveKit's library raises these in a closing room
        async with asyncio.timeout(SHOW_SECONDS):
            await agent.set_attributes({name: value})


async def show_role(agent: rtc.LocalParticipant, role: AgentRole) -> None:
    """Set the attribute of the role, unless the worker has set it: `connect` runs without one."""
    if Attribute.ROLE not in agent.attributes:
        await agent.set_attributes({Attribute.ROLE: role})


def is_operator(identity: str, operators: Sequence[str]) -> bool:
    """Whether an identity is in this list, in which a * at the end stands for any ending."""
    return any(
        identity.startswith(each[:-1]) if each.endswith("*") else identity == each
        for each in operators
    )


def has_role(attributes: Mapping[str, str], role: AgentRole, agent_name: str) -> bool:
    """Whether an agent with these attributes is ours, with this role and this name.

    A missing name is an empty one: LiveKit drops empty attributes.
    """
    return (
        attributes.get(Attribute.ROLE) == role
        and attributes.get(ATTRIBUTE_AGENT_NAME, "") == agent_name
    )


def our_agents(room: rtc.Room, role: AgentRole, agent_name: str) -> list[rtc.RemoteParticipant]:
    """Our other agents in a room."""
    return [
        each
        for each in room.remote_participants.values()
        if each.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        and has_role(each.attributes, role, agent_name)
    ]


def served(room: rtc.Room) -> set[str]:
    """The identities that our answering agents hear, whatever the agents' names."""
    return {
        identity
        for each in room.remote_participants.values()
        if each.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        and each.attributes.get(Attribute.ROLE) == AgentRole.ANSWERS
        for identity in _heard_by(each.attributes)
    }


def _heard_by(attributes: Mapping[str, str]) -> list[str]:
    if Attribute.HEARS in attributes:
        with contextlib.suppress(ValueError):
            return [str(each) for each in json.loads(attributes[Attribute.HEARS])]
    return [attributes[Attribute.CALLER]] if Attribute.CALLER in attributes else []


def may_publish_voice(can_publish: bool, sources: Iterable[int]) -> bool:
    """Whether a permission, as the room or the server has it, allows a microphone."""
    allowed = list(sources)  # an empty list allows all
    return can_publish and (not allowed or _MICROPHONE in allowed)


def may_speak(participant: rtc.RemoteParticipant) -> bool:
    """Whether it is a person who may publish a microphone."""
    permission = participant.permissions
    return participant.kind in PEOPLE and may_publish_voice(
        permission.can_publish, permission.can_publish_sources
    )


def speakers(room: rtc.Room, operators: Sequence[str]) -> list[rtc.RemoteParticipant]:
    """Who is heard when the agent hears everybody: people who may speak, except operators."""
    return [
        each
        for each in room.remote_participants.values()
        if may_speak(each) and not is_operator(each.identity, operators)
    ]


def candidates(
    room: rtc.Room,
    operators: Sequence[str],
    active: Collection[str] = (),
    caller: str | None = None,
) -> list[Candidate]:
    """Who may call, in the order in which they joined. `active`: identities that took part before.

    The `caller` stays one while in the room, even if a moderator takes away the right to speak.
    """
    found = [
        each
        for each in room.remote_participants.values()
        if each.identity == caller
        or (may_speak(each) and not is_operator(each.identity, operators))
    ]
    found.sort(key=lambda each: each.joined_at.timestamp() if each.joined_at else 0.0)
    return [
        Candidate(
            each.identity,
            is_active=may_speak(each)
            and (each.kind == _SIP or each.identity in active or _has_voice(each)),
            is_phone=each.kind == _SIP,
        )
        for each in found
    ]


def _has_voice(participant: rtc.RemoteParticipant) -> bool:
    return any(
        each.kind == rtc.TrackKind.KIND_AUDIO and each.source in VOICES
        for each in participant.track_publications.values()
    )
