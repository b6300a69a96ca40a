"""A room without a server: people and agents who come, go, publish and mute when a test says so."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from livekit import rtc
from livekit.agents.types import (
    ATTRIBUTE_TRANSCRIPTION_FINAL,
    ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID,
)
from livekit.protocol import models

_NUMBERS = itertools.count(1)
_SERVER_KINDS = {
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD: models.ParticipantInfo.STANDARD,
    rtc.ParticipantKind.PARTICIPANT_KIND_INGRESS: models.ParticipantInfo.INGRESS,
    rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS: models.ParticipantInfo.EGRESS,
    rtc.ParticipantKind.PARTICIPANT_KIND_SIP: models.ParticipantInfo.SIP,
    rtc.ParticipantKind.PARTICIPANT_KIND_AGENT: models.ParticipantInfo.AGENT,
    rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR: models.ParticipantInfo.CONNECTOR,
}


@dataclass
class Permission:
    """What a participant may do; no sources: all."""

    can_publish: bool = True
    can_publish_sources: list[int] = field(default_factory=list)


@dataclass
class Publication:
    """A published track."""

    sid: str
    source: int = rtc.TrackSource.SOURCE_MICROPHONE
    kind: int = rtc.TrackKind.KIND_AUDIO
    muted: bool = False
    track: Any = None
    encryption_type: int = rtc.EncryptionType.NONE
    is_wanted: bool = False
    """Whether somebody has subscribed to it. Its sound comes anyway."""

    def set_subscribed(self, subscribed: bool) -> None:
        self.is_wanted = subscribed


@dataclass
class Person:
    """A participant: a person unless `kind` says otherwise."""

    identity: str
    kind: int = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
    name: str = ""
    permissions: Permission = field(default_factory=Permission)
    attributes: dict[str, str] = field(default_factory=dict)
    joined_at: datetime | None = None
    disconnect_reason: int | None = None
    track_publications: dict[str, Publication] = field(default_factory=dict)

    def as_server_has_it(self) -> models.ParticipantInfo:
        """The same participant in the server's answers."""
        permission = models.ParticipantPermission(
            can_publish=self.permissions.can_publish,
            can_publish_sources=cast("Any", self.permissions.can_publish_sources),
        )
        return models.ParticipantInfo(
            identity=self.identity,
            kind=_SERVER_KINDS[cast("Any", self.kind)],
            attributes=self.attributes,
            permission=permission,
        )


@dataclass
class Shown:
    """A text on screens."""

    speaker: str
    segment_id: str
    is_final: bool
    text: str = ""

    async def write(self, text: str) -> None:
        self.text += text

    async def aclose(self) -> None:
        pass


class LocalParticipant:
    """The agent's own side of a scripted room."""

    def __init__(self, room: ScriptedRoom) -> None:
        self._room = room
        self.attributes: dict[str, str] = {}

    async def stream_text(
        self, *, topic: str, sender_identity: str, attributes: dict[str, str]
    ) -> Shown:
        """A text that the room shows."""
        is_final = attributes[ATTRIBUTE_TRANSCRIPTION_FINAL] == "true"
        shown = Shown(sender_identity, attributes[ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID], is_final)
        self._room.shown.append(shown)
        return shown

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        """What the agent shows of itself."""
        self.attributes.update(attributes)

    async def publish_data(
        self, payload: str, *, destination_identities: list[str], topic: str
    ) -> None:
        """A message to some participants."""
        if not self._room.is_connected:
            raise RuntimeError("the room is closed")
        self._room.messages.put_nowait((topic, destination_identities, payload))

    async def perform_rpc(
        self, *, destination_identity: str, response_timeout: float, **_: object
    ) -> str:
        """Participants that are alive know no such method; the others do not answer."""
        codes = rtc.RpcError.ErrorCode
        if destination_identity not in self._room.unanswering:
            raise rtc.RpcError(codes.UNSUPPORTED_METHOD, "")
        await asyncio.sleep(response_timeout)
        raise rtc.RpcError(codes.CONNECTION_TIMEOUT, "")


class SideSound:
    """What the room hears of a track beside an agent's voice: when each frame began, and it."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, rtc.AudioFrame]] = []

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self.heard.append((asyncio.get_running_loop().time(), frame))
        await asyncio.sleep(frame.duration)

    async def wait_for_playout(self) -> None:
        pass

    def clear_queue(self) -> None:
        pass


class ScriptedRoom(rtc.EventEmitter[str]):
    """Emits what LiveKit's room emits, when its people do something."""

    def __init__(self, name: str = "room") -> None:
        super().__init__()
        self.name = name
        self.remote_participants: dict[str, Person] = {}
        self.is_connected = True
        self.local_participant = LocalParticipant(self)
        self.connection_state = rtc.ConnectionState.CONN_CONNECTED
        self.shown: list[Shown] = []
        self.messages: asyncio.Queue[tuple[str, list[str], str]] = asyncio.Queue()
        """What agents have sent: topic, receivers, content."""
        self.side_sound: SideSound | None = None
        """Of a track that an agent has published beside its voice."""
        self.unanswering: set[str] = set()
        """Whose clients are dead, or answer no calls of methods."""

    @property
    def as_livekit(self) -> rtc.Room:
        """For callers that ask for LiveKit's own."""
        return cast("rtc.Room", cast("Any", self))

    def isconnected(self) -> bool:
        return self.is_connected

    async def publish_side_track(self) -> SideSound:
        """An agent publishes a track beside its voice, and somebody subscribes to it."""
        await asyncio.sleep(0.2)
        self.side_sound = SideSound()
        return self.side_sound

    def join(self, person: Person) -> Person:
        """Somebody comes."""
        person.joined_at = datetime.fromtimestamp(next(_NUMBERS), UTC)
        self.remote_participants[person.identity] = person
        self.emit("participant_connected", person)
        return person

    def leave(self, identity: str, reason: int = rtc.DisconnectReason.CLIENT_INITIATED) -> None:
        """Somebody goes; their tracks go first."""
        person = self.remote_participants[identity]
        for sid in list(person.track_publications):
            self.unpublish(identity, sid)
        person = self.remote_participants.pop(identity)
        person.disconnect_reason = reason
        self.emit("participant_disconnected", person)

    def publish(
        self,
        identity: str,
        source: int = rtc.TrackSource.SOURCE_MICROPHONE,
        *,
        muted: bool = False,
        encryption: int = rtc.EncryptionType.NONE,
    ) -> Publication:
        """Somebody publishes a track with sound, and it is subscribed to."""
        person = self.remote_participants[identity]
        publication = self.publication(source, muted=muted)
        publication.encryption_type = encryption
        person.track_publications[publication.sid] = publication
        self.emit("track_published", publication, person)
        publication.track = Track(publication.sid)
        self.emit("track_subscribed", publication.track, publication, person)
        return publication

    @staticmethod
    def publication(source: int, *, muted: bool = False) -> Publication:
        """A new track, which nobody has published yet."""
        return Publication(f"TR_{next(_NUMBERS)}", source, muted=muted)

    def unpublish(self, identity: str, sid: str) -> None:
        """Somebody takes a track back."""
        person = self.remote_participants[identity]
        publication = person.track_publications.pop(sid)
        self.emit("track_unsubscribed", publication.track, publication, person)
        self.emit("track_unpublished", publication, person)

    def mute(self, identity: str, publication: Publication, *, muted: bool = True) -> None:
        """Somebody mutes a track, or unmutes it."""
        publication.muted = muted
        person = self.remote_participants[identity]
        self.emit("track_muted" if muted else "track_unmuted", person, publication)

    def permit(self, identity: str, *, can_publish: bool) -> None:
        """The server changes what somebody may do."""
        person = self.remote_participants[identity]
        person.permissions.can_publish = can_publish
        self.emit("participant_permissions_changed", person, person.permissions)

    def show(self, identity: str, **attributes: str) -> None:
        """Somebody's attributes change; in their names _ stands for a dot."""
        person = self.remote_participants[identity]
        changed = {name.replace("_", "."): value for name, value in attributes.items()}
        person.attributes.update(changed)
        self.emit("participant_attributes_changed", changed, person)


class Sound:
    """The sound of a track: a frame every 50 ms, until it is closed."""

    def __init__(self, track: Any) -> None:
        self.track = track
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[rtc.AudioFrameEvent]:
        while True:
            await asyncio.sleep(0.05)
            yield rtc.AudioFrameEvent(rtc.AudioFrame(bytes(1600), 16_000, 1, 800))

    async def aclose(self) -> None:
        self.is_closed = True


@dataclass(eq=False)
class Track:
    """A track with sound."""

    sid: str
    kind: int = rtc.TrackKind.KIND_AUDIO
