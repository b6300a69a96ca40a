"""Tells the collector what a call's session does, and gives its lines to the outlets."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from livekit.agents import (
    AgentHandoff,
    AgentStateChangedEvent,
    ChatMessage,
    ConversationItemAddedEvent,
    SpeechCreatedEvent,
    stt,
)
from livekit.agents.voice import (
    SpeechHandle,
    ToolCallEnded,
    ToolCallStarted,
    ToolExecutionUpdatedEvent,
)

from agent.call.history.marked import Mark, mark_of
from agent.call.reply.tool_limits import Outcome
from agent.call.turn_record.caller_words import CallerWords
from agent.call.turn_record.clock import CallClock
from agent.call.turn_record.collector import Collector
from agent.call.turn_record.harmless import harmless
from agent.call.turn_record.outlets import Outlet, Outlets
from agent.call.turn_record.provider_facts import ProviderFacts
from agent.call.voices.who_spoke import turns_of
from agent.livekit_private import speech_of_task
from agent.personal_data import CARDS, Rules
from agent.records.schema import (
    UNFINISHED,
    AgentChanged,
    Call,
    Cost,
    End,
    Formatted,
    GaveOver,
    HandedOver,
    Line,
    Overlap,
    Said,
    SettingsRefused,
    TookOver,
    Usage,
    Word,
)

log = logging.getLogger(__name__)


@harmless
class CallRecorder(ProviderFacts):
    """For one call. Its `on_...` methods listen to the session (`agent.call.session_events`); the
    others are told by the rooms that know more. Without outlets it is of no effect."""

    def __init__(
        self,
        outlets: Iterable[Outlet] = (),
        opening: Callable[[], Call] = Call,
        rules: Rules = CARDS,
        price: Callable[[Usage], Cost | None] = lambda _: None,
    ) -> None:
        """`opening` makes the first line, when the caller is known or will not come; `rules` say
        what no outlet gets of people's words; `price` what the call cost."""
        self._price = price
        self._opening: Callable[[], Call] | None = opening
        self.outlets = Outlets(outlets, rules)
        self.clock = CallClock()
        self.turns = Collector(self.emit)
        self.caller_words = CallerWords(self.turns, self.clock)
        self.open_sessions: dict[str, int] = {}
        self._muted: list[Outlet] = []
        self._is_greeting = False
        self._is_closing = False
        self._speaking: str | None = None
        self._tools: dict[str, str] = {}
        """The names of the tools that run, by their calls."""
        self._failed_tools: dict[str, tuple[Outcome, str]] = {}

    def emit(self, line: Line) -> None:
        """Give a line to the outlets, with the time of now."""
        self.outlets(line.model_copy(update={"at": round(time.time(), 3)}))

    # The call.

    def begin(self) -> None:
        """The call begins, and its clock. It begins only once."""
        opening, self._opening = self._opening, None
        if opening:
            self.clock.begin()
            self.emit(opening())

    def mute(self) -> None:
        """Another agent has the call: write nothing until `take_over` or `unmute`."""
        self._muted = self._muted or [*self.outlets.all]
        self.outlets.all.clear()

    def unmute(self) -> None:
        """Write from now on."""
        self.outlets.all[:] = self._muted
        self._muted = []

    def take_over(self, seconds: float, turns: int, usage: Usage, line: TookOver) -> None:
        """Go on with a call that began `seconds` ago; `line` names the agent that does."""
        self._opening = None
        self.clock.begin(seconds)
        self.turns.go_on_from(turns, usage)
        self.unmute()
        self.emit(line.model_copy(update={"at_ms": self.clock.now_ms()}))

    def give_over(self) -> None:
        """Another agent goes on: it says so on the same record."""
        self.emit(GaveOver(at_ms=self.clock.now_ms()))

    def closes(self) -> None:
        """The session closes: a turn of the caller that it still takes up was cut off."""
        self._is_closing = True

    def end(self, ending: str | None) -> None:
        """The call is over for this reason; None: another agent goes on with it. After this
        nobody is told anything."""
        now_ms = self.clock.now_ms()
        if ending is not None:
            self.begin()
        if words := self.caller_words.unfinished:
            self.emit(Said(role="user", text=words, mark=UNFINISHED))
        self.turns.close(now_ms)
        if ending is not None:
            seconds = round(now_ms / 1000, 1)
            self.bill_open_sessions()
            usage = self.turns.usage
            self.emit(End(ending=ending, seconds=seconds, usage=usage, cost=self._price(usage)))
        self.outlets.all.clear()

    def settings_refused(self, faults: Sequence[str]) -> None:
        """Settings that came with the call are wrong: a sentence each."""
        if faults:
            log.warning("some of the call's own settings are refused", extra={"faults": faults})
            self.emit(SettingsRefused(faults=list(faults)))

    def handed_over(self) -> None:
        """A person took the agent's place."""
        self.emit(HandedOver())

    # The caller.

    def hear(self, event: stt.SpeechEvent) -> None:
        """The session gets this event."""
        self.caller_words.hear(event)

    def committed(self) -> None:
        """The session took the caller's turn as over."""
        self.turns.committed(self.clock.now_ms())
        self.caller_words.end_turn()

    def unanswered(self) -> None:
        """That turn gets no reply."""
        self.turns.unanswered()

    def typed(self) -> None:
        """The caller typed."""
        self.turns.typed(self.clock.now_ms())

    def formatted(self, replaces: str, text: str) -> None:
        """The formatted text of words that are in the history came."""
        self.turns.formatted(self.clock.now_ms(), is_late=True)
        self.emit(Formatted(replaces=replaces, text=text))

    # The agent.

    def greets(self) -> None:
        """The next speech is the greeting."""
        self._is_greeting = True

    def asked(self) -> None:
        """The language model is asked, for the speech of this task."""
        self.turns.reached(speech_of_task(), "asked_ms", self.clock.now_ms())

    def first_token(self) -> None:
        """The language model answers."""
        self.turns.reached(speech_of_task(), "first_token_ms", self.clock.now_ms())

    def first_audio(self) -> None:
        """The voice has its first sound."""
        self.turns.reached(speech_of_task(), "first_audio_ms", self.clock.now_ms())

    def first_clause(self) -> None:
        """The first clause of the answer is complete."""
        self.turns.reached(speech_of_task(), "first_clause_ms", self.clock.now_ms())

    def filler(self) -> None:
        """The caller hears that the answer is late."""
        self.turns.filler(self.clock.now_ms())

    def fell_silent(self) -> None:
        """The agent's voice stops for the caller's."""
        self.turns.fell_silent(self.clock.now_ms())

    def went_on(self) -> None:
        """It goes on."""
        self.turns.went_on(self.clock.now_ms())

    def floor_taken(self, words: str) -> None:
        """The caller's words interrupt the agent."""
        now_ms = self.clock.now_ms()
        self.turns.floor_taken(
            now_ms, [Word(text=each, start_ms=now_ms, end_ms=now_ms) for each in words.split()]
        )

    def overlapped(self, taken_for: str, is_right: bool) -> None:
        """An utterance over the agent's speech was taken for this, rightly or not."""
        self.emit(Overlap(at_ms=self.clock.now_ms(), taken_for=taken_for, is_right=is_right))

    def preset(self, preset: str, is_dictated: bool) -> None:
        """This turn preset is in force, and something may be dictated."""
        self.turns.preset(preset, is_dictated=is_dictated, at_ms=self.clock.now_ms())

    def asked_to_end(self) -> None:
        """Our end-of-turn model asks AssemblyAI to end the turn."""
        self.caller_words.is_asked_to_end = True

    def tool_failed(self, tool: str, outcome: Outcome, error: str) -> None:
        """A tool fails: its end, which LiveKit announces, says only that."""
        self._failed_tools[tool] = outcome, error

    # The session.

    def on_item_added(self, event: ConversationItemAddedEvent) -> None:
        """Something was said, and is in the history."""
        item, speech = event.item, speech_of_task()
        if isinstance(item, AgentHandoff) and item.old_agent_id is not None:
            self.emit(AgentChanged(at_ms=self.clock.now_ms(), agent=item.new_agent_id))
        if not isinstance(item, ChatMessage) or item.role not in ("user", "assistant"):
            return
        mark = mark_of(item)
        if item.role == "user" and speech and not mark:
            self.turns.used(speech)
        if mark is Mark.UNANSWERED:
            self.turns.dropped()
        if item.role == "user" and mark in (None, Mark.UNANSWERED):
            self.caller_words.end_turn()
        said_by = turns_of(item)
        if item.role == "user" and not mark:
            self.turns.spoken_by(speech, said_by[-1].get("speaker"))
        is_cut_off = self._is_closing and item.role == "user" and not mark
        shown = UNFINISHED if is_cut_off else mark.value if mark else ""
        for said in said_by:
            self.emit(Said(**said, mark=shown, turn=self._turn_of(item, speech)))
        if item.role == "assistant":
            self.turns.heard(speech, item.text_content or "")

    def _turn_of(self, item: ChatMessage, speech: str | None) -> int | None:
        is_beside = mark_of(item) and mark_of(item) is not Mark.HOLD
        return None if is_beside else self.turns.turn_of(speech)

    def on_speech_created(self, event: SpeechCreatedEvent) -> None:
        """The session begins a speech, perhaps early."""
        speech = event.speech_handle
        answers = event.source == "generate_reply"
        origin: Any = "greeting" if self._is_greeting else "prompt"
        self._is_greeting = False
        self.turns.speech_created(speech.id, answers=answers, origin=origin)
        speech.add_done_callback(self._on_speech_done)

    def _on_speech_done(self, speech: SpeechHandle) -> None:
        self.turns.speech_done(speech.id, self.clock.now_ms(), is_interrupted=speech.interrupted)

    def on_agent_state_changed(self, event: AgentStateChangedEvent) -> None:
        """The agent begins or ceases to speak."""
        now_ms = self.clock.now_ms()
        if event.new_state == "speaking":
            self._speaking = speech_of_task()
            self.turns.reached(self._speaking, "first_sound_ms", now_ms)
        elif event.old_state == "speaking":
            self.turns.sound_ended(self._speaking, now_ms)

    def on_tool_updated(self, event: ToolExecutionUpdatedEvent) -> None:
        """A tool begins or ends."""
        now_ms, update = self.clock.now_ms(), event.update
        if isinstance(update, ToolCallStarted):
            call, name = update.function_call.call_id, update.function_call.name
            self._failed_tools.pop(name, None)
            self._tools[call] = name
            self.turns.tool_started(speech_of_task(), call, name, now_ms)
        elif isinstance(update, ToolCallEnded):
            name = self._tools.pop(update.call_id, "")
            if update.status == "done":
                self.turns.tool_ended(update.call_id, now_ms)
            else:
                outcome, error = self._failed_tools.pop(name, (update.status, None))
                self.turns.tool_ended(update.call_id, now_ms, outcome, error)
