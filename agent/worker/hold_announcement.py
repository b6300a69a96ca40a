"""The hold announcement: tells a caller that nobody is free, until an agent is.

A small participant joins the room. It says a canned prompt, repeats it now and then, and
carries the attribute `agent.waiting`, which a page can show. It leaves when an agent has come or
the callers have gone. Its participant kind is `agent`: it does not count as a caller and does not
keep a room open. LiveKit admits an identity to a room only once, so no caller hears two of them.
"""

import asyncio
import contextlib
import logging

from livekit import api, rtc

from agent.call.output.canned_prompts import SAMPLE_RATE, CannedPrompt, Recorded
from agent.call.output.publishing import publish_options
from agent.call.people.need import Need
from agent.call.people.participants import candidates, our_agents
from agent.room_names import HOLD_IDENTITY, Attribute
from agent.tasks import first_of
from agent.worker import metrics
from agent.worker.livekit_api import access_token
from config.services import LiveKitSettings
from config.settings import Settings

log = logging.getLogger(__name__)

AT_MOST = 50
"""Announcements of one worker at the same time."""
ALL_BUSY = "all_busy"
REPEAT_SECONDS = 20.0
CONNECT_SECONDS = 10.0
SUBSCRIBE_SECONDS = 5.0


class HoldAnnouncements:
    """The announcements of one worker."""

    def __init__(self, settings: Settings, need: Need, tasks: asyncio.TaskGroup) -> None:
        self._settings = settings
        self._need = need
        self._tasks = tasks
        self._rooms: set[str] = set()

    @property
    def count(self) -> int:
        """How many there are now."""
        return len(self._rooms)

    def start(self, room: str) -> None:
        """Begin in a room, unless one is there already, or there are too many."""
        if room in self._rooms or len(self._rooms) >= AT_MOST:
            return
        log.warning("a caller is told that nobody is free", extra={"room": room})
        metrics.CALLERS_TOLD_TO_WAIT.inc()
        self._rooms.add(room)
        self._tasks.create_task(self._announce(room))

    async def _announce(self, room: str) -> None:
        try:
            await announce_hold(self._settings, room, self._need)
        except Exception as error:  # from LiveKit's library; some have no class of their own
            log.warning("could not tell a caller", extra={"room": room, "error": str(error)})
        finally:
            self._rooms.discard(room)


async def announce_hold(settings: Settings, room_name: str, need: Need) -> None:
    """Stay until an agent that meets the need comes, the callers leave, or the room closes.

    Raises rtc.ConnectError or TimeoutError when the room cannot be joined.
    """
    room = rtc.Room()
    needless = asyncio.Event()
    words = CannedPrompt.ALL_BUSY.recorded(settings.agent.language)

    def look(*_: object) -> None:
        if not _is_needed(room, need):
            needless.set()

    room.on("participant_connected", look)
    room.on("participant_disconnected", look)
    room.on("disconnected", lambda _reason: needless.set())
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            token, options = (
                _token(settings.livekit, room_name),
                rtc.RoomOptions(auto_subscribe=False),
            )
            await room.connect(settings.livekit.url, token, options)
        look()
        await first_of(_say_again_and_again(room, words), needless.wait())
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_SECONDS):
                await room.disconnect()


def _is_needed(room: rtc.Room, need: Need) -> bool:
    """Whether a caller is there and no agent is."""
    return bool(candidates(room, need.operators)) and not our_agents(
        room, need.role, need.agent_name
    )


def _token(livekit: LiveKitSettings, room: str) -> str:
    return (
        access_token(livekit)
        .with_identity(HOLD_IDENTITY)
        .with_kind("agent")
        .with_attributes({Attribute.WAITING: ALL_BUSY})
        .with_grants(api.VideoGrants(room_join=True, room=room, can_subscribe=False))
        .to_jwt()
    )


async def _say_again_and_again(room: rtc.Room, words: Recorded) -> None:
    source = rtc.AudioSource(SAMPLE_RATE, 1)
    try:
        track = rtc.LocalAudioTrack.create_audio_track("waiting", source)
        options = publish_options(rtc.TrackSource.SOURCE_MICROPHONE)
        publication = await room.local_participant.publish_track(track, options)
        with contextlib.suppress(TimeoutError):  # a page may be muted
            await asyncio.wait_for(publication.wait_for_subscription(), SUBSCRIBE_SECONDS)
        while True:
            async for frame in words.frames():
                await source.capture_frame(frame)
            await asyncio.sleep(REPEAT_SECONDS)
    finally:
        await source.aclose()
