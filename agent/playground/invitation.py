"""A token that lets one caller into one room, and asks for an agent there."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from livekit import api

from agent.worker.livekit_api import access_token
from config.services import LiveKitSettings

DEFAULT_TTL = timedelta(hours=1)
NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a caller needs to join, and what that allows."""

    url: str
    room: str
    identity: str
    agent_name: str
    """Asked for when the room opens; empty: an agent without a name comes by itself."""
    token: str = field(repr=False)


def invite(
    livekit: LiveKitSettings,
    *,
    agent_name: str = "",
    room: str = "",
    identity: str = "",
    ttl: timedelta = DEFAULT_TTL,
    attributes: Mapping[str, str] = NO_ATTRIBUTES,
) -> Invitation:
    """Invite a caller; without a room or an identity, into a new one under a new one.

    The caller may join within `ttl`, and stay as long as they like. They have these attributes.
    """
    room = room or f"talk-{secrets.token_hex(4)}"
    identity = identity or f"caller-{secrets.token_hex(4)}"
    token = (
        access_token(livekit)
        .with_identity(identity)
        .with_ttl(ttl)
        .with_attributes(dict(attributes))
        .with_grants(api.VideoGrants(room_join=True, room=room))
    )
    if agent_name:
        dispatch = api.RoomAgentDispatch(agent_name=agent_name)
        token = token.with_room_config(api.RoomConfiguration(agents=[dispatch]))
    return Invitation(livekit.url, room, identity, agent_name, token.to_jwt())
