"""Where a LiveKit server is, and a token to join one of its rooms with."""

from dataclasses import dataclass, field

from livekit import api

from config.services import LiveKitSettings


@dataclass(frozen=True, slots=True)
class Access:
    """Where a LiveKit server is, and what opens its doors."""

    url: str
    api_key: str
    api_secret: str = field(repr=False)

    @classmethod
    def of(cls, livekit: LiveKitSettings) -> "Access":
        """As it is set."""
        key, secret = livekit.api_key.get_secret_value(), livekit.api_secret.get_secret_value()
        return cls(livekit.url, key, secret)


def join_token(
    access: Access, room: str, identity: str, agent_name: str = "", metadata: str = ""
) -> str:
    """A token to join one room with; it asks for the named agent, if one is named.

    An agent without a name comes by itself, and with metadata if it is asked for.
    """
    token = (
        api.AccessToken(access.api_key, access.api_secret)
        .with_identity(identity)
        .with_grants(api.VideoGrants(room_join=True, room=room))
    )
    if agent_name or metadata:
        dispatch = api.RoomAgentDispatch(agent_name=agent_name, metadata=metadata)
        token = token.with_room_config(api.RoomConfiguration(agents=[dispatch]))
    return token.to_jwt()
