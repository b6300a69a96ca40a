"""Who is who in a room: people who may call, operators, our agents, and everything else.

A person is a participant of LiveKit's kinds for people: an ordinary client, a telephone, a
connector. Agents, recorders (egress), streams from elsewhere (ingress) and avatars are none. Which
agents are ours is told by an attribute that our workers set, since anybody's agent may be in a
room, and where the agents have no name all look alike.
"""

import contextlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from livekit import rtc
from livekit.agents.types import ATTRIBUTE_AGENT_NAME

from agent.call.caller_policy import Candidate

ROLE_ATTRIBUTE = "agent.role"
CALLER_ATTRIBUTE = "agent.caller"
"""Set on an agent that answers: the identity that it serves."""
HEARS_ATTRIBUTE = "agent.hears"
"""Set on an agent that hears everybody: their identities, as a JSON list."""

_SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
PEOPLE = (
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    _SIP,
    rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR,
)
_MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE
VOICES = (_MICROPHONE, rtc.TrackSource.SOURCE_UNKNOWN)
"""Sources that may be a microphone: some clients do not say what they publish."""


class AgentRole(StrEnum):
    """What an agent of ours does in a room."""

    ANSWERS = "answers"
    TRANSCRIBES = "transcribes"


async def show_role(agent: rtc.LocalParticipant, role: AgentRole) -> None:
    """A worker's agents show theirs from the start; `connect` makes one that does not."""
    if ROLE_ATTRIBUTE not in agent.attributes:
        await agent.set_attributes({ROLE_ATTRIBUTE: role})


def is_operator(identity: str, operators: Sequence[str]) -> bool:
    """Whether an identity is one of these, or begins like one that ends in *."""
    return any(
        identity.startswith(each[:-1]) if each.endswith("*") else identity == each
        for each in operators
    )


def has_role(attributes: Mapping[str, str], role: AgentRole, agent_name: str) -> bool:
    """Whether a participant of the kind of agents is ours, of this role and this name.

    LiveKit drops attributes that are empty.
    """
    return (
        attributes.get(ROLE_ATTRIBUTE) == role
        and attributes.get(ATTRIBUTE_AGENT_NAME, "") == agent_name
    )


def our_agents(room: rtc.Room, role: AgentRole, agent_name: str) -> list[rtc.RemoteParticipant]:
    """The other agents of ours in a room."""
    return [
        each
        for each in room.remote_participants.values()
        if each.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        and has_role(each.attributes, role, agent_name)
    ]


def served(room: rtc.Room) -> set[str]:
    """The identities whom agents of ours hear, under whatever name."""
    return {
        identity
        for each in room.remote_participants.values()
        if each.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        and each.attributes.get(ROLE_ATTRIBUTE) == AgentRole.ANSWERS
        for identity in _heard_by(each.attributes)
    }


def _heard_by(attributes: Mapping[str, str]) -> list[str]:
    if HEARS_ATTRIBUTE in attributes:
        with contextlib.suppress(ValueError):
            return [str(each) for each in json.loads(attributes[HEARS_ATTRIBUTE])]
    return [attributes[CALLER_ATTRIBUTE]] if CALLER_ATTRIBUTE in attributes else []


def may_publish_voice(can_publish: bool, sources: Iterable[int]) -> bool:
    """Whether a permission, of the room's or the server's, allows a microphone."""
    allowed = list(sources)  # none: all
    return can_publish and (not allowed or _MICROPHONE in allowed)


def may_speak(participant: rtc.RemoteParticipant) -> bool:
    """Whether it is a person who may publish a microphone."""
    permission = participant.permissions
    return participant.kind in PEOPLE and may_publish_voice(
        permission.can_publish, permission.can_publish_sources
    )


def speakers(room: rtc.Room, operators: Sequence[str]) -> list[rtc.RemoteParticipant]:
    """Who is heard where everybody is: people who may speak, and no operators."""
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
    """Who may call, by when they joined; `active` are identities who took part before.

    The `caller` stays one while in the room, though a moderator takes the right to speak away.
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
