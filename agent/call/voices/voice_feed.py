"""Takes a participant's voice from the best of their tracks.

LiveKit's own audio input takes only tracks of the source MICROPHONE and, of several, the newest,
even if it is muted. Clients in Go, Rust and on small devices often publish without a source.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from livekit import rtc
from livekit.agents import utils
from livekit.agents.voice.io import AudioInput

from agent.call.people.participants import VOICES
from agent.livekit_private.events import Take, hand_frames
from agent.tasks import OwnedTask, Tasks

log = logging.getLogger(__name__)

SAMPLE_RATE = 16_000
"""The rate of AssemblyAI and Silero. LiveKit's default, 24 kHz, would be resampled twice."""

FRAME_MS = 50
"""The shortest chunk that the service accepts. It costs a third of the work of 10 ms frames. With
20 ms the agent notices a voice 17 ms sooner, but a core serves fewer calls."""

END_SECONDS = 0.5
"""How much silence follows a track that ends, so that the end of speech is noticed."""


class Audio(Protocol):
    """The sound of one track: LiveKit's `rtc.AudioStream`."""

    def __aiter__(self) -> AsyncIterator[rtc.AudioFrameEvent]: ...

    async def aclose(self) -> None:
        """Stop reading it."""


def silence() -> rtc.AudioFrame:
    """The silence that follows a voice that ends."""
    return utils.audio.silence_frame(END_SECONDS, SAMPLE_RATE)


def open_audio(track: rtc.Track) -> Audio:
    """The sound of a track, in mono."""
    # Without LiveKit's gain control: browsers and phones have done that already, and it would cost
    # CPU every 10 ms.
    return rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=FRAME_MS)


def voice_tracks(
    publications: Iterable[rtc.RemoteTrackPublication],
) -> list[rtc.RemoteTrackPublication]:
    """The subscribed tracks that may be a voice, the best one first.

    These are microphones or, without any, tracks without a known source. Unmuted tracks come first,
    then newer ones. The sound of a shared screen is never a voice.
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
    """Passes the frames of one participant's voice to `take`. Make it in the event loop."""

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
        """With `hears_muted`, a muted track gives frames of silence; otherwise it gives nothing.
        When no track is left, `on_end` is called; without it `take` gets END_SECONDS of silence."""
        self.track_sid = ""
        """The id of the current track, or of the last one."""
        self._room = room
        self._identity = identity
        self._take = take
        self._hears_muted = hears_muted
        self._open_audio = open_audio
        self._on_end = on_end or (lambda: take(silence()))
        self._track: rtc.Track | None = None
        self._stop_reading: asyncio.Event | None = None
        self._tasks = Tasks()
        self._has_told = False
        self._has_told_encryption = False
        room.on("track_subscribed", self._on_subscribed)
        room.on("track_unsubscribed", self._on_unsubscribed)
        room.on("track_unpublished", self._on_unpublished)
        room.on("track_muted", self._on_mute)
        room.on("track_unmuted", self._on_mute)
        self._choose_track()

    async def aclose(self) -> None:
        """Stop listening, and end all handlers and tasks."""
        self._room.off("track_subscribed", self._on_subscribed)
        self._room.off("track_unsubscribed", self._on_unsubscribed)
        self._room.off("track_unpublished", self._on_unpublished)
        self._room.off("track_muted", self._on_mute)
        self._room.off("track_unmuted", self._on_mute)
        self._hear(None)
        await self._tasks.ended()

    def _on_subscribed(self, _track: object, _publication: object, who: rtc.Participant) -> None:
        if who.identity == self._identity:
            self._choose_track()

    def _on_unsubscribed(
        self, _track: object, publication: rtc.TrackPublication, who: rtc.Participant
    ) -> None:
        if who.identity == self._identity:
            self._choose_track(without=publication.sid)

    def _on_unpublished(self, publication: rtc.TrackPublication, who: rtc.Participant) -> None:
        self._on_unsubscribed(None, publication, who)

    def _on_mute(self, who: rtc.Participant, _publication: object) -> None:
        if who.identity == self._identity:
            self._choose_track()

    def _choose_track(self, without: str = "") -> None:
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
        stop = self._stop_reading = asyncio.Event()

        def take(frame: rtc.AudioFrame) -> None:
            if not stop.is_set():
                self._take(frame)

        # Not in the task: by the time it runs, the track may be gone.
        audio = self._open_audio(track)
        reads = None if hand_frames(audio, take) else take
        self._tasks.start(_read(audio, reads, stop), name="a voice's track")


async def _read(audio: Audio, take: Take | None, stop: asyncio.Event) -> None:
    """Close the sound when it is to stop; until then pass its frames to `take`, if that is not
    done elsewhere."""
    if take:
        async with OwnedTask(_forward(audio, take), name="a voice's frames"):
            await stop.wait()
    await stop.wait()
    await audio.aclose()


async def _forward(audio: Audio, take: Take) -> None:
    async for event in audio:
        take(event.frame)


class SessionInput(AudioInput):
    """A session's audio input, to which frames are pushed."""

    def __init__(self, label: str) -> None:
        super().__init__(label=label)
        self.is_attached = True
        """Whether the session listens."""
        self.tap: Callable[[rtc.AudioFrame], None] | None = None
        """Called with each frame that arrives."""
        self._frames = utils.aio.Chan[rtc.AudioFrame]()

    async def __anext__(self) -> rtc.AudioFrame:
        return await self._frames.__anext__()

    def on_attached(self) -> None:
        self.is_attached = True

    def on_detached(self) -> None:
        self.is_attached = False

    def hear(self, frame: rtc.AudioFrame) -> None:
        """Add a frame that arrives now."""
        if self.tap:
            self.tap(frame)
        self.push(frame)

    def push(self, frame: rtc.AudioFrame) -> None:
        """Add a frame, or silence that nobody sent. Dropped if the session does not listen."""
        if self.is_attached:
            self._frames.send_nowait(frame)

    async def aclose(self) -> None:
        """End the session's input: the call is over."""
        self._frames.close()


class CallerInput(SessionInput):
    """The caller's voice alone."""

    def __init__(self, room: rtc.Room, identity: str) -> None:
        super().__init__(label="caller")
        self._feed = VoiceFeed(room, identity, self.hear, on_end=lambda: self.push(silence()))

    async def aclose(self) -> None:
        await self._feed.aclose()
        await super().aclose()
