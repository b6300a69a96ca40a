"""Turn-taking: which of the caller's events a session gets, and what may interrupt the agent."""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import AbstractContextManager, aclosing

from livekit.agents import AgentSession, AgentStateChangedEvent, CloseEvent, SpeechCreatedEvent, stt
from livekit.agents.metrics import AgentMetrics

from agent.call.barge_in.barge_in_filter import BargeInFilter
from agent.call.barge_in.by_voice import VoiceBargeIn, limits_of
from agent.call.barge_in.floor import SessionFloor
from agent.call.barge_in.interruptions import asks_for_dictation, asks_to_wait
from agent.call.barge_in.outcomes import Outcomes, Tell
from agent.call.barge_in.shared_floor import SharedFloor
from agent.call.history.marked import Mark
from agent.call.output.playout import Playout
from agent.call.recording.recorder import Tap
from agent.call.takeover.state import Patience
from agent.call.turns.backchannel import Backchannel
from agent.call.turns.backchannel_sound import BackchannelSound
from agent.call.turns.dictated_answer import DictatedAnswer
from agent.call.turns.eagerness import Eagerness
from agent.call.turns.early_replies import EarlyReplies
from agent.call.turns.end_of_turn.detector import EndOfTurnDetector
from agent.call.turns.end_of_turn.held_ends import HeldEnds
from agent.call.turns.end_of_turn.opinions import Opinions
from agent.call.turns.endpointing import early_seconds, min_delay, thresholds
from agent.call.turns.thrown_away import ThrownAway
from agent.call.voices.vad_tap import TappedVAD
from agent.call.voices.who_spoke import Person
from config.settings import Settings
from stt_assemblyai.models import PRESETS, Preset
from stt_assemblyai.stt import STT

log = logging.getLogger(__name__)


class TurnTaking:
    """One call's patience, and what may interrupt its agent.

    AssemblyAI's thresholds and LiveKit's delay change together, also in mid-call. A value that an
    operator sets by its own name wins over every preset. `detector` gives the second opinion, if
    one is wanted; `tell` is called with the outcome of each utterance over the agent's speech.
    """

    def __init__(
        self,
        settings: Settings,
        assemblyai: STT,
        session: AgentSession[None],
        detector: EndOfTurnDetector | None = None,
        tell: Tell | None = None,
    ) -> None:
        self._settings = settings
        self._assemblyai = assemblyai
        self._session = session
        self._preset = settings.agent.turn_preset
        self._answer = DictatedAnswer(self._apply)
        barge_in = VoiceBargeIn(limits_of(settings.agent), settings.vad_threshold)
        playout = Playout()
        self.floor, self.outcomes = SessionFloor(session, playout, barge_in), Outcomes(tell)
        self._filter = BargeInFilter(
            settings.files.phrasebook,
            self.floor,
            playout,
            echo=settings.agent.echo == "auto",
            outcomes=self.outcomes,
        )
        self.opinions = Opinions(detector, settings.vad_threshold) if detector else None
        """The detector's opinions on the caller's pauses; None without a detector."""
        self.held_ends = self._hold_ends(self.opinions) if self.opinions else None
        self._early = EarlyReplies(
            Eagerness(settings.agent.eagerness, settings.vad_threshold), settings.files.phrasebook
        )
        self.backchannel_sound = self._backchannel() if settings.agent.backchannel_seconds else None
        """The sound in a caller's long turn; None if it is off."""
        self._watchers: list[Callable[[Preset, bool], None]] = []
        self._shared_floor = SharedFloor(self.floor)
        self._filters = [self._filter]  # and one for each of several speakers
        self.thrown_away = ThrownAway()

    def _hold_ends(self, opinions: Opinions) -> HeldEnds:
        return HeldEnds(
            opinions,
            turn_hold_seconds=self._settings.agent.turn_hold_ms / 1000,
            early_seconds=early_seconds(self._settings, self._preset),
            force_endpoint=self._assemblyai.force_endpoint,
            # Words over the agent's speech must reach `barge_in_filter` at once.
            may_wait=lambda: not self.floor.agent_has_it(),
        )

    def _backchannel(self) -> BackchannelSound:
        agent = self._settings.agent
        return BackchannelSound(
            self._session,
            Backchannel(agent.backchannel_seconds, self._settings.vad_threshold),
            self._settings,
            is_free=lambda: (
                self._session.agent_state == "listening" and not self.floor.agent_has_it()
            ),
        )

    @property
    def preset(self) -> Preset:
        """The preset in force."""
        return self._preset

    def change(self, preset: Preset) -> None:
        """Use this preset from now on, in the open turn as well."""
        log.info("turn preset", extra={"preset": preset})
        self._preset = preset
        self._apply()

    async def change_by_name(self, name: str) -> str:
        """The same for a request from the room. Returns the preset in force.

        Raises ValueError if no preset has this name.
        """
        preset = next((each for each in PRESETS if each == name.strip()), None)
        if preset is None:
            raise ValueError(f"the payload has to be one of {', '.join(PRESETS)}")
        self.change(preset)
        return preset

    def dictation(self) -> AbstractContextManager[None]:
        """Be patient with the pauses inside a number, an address or a spelling."""
        return self._answer.asked()

    @property
    def is_hearing(self) -> bool:
        """Whether words of the caller are judged, or an end is held back; or our own code waits for
        something dictated."""
        holds = self.held_ends is not None and self.held_ends.is_holding
        return holds or self._answer.is_asked or not all(each.is_idle for each in self._filters)

    def take(self) -> Patience:
        """How patient the agent is, for another one."""
        return Patience(
            preset=self._preset,
            dictation_left=self._answer.left_seconds,
            language=self._filter.language,
        )

    def restore(self, patience: Patience) -> None:
        """Be as patient as this. An unknown preset changes nothing."""
        self._preset = next((each for each in PRESETS if each == patience.preset), self._preset)
        self._filter.language = patience.language
        if patience.dictation_left is not None:
            self._answer.begin(patience.dictation_left)
        else:
            self._apply()

    def watch(self, watcher: Callable[[Preset, bool], None]) -> None:
        """Tell the preset, and whether something is dictated: now and at each change."""
        self._watchers.append(watcher)
        watcher(self._preset, self._early.is_dictated)

    def begin(self, tap: Tap | None = None) -> None:
        """Begin when the session has its output, before it speaks; `tap` hears the agent."""
        self.floor.begin(tap)
        if self.opinions and self.held_ends and isinstance(self._session.vad, TappedVAD):
            self._session.vad.taps += [self.opinions.hear, self.held_ends.hear]
        if isinstance(self._session.vad, TappedVAD):
            self._session.vad.taps.append(self._early.heard)
            if self.backchannel_sound:
                self._session.vad.taps.append(self.backchannel_sound.heard)

    def sift(self, events: AsyncIterable[stt.SpeechEvent]) -> AsyncGenerator[stt.SpeechEvent]:
        """The caller's events for the session, for use in `Agent.stt_node`."""
        if self.held_ends is not None:
            events = self.held_ends.sift(events)
        sifted = self._filter.sift(events)
        if self._settings.agent.eagerness != "off":
            sifted = self._early.watch(sifted)
        if self.backchannel_sound:
            sifted = self.backchannel_sound.watch(sifted)
        return self._unhurried(sifted)

    def is_to_wait(self, text: str) -> bool:
        """Whether a turn of the caller asks the agent to wait, and AGENT_HOLD_SECONDS allows it."""
        phrases = self._settings.files.phrasebook.of(self._filter.language)
        return self._settings.agent.hold_seconds > 0 and asks_to_wait(text, phrases)

    async def _unhurried(
        self, events: AsyncGenerator[stt.SpeechEvent]
    ) -> AsyncGenerator[stt.SpeechEvent]:
        """The same events, without preflights of a turn that only asks the agent to wait."""
        async with aclosing(events):
            async for event in events:
                begins_reply = event.type is stt.SpeechEventType.PREFLIGHT_TRANSCRIPT
                if begins_reply and self.is_to_wait(event.alternatives[0].text):
                    event = dataclasses.replace(event, type=stt.SpeechEventType.INTERIM_TRANSCRIPT)
                yield event

    async def sift_one(
        self, events: AsyncIterable[stt.SpeechEvent], speaker: Person
    ) -> AsyncGenerator[stt.SpeechEvent]:
        """The events of one of several speakers, for the session."""
        first = self._filter
        barge_in_filter = BargeInFilter(
            self._settings.files.phrasebook,
            self._shared_floor.seat_for(speaker),
            first.playout,
            echo=self._settings.agent.echo == "auto",
            outcomes=self.outcomes,
            speaker=speaker.identity,
        )
        self._filters.append(barge_in_filter)
        try:
            async with aclosing(barge_in_filter.sift(events)) as sifted:
                async for event in sifted:
                    self._filter.language = barge_in_filter.language  # the last speaker's
                    yield event
        finally:
            self._filters.remove(barge_in_filter)

    async def follow(self, text: AsyncIterable[str]) -> AsyncIterator[str]:
        """Read what the agent says and pass it on, for use in `Agent.transcription_node`.

        If the agent asks for a dictated answer, AssemblyAI and LiveKit are patient until it comes.
        """
        said = ""
        self._filter.playout.begin(asyncio.get_running_loop().time())
        try:
            async for piece in text:
                said += piece
                self._filter.playout.add(piece)
                yield piece
        finally:
            self._early.agent_said(said)
            if asks_for_dictation(said, self._settings.files.phrasebook.of(self._filter.language)):
                self._answer.begin()
            elif said.rstrip().endswith("?"):  # unlike "take your time"
                self._answer.end()

    def caller_said(self, text: str) -> None:
        """The caller's turn is over. It may be the dictated answer, or only `let me see`."""
        self._answer.heard(text)
        is_to_wait = self.is_to_wait(text)
        if self.backchannel_sound:
            self.backchannel_sound.backchannel.is_on_hold = is_to_wait
        if is_to_wait:
            self.outcomes.kept(Mark.HOLD, text, asyncio.get_running_loop().time())

    def _apply(self) -> None:
        is_dictated = self._answer.is_awaited
        self._early.is_dictated = is_dictated
        if self.backchannel_sound:
            self.backchannel_sound.backchannel.is_dictated = is_dictated
        pause_ms = self._settings.agent.dictation_pause_ms if is_dictated else 0
        self._assemblyai.update_options(**thresholds(self._settings, self._preset, pause_ms))
        self._session.update_options(
            endpointing_opts={"min_delay": min_delay(self._settings, self._preset, pause_ms)}
        )
        if self.held_ends is not None:
            self.held_ends.be_patient(early_seconds(self._settings, self._preset, pause_ms))
        for watcher in self._watchers:
            watcher(self._preset, is_dictated)

    def on_agent_state_changed(self, event: AgentStateChangedEvent) -> None:
        if self.backchannel_sound:
            self.backchannel_sound.on_agent_state_changed(event)
        self._filter.agent_state_changed(event.new_state)

    def on_model_metrics(self, metrics: AgentMetrics) -> None:
        """A request to the language model has ended."""
        self.thrown_away.measured(metrics)

    def on_speech_created(self, event: SpeechCreatedEvent) -> None:
        self.thrown_away.begun(event)
        event.speech_handle.add_done_callback(lambda _: self._on_spoken())

    def _on_spoken(self) -> None:
        for barge_in_filter in list(self._filters):
            barge_in_filter.speech_done()
        self.floor.update()

    def on_close(self, _: CloseEvent) -> None:
        if self.backchannel_sound:
            self.backchannel_sound.close()
        self.floor.close()
        if self.held_ends is not None:
            self.held_ends.close()
        self.outcomes.settle()
        log.info("said over the agent", extra=self.outcomes.fields())
        log.info("replies to the caller", extra=self.thrown_away.fields())

    async def aclose(self) -> None:
        """The session has closed: return when nothing runs any more."""
        await self.floor.aclose()
        if self.opinions:
            await self.opinions.aclose()
        if self.backchannel_sound:
            await self.backchannel_sound.aclose()
