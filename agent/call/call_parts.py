"""What one call is made of, and how its parts come to know each other."""

import asyncio
from abc import ABC, abstractmethod

from livekit.agents import JobContext
from livekit.agents.types import TOPIC_CHAT

from agent.assistant import Assistant
from agent.call.agents import CallAgents
from agent.call.call_reports import CallReports
from agent.call.call_tools import CallTools, change_patience_tool, end_call_tool
from agent.call.changing_hands import ChangingHands
from agent.call.chat import Chat, hear_in
from agent.call.endings import Ending
from agent.call.failures import Failures
from agent.call.hang_up import HangUp
from agent.call.history.late_formatting import LateFormatting
from agent.call.log_context import TurnLog, name_caller
from agent.call.mcp_tools import follow_mcp
from agent.call.output.canned_prompts import SAMPLE_RATE
from agent.call.output.room_voice import speak_in_room
from agent.call.output.side_track import SideTrack, side_track
from agent.call.people.authority import Authority, Role, on_rpc
from agent.call.people.presence import Presence
from agent.call.recording.keeping import Keeping, first_words
from agent.call.reply.broken_answers import BrokenAnswers
from agent.call.reply.fillers import Fillers, fillers_on
from agent.call.reply.greeting_prefetch import GreetingPrefetch
from agent.call.session import SessionParts, build_session, room_options
from agent.call.session_events import subscribe
from agent.call.silence import Silence
from agent.call.takeover.gate import Gate
from agent.call.takeover.gated_events import GatedEvents
from agent.call.takeover.protocol import common_version
from agent.call.turn_record.opening import recorder_of
from agent.call.turns.shown_patience import ShownPatience
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.group import Group, GroupSTT
from agent.call.voices.voice_feed import CallerInput, SessionInput
from agent.livekit_private import publish_no_words
from agent.room_names import Method
from agent.tasks import OwnedTask
from config.behaviour import AgentSettings
from config.per_call import settings_of_call


class CallParts(ABC):
    """The parts of one call, in the room of its job."""

    @abstractmethod
    def end(self, ending: Ending) -> None:
        """End the call for this reason, unless it is ending already."""

    def __init__(self, job: JobContext, parts: SessionParts) -> None:
        self._job = job
        self._files = job.proc.userdata.get("files_now")  # under development a `FilesNow`
        self._own = settings_of_call((self._files or parts).settings, job.job.metadata)
        self._parts = parts.for_call(self._own.settings)
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._presence = self._watch_room()
        self._hang_up = HangUp(job, self._agent, self._presence)
        self._keeping = Keeping(self._agent, job.job.room.sid)
        self._recorder = recorder_of(job, self._own.settings, self._keeping, self._presence)
        hears_all = self._agent.hears == "everybody" and not job.is_fake_job()
        self._session = build_session(self._parts, GroupSTT() if hears_all else None)
        self._reports = CallReports(job, self._parts.llm, self._parts.tts)
        self._turn_taking = TurnTaking(
            self._own.settings,
            self._parts.assemblyai,
            self._session,
            None if hears_all else self._parts.end_of_turn,
            tell=self._reports.overlapped,
        )
        self._group = self._gather() if hears_all else None
        is_sole = self._parts.stt is self._parts.assemblyai and not hears_all
        self._silence = Silence(self._session, self._agent, self.end, knows_stt=is_sole)
        broken_answers = BrokenAnswers(self._session, self._agent.refusal, self._agent.language)
        self._failures = Failures(broken_answers, self.end, self._ending.done)
        self._late_formatting = LateFormatting(self._session, self._recorder.formatted)
        self._greeting_prefetch: GreetingPrefetch | None = None
        if not self._keeping.said_before:
            self._greeting_prefetch = GreetingPrefetch(self._session, first_words(self._agent))
            job.add_shutdown_callback(self._greeting_prefetch.aclose)
        self._hands = self._changing_hands()
        self._input: SessionInput | None = None
        report = self._keeping.report(job, self._session, self._own.settings)
        for each in (self._turn_taking, self._presence, self._parts.llm, self._parts.tts, report):
            job.add_shutdown_callback(each.aclose)

    def _watch_room(self) -> Presence:
        return Presence(
            self._job.room,
            self._agent,
            end=self.end,
            on_next_caller=self._serve,
            gives_over=lambda versions: common_version(versions) is not None,
        )

    def _changing_hands(self) -> ChangingHands:
        return ChangingHands(
            self._job,
            self._own.settings,
            self._session,
            self._presence,
            self._keeping,
            self._recorder,
            self._turn_taking,
            self._silence,
        )

    @property
    def _agent(self) -> AgentSettings:
        return self._own.settings.agent

    def _gather(self) -> Group:
        sift = self._turn_taking.sift_one
        return Group(self._job.room, self._agent.operators, self._parts.stt, sift)

    def _serve(self, caller: str) -> None:
        name_caller(self._job, caller)
        if self._group and self._group.is_heard:
            self._session.room_io.set_participant(caller)

    def _agents(self, fillers: Fillers | None) -> CallAgents:
        return CallAgents(
            self._session,
            self._turn_taking,
            CallTools(
                self._session,
                change_patience_tool(self._turn_taking),
                end_call_tool(self._agent.goodbye, lambda: self.end(Ending.AGENT_ENDED)),
                timeout_seconds=self._agent.tool_timeout_seconds,
            ),
            self._agent.greeting,
            None if self._hands.is_waiting else self._greeting_prefetch,
            gated=GatedEvents(Gate(is_open=not self._hands.is_waiting)),
            waits=self._hands.is_waiting,
            said_before=self._keeping.said_before,
            before_speech=fillers.make_way if fillers else None,
            cannot_hear=self._failures.cannot_hear,
            group=self._group,
            tap=self._keeping.tap(),
            consent=self._keeping.consent(self._own.settings, self._session, self._recorder.emit),
            recorder=self._recorder,
            language=self._agent.language,
        )

    async def _start(self) -> None:
        self._put_backchannel_in_room()
        fillers = self._fillers()
        agents = self._hands.agents = self._agents(fillers)
        self._subscribe(fillers, agents)
        served = OwnedTask(follow_mcp(self._agent, agents.offer), name="MCP server")
        self._job.add_shutdown_callback(served.aclose)
        assistant = Assistant(self._own.settings.prompt, self._own.application)
        if (caller := self._presence.caller_identity) is None:
            await self._session.start(assistant, record=False)
            return
        heard = self._group.input if self._group else CallerInput(self._job.room, caller)
        self._input = heard
        self._job.add_shutdown_callback(heard.aclose)
        heard.tap = self._keeping.hear
        self._session.input.audio = heard
        speak_in_room(self._job, self._session)
        await self._session.start(
            assistant,
            room=self._job.room,
            room_options=room_options(caller),
            # Otherwise any participant can read the instructions, inject text, and stop the STT.
            session_host=False,
            # Otherwise a switch on the server decides whether callers are recorded.
            record=False,
        )
        if self._group:
            await publish_no_words(self._session)
        self._obey(caller)
        shown = ShownPatience(self._job.room.local_participant.set_attributes)
        self._job.add_shutdown_callback(shown.aclose)
        self._turn_taking.watch(shown.change)
        if not self._hands.is_waiting:
            await self._presence.show_caller()

    def _obey(self, caller: str) -> None:
        """Accept typed texts and turn presets from the caller and from operators."""
        others = self._group.has if self._group else lambda _: False
        authority = Authority(caller, self._agent.operators, others=others)
        on_rpc(
            self._job.room.local_participant,
            Method.TURN_PRESET,
            self._turn_taking.change_by_name,
            authority,
            *Role,
        )
        said = self._group.typed if self._group else None
        hear = hear_in(self._session, said, self._recorder.typed)
        chat = Chat(authority, hear, on_typed=self._presence.typed)
        self._hands.chat = chat
        if self._parts.stt is not self._parts.assemblyai:  # nobody says when it hears
            self._hands.is_heard.set()
        if self._hands.is_waiting:
            chat.hold()
        self._job.room.register_text_stream_handler(TOPIC_CHAT, chat.on_text)
        self._job.add_shutdown_callback(chat.close)

    def _put_backchannel_in_room(self) -> None:
        sound = self._turn_taking.backchannel_sound
        if sound and not self._job.is_fake_job():
            sound.track = self._side_track("listening", sound.sample_rate)

    def _fillers(self) -> Fillers | None:
        """What plays fillers in the room; None if nothing does."""
        if self._job.is_fake_job() or not self._agent.filler_seconds:
            return None
        fillers = fillers_on(self._side_track("filler", SAMPLE_RATE), self._session, self._agent)
        fillers.on_filler = self._recorder.filler
        self._job.add_shutdown_callback(fillers.aclose)
        return fillers

    def _side_track(self, name: str, sample_rate: int) -> SideTrack:
        track = side_track(self._job.room, name, sample_rate, self._keeping.tap())
        self._job.add_shutdown_callback(track.aclose)
        return track

    def _subscribe(self, fillers: Fillers | None, agents: CallAgents) -> None:
        subscribe(
            self._session,
            self._parts.assemblyai,
            self._group,
            self._late_formatting,
            self._failures.broken_answers,
            self._recorder,
            TurnLog() if self._agent.log_transcripts else None,
            self._silence,
            self._turn_taking,
            fillers,
            agents,
            agents.tools.limits,
            self._failures,
            self._reports,
            self._hands,
        )
