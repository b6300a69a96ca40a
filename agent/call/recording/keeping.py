"""What is kept of one call: its record and, if wanted, its sound."""

import logging
from collections.abc import Callable
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession, JobContext

from agent.call.consent import Answer, Consent, answer_in
from agent.call.history.record import open_record, record_file, unfinished
from agent.call.history.session_report import ReportFile
from agent.call.recording.recorder import Recorder, Tap, open_recorder
from agent.fleet.client import open_redis
from agent.fleet.live_calls import LiveCall
from agent.records.schema import Audio, End, Line
from agent.records.schema import Consent as ConsentLine
from agent.tasks import Tasks
from config.behaviour import AgentSettings
from config.settings import Settings

log = logging.getLogger(__name__)


def first_words(agent: AgentSettings) -> str:
    """What the agent says first: the question whether it may record, or else the greeting."""
    return (agent.consent if agent.record_dir else None) or agent.greeting


class Keeping:
    """Opens the record of the call in a room."""

    def __init__(self, agent: AgentSettings, room_sid: str) -> None:
        self.record, self.said_before = open_record(agent.record_dir, room_sid)
        self.answer: Answer | None = None
        """What the caller answered about recording; None: nobody has asked, or no answer came."""
        self._file = record_file(agent.record_dir, room_sid) if agent.record_dir else None
        self._beside = (
            record_file(agent.record_dir, room_sid)
            if agent.record_dir and agent.record_audio
            else None
        )
        self._live: LiveCall | None = None
        if agent.record_dir and (redis := open_redis(agent.redis_url)):
            self._live = LiveCall(redis, room_sid, record_file(agent.record_dir, room_sid))
        self._sound: Recorder | None = None
        self._is_refused = False
        self._tasks = Tasks()

    def write(self, line: Line) -> None:
        """Write a line of the record; after a refusal only what holds no words."""
        if not self._is_refused or isinstance(line, ConsentLine | End):
            self.record.write(line)
            if self._live:
                self._live.written(line)

    @property
    def name(self) -> str:
        """The name of the record's file; empty without one."""
        return self._file.name if self._file else ""

    def read_again(self) -> None:
        """Another agent had the call since the record was opened, and has died."""
        self.said_before = unfinished(self._file) if self._file else []

    def take_over(self, answer: Answer | None) -> None:
        """Another agent had the call, and has asked the caller already."""
        self.answer = answer
        self._is_refused = answer == "no"

    def report(self, job: JobContext, session: AgentSession[Any], settings: Settings) -> ReportFile:
        """LiveKit's own report of the session, to be written at its end."""
        return ReportFile(job, session, settings, self.may_keep)

    def may_keep(self) -> bool:
        """Whether the caller has not refused."""
        return not self._is_refused

    def consent(
        self, settings: Settings, session: AgentSession[Any], tell: Callable[[Line], None]
    ) -> Consent | None:
        """What asks the caller; None if nobody is to be asked."""
        agent, phrasebook = settings.agent, settings.files.phrasebook

        def answered(answer: Answer) -> None:
            self.answer = answer
            if answer == "no":
                self._refuse()
            tell(ConsentLine(answer=answer))

        if not agent.consent or not agent.record_dir:
            return None

        def judge(text: str) -> Answer:
            return answer_in(text, phrasebook.of(agent.language), phrasebook.each())

        return Consent(session, agent.consent, judge, answered)

    def _refuse(self) -> None:
        """The caller wants nothing kept: remove what was recorded, and record no more."""
        self._is_refused = True
        self.record.forget()
        if self._live:
            self._live.forgotten()
        if self._sound:
            self._tasks.start(self._sound.discard(), name="a recording that is not wanted")
        log.info("the caller does not want the call to be recorded")

    def begin_sound(self, at_ms: Callable[[float], int], tell: Callable[[Audio], None]) -> None:
        """Record the sound from now on, if it is wanted, and tell so. `at_ms` puts a time of the
        event loop on the call's clock."""
        if self._is_refused:
            return
        if self._beside and not self._sound and (sound := open_recorder(self._beside)):
            self._sound = sound
            tell(Audio(file=sound.path.name, starts_ms=at_ms(sound.began)))

    @property
    def hear(self) -> Callable[[rtc.AudioFrame], None] | None:
        """What takes the caller's frames as they arrive; None if no sound is kept."""
        return self._sound.hear if self._sound else None

    def tap(self) -> Tap | None:
        """What takes another one of the agent's voices; None if no sound is kept."""
        return self._sound.tap() if self._sound else None

    async def close(self) -> None:
        """Write no more. Takes as long as the disk, a few seconds at most."""
        await self._tasks.ended()
        if self._sound:
            await self._sound.aclose()
        if self._live:
            await self._live.aclose()
        self.record.close()  # from here on it may be sent away
