"""Filters what callers say while the agent speaks, before the session sees it.

      CLOSED --first words, the agent has the floor--> HELD
      CLOSED --first words, it has not--> OPEN
      HELD --an interruption, or words that stand for long enough--> OPEN
      HELD --the utterance ends--> CLOSED
      OPEN --the utterance ends--> CLOSED

An utterance that ends while HELD starts no turn of the session: it is kept with a mark. The one
exception is a backchannel at the end of the agent's speech, which answers it and is a turn.
The floor decides whether the agent is silent meanwhile.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from enum import Enum, auto
from typing import Protocol

from livekit.agents import stt

from agent.call.barge_in.echo import is_echo
from agent.call.barge_in.interruptions import Heard, Verdict, verdict_on
from agent.call.barge_in.outcomes import INTERRUPTION, Outcomes
from agent.call.barge_in.utterance import TRANSCRIPTS, Utterance
from agent.call.history.marked import Mark, MarkedUtterance
from agent.call.output.playout import Playout
from agent.call.relay import Relay
from config.phrases import Phrasebook, words_of

# A backchannel that begins within this time before the agent's end is its answer.
BACKCHANNEL_ANSWER_SECONDS = 1.0
# A caller who begins within this time after the agent's end did not know that it had ended.
REACTION_SECONDS = 0.3
# Words that may be misheard count as meant after the first time, and words that may still become a
# backchannel after the second.
MAYBE_MISHEARD_SECONDS = 0.5
NEED_MORE_SECONDS = 1.0
# A caller who speaks over the agent for this long wants the floor, however soft the voice.
ASIDE_SECONDS = 3.0

Type = stt.SpeechEventType
_OF_AN_UTTERANCE = (Type.START_OF_SPEECH, *TRANSCRIPTS, Type.END_OF_SPEECH)
_MARKS = {Verdict[each.name]: each for each in (Mark.ECHO, Mark.BACKCHANNEL, Mark.ASIDE)}


class Floor(Protocol):
    """Who has the floor, as the session knows it."""

    def agent_has_it(self) -> bool:
        """Whether the agent speaks, or is about to."""

    def may_be_taken(self) -> bool:
        """Whether the agent may be interrupted now."""

    def is_aside(self, since: float) -> bool:
        """Whether the voice heard since then is far softer than the caller's."""

    def interrupt(self, words: str) -> None:
        """Interrupt the agent: the caller takes the floor by these words."""

    def on_verdict(self, verdict: Verdict | None) -> None:
        """Take the verdict on the words so far; None when they are over or have taken the floor."""

    def keep(self, utterance: MarkedUtterance) -> None:
        """Keep what was said while the agent had it, and gets no answer of its own."""


class _State(Enum):
    CLOSED = auto()
    OPEN = auto()
    HELD = auto()


class BargeInFilter:
    """Filters one call's speech events. `echo`: some may be the agent's own voice.

    Times are seconds on the event loop's clock.
    """

    def __init__(
        self,
        phrasebook: Phrasebook,
        floor: Floor,
        playout: Playout,
        *,
        echo: bool,
        outcomes: Outcomes | None = None,
        speaker: str = "",
    ) -> None:
        """`outcomes`: the call's. `speaker`: an identity, if the call has several speakers."""
        self.playout = playout
        self.outcomes = outcomes or Outcomes()
        self._speaker = speaker
        self.language = ""
        self._phrasebook = phrasebook
        self._floor = floor
        self._may_echo = echo
        self._loop = asyncio.get_running_loop()
        self._state = _State.CLOSED
        self._utterance = Utterance(begun_at=0.0, begun_at_wall_time=0.0)
        self._held: list[stt.SpeechEvent] = []
        self._verdict = Verdict.NEED_MORE
        self._deadline: asyncio.TimerHandle | None = None
        self._relay = Relay("barge-in filter")

    @property
    def is_idle(self) -> bool:
        """Whether no utterance is open, and none is held that may yet be an answer."""
        return self._state is _State.CLOSED and not self._held

    async def sift(self, events: AsyncIterable[stt.SpeechEvent]) -> AsyncGenerator[stt.SpeechEvent]:
        """The events for the session. Raises what the source raises."""
        try:
            async with aclosing(self._relay.read(events, self.push)) as passed_on:
                async for event in passed_on:
                    yield event
        finally:
            self._keep_held(also_interim=True)  # no more events will come
            self._settle(_State.CLOSED)

    def agent_state_changed(self, state: str) -> None:
        """The agent has begun to speak, paused or ended."""
        if state == "speaking":
            self.playout.sound(self._loop.time())
        else:
            self.playout.fall_silent(self._loop.time())

    def speech_done(self) -> None:
        """The agent has ended a speech. Nobody has the floor."""
        if self._held and self._is_answer():
            self.outcomes.count(Mark.BACKCHANNEL.value, is_right=False)
            self._release()
        elif self._state is _State.CLOSED:
            self._keep_held()

    def push(self, event: stt.SpeechEvent) -> None:
        """Filter the next event."""
        if event.type not in _OF_AN_UTTERANCE:
            self._relay.pass_on(event)
            return
        if self._state is _State.HELD and event.type is Type.START_OF_SPEECH:
            self._end()  # its final text came after its end: no other end follows
        if self._state is _State.CLOSED and event.type is not Type.END_OF_SPEECH:
            self._begin(event)
        self._utterance.read(event, self._loop.time())
        self.language = self._utterance.language or self.language
        if self._state in (_State.OPEN, _State.CLOSED):
            self._relay.pass_on(event)
        else:
            self._weigh(event)
        if event.type is Type.END_OF_SPEECH:
            self._end()

    def _begin(self, event: stt.SpeechEvent) -> None:
        self._keep_held()
        begun_at = event.speech_start_time or event.created_at
        age_seconds = max(0.0, event.created_at - begun_at)
        self._utterance = Utterance(self._loop.time() - age_seconds, begun_at)
        self._verdict = Verdict.NEED_MORE
        soon = self._utterance.begun_at < self.playout.ended_at + REACTION_SECONDS
        self._state = _State.HELD if soon or self._floor.agent_has_it() else _State.OPEN

    def _weigh(self, event: stt.SpeechEvent) -> None:
        self._hold_back(event)
        if event.type is Type.START_OF_SPEECH:
            return
        before = self._verdict
        complete = event.type in (Type.FINAL_TRANSCRIPT, Type.END_OF_SPEECH)
        self._verdict = self._verdict_on_words(complete=complete)
        if before is Verdict.MAYBE_MISHEARD and self._verdict in _MARKS:
            self.outcomes.count(INTERRUPTION, is_right=False)
        if self._utterance.is_changed:
            self._stop_waiting()
        if self._floor.may_be_taken():
            self._floor.on_verdict(self._verdict if self._utterance.text else None)
            self._act()

    def _act(self) -> None:
        match self._verdict:
            case Verdict.INTERRUPTION:
                self._confirm()
            case Verdict.MAYBE_MISHEARD:
                self._wait(MAYBE_MISHEARD_SECONDS)
            case Verdict.ASIDE:
                self._wait(self._utterance.begun_at + ASIDE_SECONDS - self._loop.time())
            case Verdict.BACKCHANNEL if self._is_answer():
                self._release()
            case Verdict.NEED_MORE if self._utterance.text:
                self._wait(NEED_MORE_SECONDS)
            case _:
                self._stop_waiting()

    def _verdict_on_words(self, *, complete: bool) -> Verdict:
        now, utterance = self._loop.time(), self._utterance
        words = words_of(utterance.text)
        echoes = self._may_echo and is_echo(
            words,
            self.playout.spoken(now),
            begun_at=utterance.begun_at,
            ended_at=utterance.ended_at,
            complete=complete,
        )
        heard = Heard(words, complete, echoes, utterance.voice_seconds, utterance.confidence)
        verdict = verdict_on(heard, self._phrasebook.of(self.language), self.playout.said(now))
        may_stop = verdict in (Verdict.MAYBE_MISHEARD, Verdict.INTERRUPTION)
        return Verdict.ASIDE if may_stop and self._is_aside(now) else verdict

    def _is_aside(self, now: float) -> bool:
        """Whether the words are an aside. Never while the agent is silent: then it answers."""
        begun_at = self._utterance.begun_at
        is_short = now < begun_at + ASIDE_SECONDS and self._floor.agent_has_it()
        return is_short and self._floor.is_aside(begun_at)

    def _hold_back(self, event: stt.SpeechEvent) -> None:
        """Hold an event back. It replaces the held events that may still change."""
        lasting = (Type.START_OF_SPEECH, Type.FINAL_TRANSCRIPT)
        self._held = [*(each for each in self._held if each.type in lasting), event]

    def _release(self) -> None:
        """Pass all held events on to the session."""
        ended = bool(self._held) and self._held[-1].type is Type.END_OF_SPEECH
        for event in self._held:
            self._relay.pass_on(event)
        self._held.clear()
        if ended:
            self._tell_turn()
        self._settle(_State.CLOSED if ended else _State.OPEN)

    def _take_floor(self) -> None:
        if self._floor.agent_has_it():
            self.outcomes.count(INTERRUPTION, is_right=True)
            self._floor.interrupt(self._utterance.text)

    def _wait(self, seconds: float) -> None:
        """Words that stand for this long were meant. The same words again do not restart this."""
        if self._deadline is None:
            self._deadline = self._loop.call_later(seconds, self._confirm)

    def _confirm(self) -> None:
        self._take_floor()  # first, or the agent would go on for a moment
        self._release()

    def _is_answer(self) -> bool:
        """Whether a backchannel answers the agent: it began near the end of a speech now over."""
        since_end = self._utterance.begun_at - self.playout.ended_at
        is_near = -BACKCHANNEL_ANSWER_SECONDS <= since_end <= REACTION_SECONDS
        if self._floor.agent_has_it() or not is_near:
            return False
        return self._verdict_on_words(complete=True) is Verdict.BACKCHANNEL

    def _settle(self, state: _State) -> None:
        self._stop_waiting()
        self._state = state
        self._floor.on_verdict(None)

    def _stop_waiting(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        """The utterance is over. What is still held may yet be an answer."""
        if self._state is _State.OPEN and not self._floor.may_be_taken():
            self._mark(Mark.UNANSWERED)  # the session drops the turn
        elif self._state is _State.OPEN:
            self._tell_turn()
        self._settle(_State.CLOSED)
        left_seconds = self._utterance.begun_at + BACKCHANNEL_ANSWER_SECONDS - self._loop.time()
        may_be_answer = self._verdict is Verdict.BACKCHANNEL and self._floor.agent_has_it()
        if self._held and may_be_answer and left_seconds > 0:
            self._deadline = self._loop.call_later(left_seconds, self._keep_held)
        else:
            self._keep_held()

    def _keep_held(self, *, also_interim: bool = False) -> None:
        """Keep what is held: it gets no answer."""
        if self._held:
            self._held.clear()
            mark = _MARKS.get(self._verdict, Mark.UNANSWERED)
            self._mark(mark, also_interim=also_interim)
        self._settle(_State.CLOSED)

    def _tell_turn(self) -> None:
        """Count the turn: it shows whether earlier marks were right."""
        utterance = self._utterance
        self.outcomes.turn(" ".join(utterance.finals), utterance.begun_at, self._speaker)

    def _mark(self, mark: Mark, *, also_interim: bool = False) -> None:
        utterance = self._utterance
        text = utterance.text if also_interim else " ".join(utterance.finals)
        if words_of(text):
            ended_at = utterance.ended_at or self._loop.time()
            self.outcomes.kept(mark, text, ended_at, self._speaker)
            self._floor.keep(
                MarkedUtterance(text, mark, utterance.begun_at_wall_time, utterance.language)
            )
