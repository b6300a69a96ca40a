"""A room that is written down: each participant's words, under that participant's name, unspoken.

A track that is muted, or gone, ends its stream and with it the session that is paid for; a track
that speaks again gets a new one. Which track belongs to which stream is decided in one place.
"""

import asyncio
import contextlib
import logging

from livekit import rtc
from livekit.agents import APIError, AutoSubscribe, JobContext, stt, utils
from livekit.agents.types import (
    ATTRIBUTE_TRANSCRIPTION_FINAL,
    ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID,
    ATTRIBUTE_TRANSCRIPTION_TRACK_ID,
    TOPIC_TRANSCRIPTION,
)

from agent.call.endings import count_as_failed
from agent.call.providers import ears_of
from config.settings import Settings
from stt_assemblyai.ledger import Bill

log = logging.getLogger(__name__)

SAMPLE_RATE = 16_000
FORMATTING_MS = 2000  # nobody waits for an answer: a final may wait for its punctuation
LAST_WORDS_SECONDS = 10

EMPTY = "nobody is left in the room"
NOBODY_CAME = "nobody came in time"
ROOM_CLOSED = "the room closed"
DEAF = "the speech recognition failed"
STOPPED = "the worker was stopped"
FAULT = "the transcriber has a fault"


class Pen:
    """What a transcriber is made of; it has opened no connection."""

    def __init__(self, settings: Settings) -> None:
        hearing = settings.assemblyai
        self.agent = settings.agent
        self.ears = ears_of(
            hearing,
            options=hearing.session.revised(sample_rate=SAMPLE_RATE),
            wait_for_formatted_ms=max(hearing.wait_for_formatted_ms, FORMATTING_MS),
            replies=False,
        )


async def write_down(job: JobContext) -> None:
    """Take a job. Returns once the room is joined; the work is a task of the job."""
    try:
        await job.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)
    except rtc.ConnectError as error:
        log.error("could not join the room", extra={"error": str(error)})  # noqa: TRY400  one sentence, no stack
        count_as_failed()
        job.shutdown(ROOM_CLOSED)
        return
    transcription = Transcription(job, job.proc.userdata["equipment"])
    task = asyncio.create_task(transcription.hold(), name="transcription")

    async def finish(_reason: str) -> None:
        transcription.end(STOPPED)
        await task

    job.add_shutdown_callback(finish)


class Transcription:
    """A room in progress. Whatever ends it goes through `end`, and the first reason counts."""

    def __init__(self, job: JobContext, pen: Pen) -> None:
        self._job = job
        self._room = job.room
        self._pen = pen
        self._loop = asyncio.get_running_loop()
        self._ending: asyncio.Future[str] = self._loop.create_future()
        self._tasks = asyncio.TaskGroup()
        self._open: dict[str, rtc.AudioStream] = {}  # by the track's sid
        self._absence: asyncio.TimerHandle | None = None

    def end(self, reason: str) -> None:
        """Let it end for this reason, unless it is ending already."""
        if not self._ending.done():
            self._ending.set_result(reason)

    async def hold(self) -> None:
        """Write until something ends it, finish every open turn, and shut the job down."""
        try:
            async with asyncio.timeout(None) as deadline, self._tasks:
                self._watch_room()
                await asyncio.shield(self._ending)  # a fault in a task must not cancel it
                deadline.reschedule(self._loop.time() + LAST_WORDS_SECONDS)
                for sid in list(self._open):
                    self._close(sid)
        except TimeoutError:
            log.warning("last words may be missing")
        except Exception:
            log.exception("the transcription failed")
            self.end(FAULT)
        finally:
            self._expect_nobody()
        log.info("transcription ended", extra={"ending": self._ending.result()})
        self._job.shutdown(self._ending.result())

    def _watch_room(self) -> None:
        room, agent = self._room, self._pen.agent
        self._pen.ears.on("billed", _log_bill)
        room.on("track_subscribed", lambda _, publication, who: self._look(publication, who))
        room.on("track_unmuted", lambda who, publication: self._look(publication, who))
        room.on("track_muted", lambda _, publication: self._close(publication.sid))
        room.on("track_unsubscribed", lambda _, publication, __: self._close(publication.sid))
        room.on("participant_connected", lambda _: self._count(agent.reconnect_grace_seconds))
        room.on("participant_disconnected", lambda _: self._count(agent.reconnect_grace_seconds))
        room.on("disconnected", lambda _: self.end(ROOM_CLOSED))
        self._count(agent.caller_timeout_seconds, NOBODY_CAME)
        for participant in room.remote_participants.values():
            for publication in participant.track_publications.values():
                self._look(publication, participant)

    def _count(self, patience_seconds: float, reason: str = EMPTY) -> None:
        """An empty room is left, but not at once: a page that is loaded anew comes back."""
        self._expect_nobody()
        if not any(map(_has_a_voice, self._room.remote_participants.values())):
            self._absence = self._loop.call_later(patience_seconds, self.end, reason)

    def _expect_nobody(self) -> None:
        if self._absence is not None:
            self._absence.cancel()
            self._absence = None

    def _look(self, publication: rtc.TrackPublication, who: rtc.Participant) -> None:
        """Hear a track that can be heard and is not heard yet."""
        track = publication.track
        if (
            track is None
            or track.kind != rtc.TrackKind.KIND_AUDIO
            or publication.muted
            or publication.sid in self._open
            or not isinstance(who, rtc.RemoteParticipant)
            or not _has_a_voice(who)
            or self._ending.done()
        ):
            return
        # Here and now: by the time that a task runs, the track may be gone.
        audio = rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=50)
        self._open[publication.sid] = audio
        self._tasks.create_task(self._hear(audio, Words(self._room, who.identity, publication.sid)))

    def _close(self, sid: str) -> None:
        """The sound of a track ends here; its last words are still to come."""
        if audio := self._open.pop(sid, None):
            self._tasks.create_task(audio.aclose())

    async def _hear(self, audio: rtc.AudioStream, words: "Words") -> None:
        """One track from its first sound to its last word."""
        async with self._pen.ears.stream() as stream, asyncio.TaskGroup() as tasks:
            feeding = tasks.create_task(_feed(audio, stream))
            try:
                async for event in stream:
                    await words.take(event)
            except APIError as error:
                if not self._ending.done():
                    log.error("the speech service failed", extra={"error": str(error)})  # noqa: TRY400  one sentence, no stack
                self.end(DEAF)
            feeding.cancel()


class Words:
    """One participant's words in the room, as a session would publish them."""

    def __init__(self, room: rtc.Room, identity: str, track_sid: str) -> None:
        self._room = room
        self._identity = identity
        self._track_sid = track_sid
        self._segment_id = utils.shortuuid("SG_")

    async def take(self, event: stt.SpeechEvent) -> None:
        """Publish the turn so far, or the whole of it; a room that is gone reads nothing."""
        if not event.alternatives:
            return
        final = event.type is stt.SpeechEventType.FINAL_TRANSCRIPT
        attributes = {
            ATTRIBUTE_TRANSCRIPTION_FINAL: str(final).lower(),
            ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID: self._segment_id,
            ATTRIBUTE_TRANSCRIPTION_TRACK_ID: self._track_sid,
        }
        if final:
            self._segment_id = utils.shortuuid("SG_")
        if self._room.isconnected():
            with contextlib.suppress(ConnectionError):
                writer = await self._room.local_participant.stream_text(
                    topic=TOPIC_TRANSCRIPTION,
                    sender_identity=self._identity,
                    attributes=attributes,
                )
                await writer.write(event.alternatives[0].text)
                await writer.aclose()


async def _feed(audio: rtc.AudioStream, stream: stt.RecognizeStream) -> None:
    # A stream that failed takes nothing more; whoever reads its events learns why.
    with contextlib.suppress(RuntimeError):
        async for event in audio:
            stream.push_frame(event.frame)
        stream.end_input()


def _log_bill(bill: Bill) -> None:
    fields = {"session_id": bill.session_id, "billed_seconds": round(bill.billed_seconds, 1)}
    log.info("speech session ended", extra=fields)


def _has_a_voice(participant: rtc.RemoteParticipant) -> bool:
    """Agents publish what they say themselves, and who stands by to record says nothing."""
    return participant.kind not in (
        rtc.ParticipantKind.PARTICIPANT_KIND_AGENT,
        rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS,
    )
