"""A line to a room over WebRTC: both directions of sound, texts, and who is there."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from livekit import rtc

from agent.caller.heard_tracks import HeardTrack, HeardTracks
from agent.caller.microphone import SAMPLE_RATE, Microphone, Spoken
from agent.caller.speech_energy import Span
from agent.caller.timeline import Samples, write_stereo
from agent.caller.transcript import TOPIC, Transcript
from agent.caller.waiting import Changes
from agent.room_names import Attribute

T = TypeVar("T")

_CONNECT_SECONDS = 40.0
_LEAVE_SECONDS = 20.0
_CHAT = "lk.chat"
_AGENT_STATE = "lk.agent.state"


class CallEndedError(RuntimeError):
    """The call is over, or the agent gone, although an answer was still awaited."""


class Line:
    """One participant of a room, and all that comes over the line, on one clock."""

    def __init__(self, room: rtc.Room, room_name: str, identity: str) -> None:
        self.room_name = room_name
        self.identity = identity
        self.transcript = Transcript()
        self.states: list[tuple[float, str]] = []
        self.joined_seconds = 0.0
        """When the caller was in the room, and could be heard there."""
        self.disconnected: str | None = None
        self.was_told_to_wait = False
        self.agent_ending: str | None = None
        self._room = room
        self._changes = Changes()
        self._tracks = HeardTracks(SAMPLE_RATE)
        self._agent: str | None = None
        self._agent_left = False
        self._former: set[str] = set()
        self._started_at = time.monotonic()
        self._source = Microphone.new_source()
        self._microphone = Microphone(self._source, self._started_at, self._changes.tell)
        self._tasks: set[asyncio.Task[None]] = set()
        self._hearing: dict[str, asyncio.Task[None]] = {}
        self._fault: BaseException | None = None
        self._listen()

    @property
    def now_seconds(self) -> float:
        """The call's clock; it starts when the caller sets out to join."""
        return time.monotonic() - self._started_at

    @property
    def is_connected(self) -> bool:
        """Whether the caller's client holds a connection; not while it tries to get it back."""
        return self._room.connection_state == rtc.ConnectionState.CONN_CONNECTED

    @property
    def agent_state(self) -> str | None:
        """What the agent says that it does: initializing, listening, thinking, speaking."""
        return self.states[-1][1] if self.states else None

    @property
    def agent_identity(self) -> str | None:
        """The identity of the agent, once one has come."""
        return self._agent

    @property
    def spoken(self) -> list[Spoken]:
        """When the caller spoke, utterance by utterance."""
        return self._microphone.spoken

    @property
    def heard_spans(self) -> list[Span]:
        """When there was speech on the line, in order."""
        return self._tracks.spans

    @property
    def hears_speech(self) -> bool:
        """Whether somebody is speaking at this moment, short pauses included."""
        return self._tracks.hear_speech

    async def connect(self, url: str, token: str, source: rtc.TrackSource.ValueType | None) -> None:
        """Join the room with an open microphone, whose track is of this source; None: without one.

        Raises livekit.rtc.ConnectError when the server refuses, TimeoutError.
        """
        async with asyncio.timeout(_CONNECT_SECONDS):
            await self._room.connect(url, token)
            if source is not None:
                await self._publish(source)
        for participant in self._room.remote_participants.values():
            self._notice(participant)
        self.joined_seconds = self.now_seconds

    async def say(self, samples: Samples) -> Spoken:
        """Speak mono 48 kHz sound in real time; returns when its last sample is out."""
        return await self._microphone.say(samples)

    async def write(self, text: str) -> None:
        """Type into the room's chat."""
        await self._room.local_participant.send_text(text, topic=_CHAT)

    async def until(
        self, condition: Callable[[], T | None], *, timeout_seconds: float, what: str
    ) -> T:
        """Wait for something about the call; looked at with each frame and event.

        Raises WaitedTooLongError, or CallEndedError when the call or the agent has gone.
        """

        def look() -> T | None:
            answer = condition()
            if answer is not None and answer is not False:
                return answer
            if self._fault:
                raise self._fault
            if self.agent_ending:
                raise CallEndedError(f"the agent ended the call ({self.agent_ending})")
            if self.disconnected:
                raise CallEndedError(f"the call ended ({self.disconnected}) before {what}")
            if self._agent_left:
                raise CallEndedError(f"the agent left the room before {what}")
            return None

        return await self._changes.until(look, timeout_seconds=timeout_seconds, what=what)

    def heard(self, start_seconds: float = 0.0, end_seconds: float | None = None) -> Samples:
        """What came over the line in a stretch of the call: mono, 48 kHz."""
        end = self.now_seconds if end_seconds is None else end_seconds
        return self._tracks.between(start_seconds, end)

    def sides(self) -> tuple[Samples, Samples]:
        """The call so far: what the caller said, and what came over the line; mono, 48 kHz."""
        return self._microphone.said.render(), self.heard()

    def write_wav(self, path: Path) -> None:
        """Write the call so far: the caller on the left, the agent on the right."""
        write_stereo(path, *self.sides(), SAMPLE_RATE)

    async def hang_up(self) -> None:
        """Leave the room at once, in mid-word if need be."""
        with contextlib.suppress(TimeoutError):  # the server is gone, or too busy to hear it
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self._room.disconnect()
        # A room that is left while it is still being set up does not always tell.
        self._end(rtc.DisconnectReason.CLIENT_INITIATED)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._source.aclose()

    async def _publish(self, source: rtc.TrackSource.ValueType) -> None:
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
        options = rtc.TrackPublishOptions(source=source)
        await self._room.local_participant.publish_track(track, options)
        self._start(self._microphone.run())

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._fault = self._fault or error
            self._changes.tell()

    def _listen(self) -> None:
        room = self._room
        room.on("participant_connected", self._notice)
        room.on("participant_disconnected", self._miss)
        room.on("participant_attributes_changed", lambda _, participant: self._notice(participant))
        room.on("track_subscribed", lambda track, *_: self._hear_track(track))
        room.on("track_unsubscribed", lambda track, *_: self._stop_hearing(track))
        room.on("disconnected", self._end)
        room.register_text_stream_handler(TOPIC, self._read)

    def _read(self, reader: rtc.TextStreamReader, speaker: str) -> None:
        self._start(self.transcript.read(reader, speaker, self.now_seconds))

    def _notice(self, participant: rtc.Participant) -> None:
        if participant.attributes.get(Attribute.WAITING):
            self.was_told_to_wait = True
        elif _answers(participant) and self._is_the_agent(participant):
            if self._agent and self._agent != participant.identity:
                self._former.add(self._agent)
            self._agent, self._agent_left = participant.identity, False
            self.agent_ending = participant.attributes.get(Attribute.ENDING)
            state = participant.attributes.get(_AGENT_STATE)
            if state and state != self.agent_state:
                self.states.append((self.now_seconds, state))
        self._changes.tell()

    def _is_the_agent(self, participant: rtc.Participant) -> bool:
        """The one that is there, until another one has this caller: one may hand the call over."""
        if participant.identity == self._agent or self._agent is None or self._agent_left:
            return True
        has_caller = bool(participant.attributes.get(Attribute.CALLER))
        return has_caller and participant.identity not in self._former

    def _miss(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._agent:
            self._agent_left = True
            for other in self._room.remote_participants.values():
                if other.identity != participant.identity:
                    self._notice(other)
        self._changes.tell()

    def _end(self, reason: rtc.DisconnectReason.ValueType) -> None:
        self.disconnected = self.disconnected or rtc.DisconnectReason.Name(reason)
        self._changes.tell()

    def _hear_track(self, track: rtc.Track) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            # Here and now: by the time that a task runs, the track may be gone.
            stream = rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1)
            self._hearing[track.sid] = self._start(self._hear(stream, self._tracks.open()))

    def _stop_hearing(self, track: rtc.Track) -> None:
        # The line of a track that has gone is used for the next one: it would be heard twice.
        if hearing := self._hearing.pop(track.sid, None):
            hearing.cancel()

    async def _hear(self, stream: rtc.AudioStream, track: HeardTrack) -> None:
        try:
            async for event in stream:
                samples = np.frombuffer(event.frame.data, np.int16).copy()
                track.take(self.now_seconds - samples.size / SAMPLE_RATE, samples)
                self._changes.tell()
        finally:
            track.close()
            self._changes.tell()
            await stream.aclose()


def _answers(participant: rtc.Participant) -> bool:
    """Whether it is an agent, of whatever make, and not one that only writes down."""
    is_agent = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    return is_agent and participant.attributes.get(Attribute.ROLE) != "transcribes"
