"""A participant's voice, from whichever of their tracks is the one to hear.

LiveKit's own audio input hears tracks of the source MICROPHONE only, of several the newest, muted
or not. Clients in Go, Rust and on small devices often publish without a source.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from livekit import rtc
from livekit.agents import utils
from livekit.agents.voice.io import AudioInput

from agent.call.participants import VOICES

log = logging.getLogger(__name__)

SAMPLE_RATE = 16_000
"""What AssemblyAI and Silero both work at; LiveKit's default, 24 kHz, would be resampled twice."""

FRAME_MS = 50
"""The shortest chunk that the service accepts, and a third of the work of 10 ms frames. With frames
of 20 ms a voice is noticed 17 ms sooner, and a core serves fewer calls."""

END_SECONDS = 0.5
"""This much silence follows a track that ends, for whoever waits for the end of speech."""


class Audio(Protocol):
    """The sound of one track: livekit.rtc.AudioStream."""

    def __aiter__(self) -> AsyncIterator[rtc.AudioFrameEvent]: ...

    async def aclose(self) -> None:
        """Hear no more of it."""


def silence() -> rtc.AudioFrame:
    """What follows a voice that ends."""
    return utils.audio.silence_frame(END_SECONDS, SAMPLE_RATE)


def open_audio(track: rtc.Track) -> Audio:
    """The sound of a track, in mono."""
    # LiveKit's levelling of the voice is left out: browsers and phones have done it, and doing it
    # again costs CPU for every 10 ms.
    return rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=FRAME_MS)


def voice_tracks(
    publications: Iterable[rtc.RemoteTrackPublication],
) -> list[rtc.RemoteTrackPublication]:
    """The subscribed tracks that may be a voice, the one to hear first.

    Microphones, or where there is none, tracks of no known source; of those, one that is not muted
    before one that is, then the newest. The sound of a shared screen is nobody's voice.
    """
    voices = [
        each
        for each in publications
        if each.track and each.kind == rtc.TrackKind.KIND_AUDIO and each.source in VOICES
    ]
    best_source = max((each.source for each in voices), default=None)
    return sorted(
        (each for each in reversed(voices) if each.source == best_source),
        key=lambda each: each.muted,
    )


class VoiceFeed:
    """Hands the frames of one participant's voice to `take`; made where the event loop runs."""

    def __init__(
        self,
        room: rtc.Room,
        identity: str,
        take: Callable[[rtc.AudioFrame], None],
        *,
        hears_muted: bool = True,
        open_audio: Callable[[rtc.Track], Audio] = open_audio,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        """A track that is muted sounds like silence, frame by frame; unless `hears_muted`, nothing
        comes from it. When there is no track to hear any more, `on_end` is called, or
        `END_SECONDS` of silence come."""
        self.track_sid = ""
        """The track that is heard, or was last."""
        self._room = room
        self._identity = identity
        self._take = take
        self._hears_muted = hears_muted
        self._open_audio = open_audio
        self._on_end = on_end or (lambda: take(silence()))
        self._track: rtc.Track | None = None
        self._stop_reading: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_told = False
        self._has_told_encryption = False
        room.on("track_subscribed", self._on_subscribed)
        room.on("track_unsubscribed", self._on_unsubscribed)
        room.on("track_unpublished", self._on_unpublished)
        room.on("track_muted", self._on_mute)
        room.on("track_unmuted", self._on_mute)
        self._look()

    async def aclose(self) -> None:
        """Hear no more. Handlers and tasks end."""
        self._room.off("track_subscribed", self._on_subscribed)
        self._room.off("track_unsubscribed", self._on_unsubscribed)
        self._room.off("track_unpublished", self._on_unpublished)
        self._room.off("track_muted", self._on_mute)
        self._room.off("track_unmuted", self._on_mute)
        self._hear(None)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_subscribed(self, _track: object, _publication: object, who: rtc.Participant) -> None:
        if who.identity == self._identity:
            self._look()

    def _on_unsubscribed(
        self, _track: object, publication: rtc.TrackPublication, who: rtc.Participant
    ) -> None:
        if who.identity == self._identity:
            self._look(without=publication.sid)

    def _on_unpublished(self, publication: rtc.TrackPublication, who: rtc.Participant) -> None:
        self._on_unsubscribed(None, publication, who)

    def _on_mute(self, who: rtc.Participant, _publication: object) -> None:
        if who.identity == self._identity:
            self._look()

    def _look(self, without: str = "") -> None:
        participant = self._room.remote_participants.get(self._identity)
        found = participant.track_publications.values() if participant else ()
        voices = voice_tracks(each for each in found if each.sid != without)
        if not self._has_told and len([each for each in voices if not each.muted]) > 1:
            self._has_told = True
            log.warning("a participant has several microphones: the newest is heard")
        if voices and voices[0].encryption_type != rtc.EncryptionType.NONE:
            self._tell_encryption()
        is_heard = voices and (self._hears_muted or not voices[0].muted)
        self._hear(voices[0].track if is_heard else None)

    def _tell_encryption(self) -> None:
        if not self._has_told_encryption:
            self._has_told_encryption = True
            log.warning(
                "a participant's voice is encrypted end to end, and cannot be heard: have the"
                " client join without end-to-end encryption"
            )

    def _hear(self, track: rtc.Track | None) -> None:
        if track is self._track:
            return
        self._track = track
        if self._stop_reading:
            self._stop_reading.set()
            self._stop_reading = None
        if track is None:
            self._on_end()
            return
        self.track_sid = track.sid
        self._stop_reading = asyncio.Event()
        # Here and now: by the time that a task runs, the track may be gone.
        audio = self._open_audio(track)
        reading = asyncio.create_task(self._read(audio, self._stop_reading))
        self._tasks.add(reading)
        reading.add_done_callback(self._tasks.discard)

    async def _read(self, audio: Audio, stop: asyncio.Event) -> None:
        reading = asyncio.create_task(self._forward(audio, stop))
        await stop.wait()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await audio.aclose()

    async def _forward(self, audio: Audio, stop: asyncio.Event) -> None:
        async for event in audio:
            if not stop.is_set():
                self._take(event.frame)


class SessionInput(AudioInput):
    """What a session hears, as it is pushed."""

    def __init__(self, label: str) -> None:
        super().__init__(label=label)
        self.is_attached = True
        """Whether the session listens."""
        self._frames = utils.aio.Chan[rtc.AudioFrame]()

    async def __anext__(self) -> rtc.AudioFrame:
        return await self._frames.__anext__()

    def on_attached(self) -> None:
        self.is_attached = True

    def on_detached(self) -> None:
        self.is_attached = False

    def push(self, frame: rtc.AudioFrame) -> None:
        """This is heard next, if the session listens."""
        if self.is_attached:
            self._frames.send_nowait(frame)

    async def aclose(self) -> None:
        """The call is over: the session hears the end of its input."""
        self._frames.close()


class CallerInput(SessionInput):
    """The caller's voice alone."""

    def __init__(self, room: rtc.Room, identity: str) -> None:
        super().__init__(label="caller")
        self._feed = VoiceFeed(room, identity, self.push)

    async def aclose(self) -> None:
        await self._feed.aclose()
        await super().aclose()
