"""Transcribes a room: shows each participant's words under their name, and says nothing.

It transcribes everybody with a microphone, except people whom one of our agents serves: that agent
publishes their words itself.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from livekit import rtc
from livekit.agents import APIError, AutoSubscribe, JobContext, stt

from agent.call.endings import count_as_failed
from agent.call.log_context import log_words
from agent.call.people.participants import (
    AgentRole,
    our_agents,
    served,
)
from agent.call.providers import assemblyai_stt, shared_budget
from agent.call.voices.speaker import Speaker
from agent.call.voices.speakers import Speakers
from agent.call.voices.voice_feed import SAMPLE_RATE, Audio, open_audio
from agent.room_names import Attribute
from agent.tasks import OwnedTask
from config.settings import Settings
from stt_assemblyai.events import SessionUsage

log = logging.getLogger(__name__)

FORMATTING_MS = 2000  # nobody waits for an answer, so a final can wait for its punctuation
OPEN_TURNS_SECONDS = 10
CLOSING_SECONDS = 1.0
"""If a job ends because its room has closed, the job learns of that within this time."""

EMPTY = "nobody is left in the room"
NOBODY_CAME = "nobody came in time"
ROOM_CLOSED = "the room closed"
OTHER_TRANSCRIBER = "another transcriber was there already"
DEAF = "the speech recognition failed"
STOPPED = "the worker was stopped"
FAULT = "the transcriber has a fault"


class TranscriberKit:
    """The parts of a transcriber. It has opened no connection."""

    def __init__(self, settings: Settings) -> None:
        hearing = settings.assemblyai
        self._settings = settings
        self.agent = settings.agent
        self.stt = assemblyai_stt(
            hearing,
            budget=shared_budget(settings),
            options=hearing.session.revised(sample_rate=SAMPLE_RATE),
            wait_for_formatted_ms=max(hearing.wait_for_formatted_ms, FORMATTING_MS),
            replies=False,
        )

    def again(self) -> "TranscriberKit":
        """The same for another room in this process: its speech recognition has listeners."""
        return TranscriberKit(self._settings)


async def transcribe_room(job: JobContext) -> None:
    """Take a job. Returns once the room is joined, and leaves the work to a task of the job."""
    try:
        await job.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)
    except rtc.ConnectError as error:
        log.error("could not join the room", extra={"error": str(error)})  # noqa: TRY400  one sentence, no stack
        count_as_failed()
        job.shutdown(ROOM_CLOSED)
        return
    transcription = Transcription(job, job.proc.userdata["parts"])
    job.proc.userdata["transcription"] = transcription
    transcription.begin()


async def finish(job: JobContext) -> None:
    """End a job while it is still in the room: LiveKit leaves the room when this returns."""
    if transcription := job.proc.userdata.get("transcription"):
        await transcription.stop()


class Transcription:
    """A room in progress. Everything that ends it calls `end`; the first reason counts."""

    def __init__(
        self,
        job: JobContext,
        kit: TranscriberKit,
        *,
        open_audio: Callable[[rtc.Track], Audio] = open_audio,
    ) -> None:
        self._job = job
        self._room = job.room
        self._kit = kit
        self._loop = asyncio.get_running_loop()
        self._ending: asyncio.Future[str] = self._loop.create_future()
        self._tasks = asyncio.TaskGroup()
        self._speakers = Speakers(self._start, self._update_speakers)
        self._open_audio = open_audio
        self._absence: asyncio.TimerHandle | None = None
        self._running: OwnedTask[None] | None = None

    def begin(self) -> None:
        """Transcribe from now on."""
        self._running = OwnedTask(self._run(), name="transcription")

    async def stop(self) -> None:
        """End it because the job has to end. Returns when the last words are published.

        LiveKit's server ends the jobs of a room that closes, and the job may learn of either first.
        So wait for the room's end; a stopped worker leaves the room open.
        """
        await asyncio.wait((self._ending,), timeout=CLOSING_SECONDS)
        self.end(STOPPED)
        if self._running:
            await self._running.result()

    def end(self, reason: str) -> None:
        """End it for this reason, unless it is ending already."""
        if not self._ending.done():
            self._ending.set_result(reason)

    async def _run(self) -> None:
        """Transcribe until something ends it, finish every open turn, and shut the job down."""
        try:
            async with asyncio.timeout(None) as deadline, self._tasks:
                self._watch_room()
                await asyncio.shield(self._ending)  # a fault in a task must not cancel it
                deadline.reschedule(self._loop.time() + OPEN_TURNS_SECONDS)
                self._speakers.hear(())
        except TimeoutError:
            log.warning("last words may be missing")
        except Exception:  # a fault of ours must still shut the job down
            log.exception("the transcription failed")
            self.end(FAULT)
        finally:
            self._expect_nobody()
        log.info("transcription ended", extra={"ending": self._ending.result()})
        self._job.shutdown(self._ending.result())

    def _watch_room(self) -> None:
        room, agent = self._room, self._kit.agent
        if our_agents(room, AgentRole.TRANSCRIBES, agent.name):
            self.end(OTHER_TRANSCRIBER)  # two workers may have asked for one at once
            return
        self._kit.stt.on("billed", _log_usage)
        room.on("track_subscribed", lambda *_: self._update_speakers())
        room.on("participant_attributes_changed", self._on_attributes)
        room.on("participant_connected", lambda _: self._count(agent.reconnect_grace_seconds))
        room.on("participant_disconnected", self._on_left)
        room.on("disconnected", lambda _: self.end(ROOM_CLOSED))
        self._count(agent.caller_timeout_seconds, NOBODY_CAME)
        self._update_speakers()

    def _on_attributes(self, changed: dict[str, str], _: rtc.Participant) -> None:
        if Attribute.CALLER in changed or Attribute.HEARS in changed:
            self._update_speakers()

    def _on_left(self, who: rtc.RemoteParticipant) -> None:
        self._speakers.close(who.identity)
        self._update_speakers()  # an agent may have left its caller to us
        self._count(self._kit.agent.reconnect_grace_seconds)

    def _count(self, patience_seconds: float, reason: str = EMPTY) -> None:
        """Leave an empty room, but not at once: a page that reloads comes back."""
        self._expect_nobody()
        if not any(map(_has_a_voice, self._room.remote_participants.values())):
            self._absence = self._loop.call_later(patience_seconds, self.end, reason)

    def _expect_nobody(self) -> None:
        if self._absence is not None:
            self._absence.cancel()
            self._absence = None

    def _update_speakers(self) -> None:
        """Transcribe everybody except agents, recorders and people whom our agents serve."""
        if self._ending.done():
            return
        elsewhere = served(self._room)
        self._speakers.hear(
            each
            for each in self._room.remote_participants.values()
            if _has_a_voice(each) and each.identity not in elsewhere
        )

    def _start(self, identity: str) -> Speaker:
        """Transcribe this participant from now on."""
        speaker = Speaker(
            self._room,
            identity,
            self._kit.stt,
            open_audio=self._open_audio,
            on_event=partial(self._log_turn, identity),
        )
        self._tasks.create_task(self._hear(speaker))
        return speaker

    def _log_turn(self, identity: str, event: stt.SpeechEvent) -> None:
        is_turn = event.type is stt.SpeechEventType.FINAL_TRANSCRIPT and event.alternatives[0].text
        if is_turn and self._kit.agent.log_transcripts:
            log_words(identity, event.alternatives[0].text)

    async def _hear(self, speaker: Speaker) -> None:
        """Transcribe one voice from its first sound to its last word."""
        try:
            await speaker.run()
        except* APIError as errors:
            if not self._ending.done():
                error = str(errors.exceptions[0])
                log.error("the speech service failed", extra={"error": error})  # noqa: TRY400  one sentence, no stack
            self.end(DEAF)


def _log_usage(usage: SessionUsage) -> None:
    fields = {"session_id": usage.session_id, "billed_seconds": round(usage.billed_seconds, 1)}
    log.info("speech session ended", extra=fields)


def _has_a_voice(participant: rtc.RemoteParticipant) -> bool:
    """Whether it may speak: agents publish their own words, and recorders have none."""
    return participant.kind not in (
        rtc.ParticipantKind.PARTICIPANT_KIND_AGENT,
        rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS,
    )
