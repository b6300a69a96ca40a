"""Participants of whom LiveKit's list goes on telling although no server holds them.

They were in a room of a cluster's node that has died, and have not come back. LiveKit keeps them in
its Redis until their room is deleted, and `RemoveParticipant` says "unavailable". What does remove
one is to join under the same identity, and to leave.
"""

import asyncio

from livekit import api, rtc

from agent.worker.livekit_api import access_token
from config.services import LiveKitSettings

SECONDS = 10.0
"""The time limit of joining, and that of leaving."""


async def remove_left_over(livekit: LiveKitSettings, room: str, identity: str) -> None:
    """Join the room under this identity, seen by nobody, and leave it.

    A participant of that identity who is in the room all the same is thrown out. Raises
    rtc.ConnectError or TimeoutError.
    """
    grants = api.VideoGrants(
        room_join=True,
        room=room,
        hidden=True,
        can_publish=False,
        can_publish_data=False,
        can_subscribe=False,
    )
    token = access_token(livekit).with_identity(identity).with_kind("agent").with_grants(grants)
    connection = rtc.Room()
    async with asyncio.timeout(SECONDS):
        await connection.connect(livekit.url, token.to_jwt(), rtc.RoomOptions(auto_subscribe=False))
    async with asyncio.timeout(SECONDS):
        await connection.disconnect()
