"""Lets one session hear everybody in a room: a stream of speech events for each person, one voice
detector for all, and in the history who said what.

    a track --> a stream --> sifted by itself --.
    a track --> a stream --> sifted by itself --+--> crosstalk --> named --> the session
        `----------------------------------------> mixer --> the session's voice detector
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Hashable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

from livekit import rtc
from livekit.agents import (
    APIError,
    ChatMessage,
    ConversationItemAddedEvent,
    stt,
    utils,
)
from livekit.rtc.room import EventTypes

from agent.call.people.participants import show, speakers
from agent.call.voices.crosstalk import Crosstalk
from agent.call.voices.mixer import Mixer
from agent.call.voices.speaker import Speaker
from agent.call.voices.speakers import Speakers
from agent.call.voices.voice_feed import Audio, SessionInput, open_audio, silence
from agent.call.voices.who_spoke import Attribution, Person, SpeakerNames
from agent.room_names import Attribute
from agent.tasks import OwnedTask
from stt_assemblyai.events import LateFormat

log = logging.getLogger(__name__)

Sift = Callable[[AsyncIterable[stt.SpeechEvent], Person], AsyncGenerator[stt.SpeechEvent]]
"""Filters one speaker's events for the session."""

_Events = utils.aio.Chan[stt.SpeechEvent]

_CHANGES: tuple[EventTypes, ...] = (
    "track_subscribed",
    "participant_disconnected",
    "participant_permissions_changed",
    "participant_attributes_changed",
)


INSTRUCTIONS = """
Several people are in this room and hear you. What each of them says begins with that person's name
and a colon. Answer the one who spoke, or all of them; use a name where it would not be clear whom
you mean. Do not begin your own words with a name and a colon. End the call only when all of them
have said goodbye.
"""
"""Added to the model's instructions."""


class DeafError(Exception):
    """Nobody is heard any more; the message is the speech service's own."""


class Group:
    """The people of one call. `input` is what the session's voice detector hears."""

    def __init__(
        self,
        room: rtc.Room,
        operators: Sequence[str],
        recogniser: stt.STT[Any],
        sift: Sift,
        *,
        open_audio: Callable[[rtc.Track], Audio] = open_audio,
    ) -> None:
        self.input = GroupInput()
        self._room = room
        self._operators = operators
        self._recogniser = recogniser
        self._sift = sift
        self._open_audio = open_audio
        self._names = SpeakerNames()
        self._attribution = Attribution()
        self._crosstalk = Crosstalk()
        self._speakers = Speakers(self._open, self._update_speakers)
        self._tasks = asyncio.TaskGroup()
        self.is_heard = False
        """Whether a session listens."""
        self._heard: asyncio.Queue[stt.SpeechEvent | DeafError | None] = asyncio.Queue()

    async def hear(self, audio: AsyncIterable[rtc.AudioFrame]) -> AsyncGenerator[stt.SpeechEvent]:
        """Everybody's speech events, for `Agent.stt_node`. Drops `audio`: each voice has a stream
        of its own.

        Raises DeafError.
        """
        async with (
            OwnedTask(self._listen(), name="group") as listening,
            OwnedTask(_drop(audio), name="unheard"),
        ):
            while event := await self._heard.get():
                if isinstance(event, DeafError):
                    raise event
                if self.input.is_attached:
                    yield event
            await listening.result()  # raises the error that ended it

    def on_item_added(self, event: ConversationItemAddedEvent) -> None:
        """Mark in a message of the session's history who said what."""
        if isinstance(event.item, ChatMessage) and event.item.role == "user":
            self._attribution.mark(event.item)

    def has(self, identity: str) -> bool:
        """Whether this participant is heard."""
        return any(each.identity == identity for each in speakers(self._room, self._operators))

    def typed(self, identity: str, words: str) -> str:
        """What the model reads when this participant types these words."""
        return self._attribution.note(self._person(identity).line(words))

    def unnamed(self, text: str) -> str:
        """The text without the speakers' names."""
        return self._attribution.unnamed(text)

    def on_late_format(self, late: LateFormat) -> None:
        """Show a late formatted text on screens."""
        for speaker in self._speakers.all if self.is_heard else ():
            self._tasks.create_task(speaker.show_formatted(late))

    async def _listen(self) -> None:
        try:
            async with self._tasks:
                for name in _CHANGES:
                    self._room.on(name, self._update_speakers)
                self.is_heard = True
                self._update_speakers()
                await asyncio.Event().wait()
        finally:
            for name in _CHANGES:
                self._room.off(name, self._update_speakers)
            self.is_heard = False
            self._heard.put_nowait(None)

    def _update_speakers(self, *_: object) -> None:
        if not self.is_heard:
            return
        before = self._speakers.identities
        self._speakers.hear(speakers(self._room, self._operators))
        if self._speakers.identities != before:
            self._tasks.create_task(self._show())

    async def _show(self) -> None:
        """Show the room which people are heard. A transcriber leaves their voices to this agent."""
        heard = json.dumps(self._speakers.identities)
        await show(self._room.local_participant, Attribute.HEARS, heard)

    def _person(self, identity: str) -> Person:
        participant = self._room.remote_participants.get(identity)
        return self._names.person(identity, participant.name if participant else "")

    def _open(self, identity: str) -> Speaker:
        """Hear this participant from now on."""
        events = _Events()
        speaker = Speaker(
            self._room,
            identity,
            self._recogniser,
            open_audio=self._open_audio,
            on_event=events.send_nowait,
            on_frame=partial(self.input.mix, events),
        )
        self._tasks.create_task(self._hear_one(speaker, events))
        return speaker

    async def _hear_one(self, speaker: Speaker, events: _Events) -> None:
        async with OwnedTask(self._forward(speaker.identity, events), name="speaker") as forwarding:
            try:
                await speaker.run()
            except* APIError as errors:
                self._fail(speaker, str(errors.exceptions[0]))
            finally:
                self.input.mix(events, None)
                events.close()
                await forwarding.result()

    def _fail(self, speaker: Speaker, error: str) -> None:
        """Try this speaker again later. If nobody else is heard, end the listening."""
        self._speakers.rest(speaker.identity)
        if self._speakers:
            log.error("one of several speakers is not heard", extra={"error": error})
        else:
            self._heard.put_nowait(DeafError(error))

    async def _forward(self, identity: str, events: _Events) -> None:
        """Pass this person's events on to the session, under their name."""
        person = self._person(identity)
        async with aclosing(self._sift(events, person)) as sifted:
            async for event in sifted:
                self._say(person, self._crosstalk.push(events, event))
        self._say(person, self._crosstalk.gone(events))

    def _say(self, person: Person, events: Sequence[stt.SpeechEvent]) -> None:
        for event in events:
            self._heard.put_nowait(self._named(person, event))

    def _named(self, person: Person, event: stt.SpeechEvent) -> stt.SpeechEvent:
        if not event.alternatives:
            return event
        best = event.alternatives[0]
        line = person.line(best.text)
        if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
            self._attribution.note(line)
        # Without times: these count from the first sound of this stream, not of the session's.
        named = replace(
            best,
            text=line.for_model,
            speaker_id=person.identity,
            start_time=0.0,
            end_time=0.0,
            words=None,
        )
        return replace(event, alternatives=[named])


class GroupInput(SessionInput):
    """The sum of all voices."""

    def __init__(self) -> None:
        super().__init__(label="group")
        self._mixer = Mixer()

    def mix(self, voice: Hashable, frame: rtc.AudioFrame | None) -> None:
        """Mix in the next frame of one voice; None when this voice falls away for now."""
        if frame is None:
            if self._mixer.leave(voice):
                self.push(silence())
            return
        for each in self._mixer.push(voice, frame):
            self.hear(each)


class GroupSTT(stt.STT[Any]):
    """A placeholder for the session's STT, without which the session would not listen.

    Each speaker has a stream of their own, and errors in it do not reach the session.
    """

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))

    async def _recognize_impl(self, *_: Any, **__: Any) -> stt.SpeechEvent:
        raise NotImplementedError("each speaker has a stream of its own: agent.call.voices.group")


async def _drop(audio: AsyncIterable[rtc.AudioFrame]) -> None:
    async for _ in audio:
        pass
