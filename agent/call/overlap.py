"""Sifts what callers say while the agent speaks, before the session sees it.

                  first words, the agent has the floor
      CLOSED ──────────────────────────────────────────► HELD ◄─────────────┐
        │ first words, it has not          an interruption │ │ one doubtful  │ taken back
        ▼                                                  │ ▼ word          │
      OPEN ◄───────────────────────────────────────────────┴ DOUBTED ────────┘

What ends while it is HELD never happened for the session: no turn, no history, no pause. Only an
acknowledgement with which the agent's speech ends is the answer to it, and a turn; and so are the
agent's own words when they go on after it has ended, as no echo outlasts its source. While DOUBTED
the session has paused the agent, and resumes it if the word is taken back.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from enum import Enum, auto

from livekit.agents import LanguageCode, stt, utils

from agent.call.interruptions import Verdict, judge, within_earshot
from config.phrases import Phrasebook, Words, words_of

# Whoever says yes in the last moment of a question has answered it.
ANSWER_SECONDS = 1.0
# An echo may begin so long after the agent has ended.
ECHO_SECONDS = 0.3
# So long after the agent has ended every echo is over: who still says its words has chosen them.
ECHO_OVER_SECONDS = 0.6
# A doubtful word that is not taken back within this time was meant.
CONFIRMED_SECONDS = 0.5

Type = stt.SpeechEventType
_TRANSCRIPTS = (Type.INTERIM_TRANSCRIPT, Type.PREFLIGHT_TRANSCRIPT, Type.FINAL_TRANSCRIPT)
_OF_AN_UTTERANCE = (Type.START_OF_SPEECH, *_TRANSCRIPTS, Type.END_OF_SPEECH)


class _State(Enum):
    CLOSED = auto()
    OPEN = auto()
    HELD = auto()
    DOUBTED = auto()


class Voice:
    """What the agent says, and how far it has come."""

    def __init__(self) -> None:
        self.ended_at = float("-inf")
        self._text = ""
        self._before_seconds = 0.0
        self._since: float | None = None

    def begin(self, now: float) -> None:
        """Another text follows."""
        self._text, self._before_seconds = "", 0.0
        if self._since is not None:
            self._since = now

    def add(self, text: str) -> None:
        """The text goes on."""
        self._text += text

    def sound(self, now: float) -> None:
        """The agent is heard."""
        self._since = now

    def fall_silent(self, now: float) -> None:
        """The agent has paused or ended."""
        if self._since is not None:
            self._before_seconds += now - self._since
            self._since, self.ended_at = None, now

    def said(self, now: float) -> Words:
        """What may be heard of it as an echo."""
        seconds = self._before_seconds + (0 if self._since is None else now - self._since)
        return within_earshot(self._text, seconds)


class Overlap:
    """Sifts one call's speech events. `interrupt` is called when the caller takes the floor;
    `has_floor` tells whether the agent speaks, or is about to.

    Times are seconds on the event loop's clock.
    """

    def __init__(
        self,
        phrasebook: Phrasebook,
        *,
        has_floor: Callable[[], bool],
        interrupt: Callable[[], None],
    ) -> None:
        self.voice = Voice()
        self._phrasebook = phrasebook
        self._has_floor = has_floor
        self._interrupt = interrupt
        self._loop = asyncio.get_running_loop()
        self._state = _State.CLOSED
        self._onset = 0.0
        self._speech_end = float("-inf")
        self._finals: list[str] = []
        self._text = ""
        self.language = ""
        self._held: list[stt.SpeechEvent] = []
        self._told = False  # the session has seen something of this utterance
        self._doubt: asyncio.TimerHandle | None = None
        self._sifted: asyncio.Queue[stt.SpeechEvent | None] = asyncio.Queue()

    async def sift(self, events: AsyncIterable[stt.SpeechEvent]) -> AsyncIterator[stt.SpeechEvent]:
        """The events that the session is to see. Raises what the source raises."""
        self._sifted = asyncio.Queue()
        pump = asyncio.create_task(self._pump(events), name="overlap")
        try:
            while (event := await self._sifted.get()) is not None:
                yield event
            await pump
        finally:
            self._close()
            await utils.aio.cancel_and_wait(pump)

    def agent_state_changed(self, state: str) -> None:
        """The agent begins to speak, pauses or ends."""
        if state == "speaking":
            self.voice.sound(self._loop.time())
        else:
            self.voice.fall_silent(self._loop.time())

    def speech_done(self) -> None:
        """The agent is through with what it had to say; nobody has the floor."""
        if self._held and self._is_answer():
            self._release()

    async def _pump(self, events: AsyncIterable[stt.SpeechEvent]) -> None:
        try:
            async for event in events:
                self.take(event)
        finally:
            self._sifted.put_nowait(None)

    def take(self, event: stt.SpeechEvent) -> None:
        """Sift the next event."""
        if event.type not in _OF_AN_UTTERANCE:
            self._sifted.put_nowait(event)
            return
        if self._state is _State.CLOSED and event.type is not Type.END_OF_SPEECH:
            self._begin(event)
        self._read(event)
        if self._state in (_State.OPEN, _State.CLOSED):
            self._sifted.put_nowait(event)
        else:
            self._weigh(event)
        if event.type is Type.END_OF_SPEECH:
            self._close()

    def _begin(self, event: stt.SpeechEvent) -> None:
        self._held.clear()  # an acknowledgement to which the agent did not fall silent
        self._finals, self._text, self._told = [], "", False
        self._onset = self._at(event, event.speech_start_time or event.created_at)
        self._speech_end = float("-inf")
        overlaps = self._has_floor() or self._onset < self.voice.ended_at + ECHO_SECONDS
        self._state = _State.HELD if overlaps else _State.OPEN

    def _at(self, event: stt.SpeechEvent, wall_time: float) -> float:
        """A wall time on the loop's clock, as the event has just come."""
        return self._loop.time() - max(0.0, event.created_at - wall_time)

    def _read(self, event: stt.SpeechEvent) -> None:
        if event.speech_end_time is not None:
            self._speech_end = self._at(event, event.speech_end_time)
        if event.type not in _TRANSCRIPTS or not event.alternatives:
            self._text = ""  # at the end only what is final was said
            return
        best = event.alternatives[0]
        self.language = best.language or self.language
        if event.type is Type.FINAL_TRANSCRIPT:
            self._finals.append(best.text)
            self._text = ""
        else:
            self._text = best.text

    def _weigh(self, event: stt.SpeechEvent) -> None:
        complete = event.type in (Type.FINAL_TRANSCRIPT, Type.END_OF_SPEECH)
        if event.type is Type.START_OF_SPEECH:
            self._held.append(event)
            return
        self._hold(event)
        match self._verdict(complete=complete):
            case Verdict.INTERRUPTION:
                self._release()
                self._take_floor()
            case Verdict.DOUBTFUL:
                self._doubt_word()
            case Verdict.ACKNOWLEDGEMENT | Verdict.ECHO if self._is_answer():
                self._release()
            case _:
                self._take_back()

    def _verdict(self, *, complete: bool) -> Verdict:
        heard = words_of(" ".join((*self._finals, self._text)))
        said = self.voice.said(self._loop.time())
        return judge(heard, self._phrasebook.of(self.language), said, complete=complete)

    def _hold(self, event: stt.SpeechEvent) -> None:
        """Of what may change, the newest is enough."""
        lasting = (Type.START_OF_SPEECH, Type.FINAL_TRANSCRIPT)
        self._held = [*(each for each in self._held if each.type in lasting), event]

    def _release(self) -> None:
        """Tell the session all that was held back."""
        for event in self._held:
            self._sifted.put_nowait(event)
        ended = bool(self._held) and self._held[-1].type is Type.END_OF_SPEECH
        self._held.clear()
        self._told = True
        self._settle(_State.CLOSED if ended else _State.OPEN)

    def _take_floor(self) -> None:
        if self._has_floor():
            self._interrupt()

    def _doubt_word(self) -> None:
        self._release()
        self._state = _State.DOUBTED
        self._doubt = self._loop.call_later(CONFIRMED_SECONDS, self._confirm)

    def _confirm(self) -> None:
        self._settle(_State.OPEN)
        self._take_floor()

    def _take_back(self) -> None:
        """The session is not to go by the word that it has seen."""
        if self._state is _State.DOUBTED:
            nothing = stt.SpeechData(language=LanguageCode(self.language), text="")
            self._sifted.put_nowait(
                stt.SpeechEvent(type=Type.INTERIM_TRANSCRIPT, alternatives=[nothing])
            )
        self._settle(_State.HELD)

    def _is_answer(self) -> bool:
        """An acknowledgement that was begun when the agent was about to end, and it has ended; or
        its own words that outlast it."""
        ended_at = self.voice.ended_at
        if self._has_floor() or not -ANSWER_SECONDS <= self._onset - ended_at <= ECHO_SECONDS:
            return False
        verdict = self._verdict(complete=True)
        outlasts = self._speech_end >= ended_at + ECHO_OVER_SECONDS
        return verdict is Verdict.ACKNOWLEDGEMENT or (verdict is Verdict.ECHO and outlasts)

    def _settle(self, state: _State) -> None:
        if self._doubt:
            self._doubt.cancel()
            self._doubt = None
        self._state = state

    def _close(self) -> None:
        """The utterance is over. What is still held may yet turn out to be an answer."""
        if self._told and self._held:
            for event in self._held:
                if event.type is Type.END_OF_SPEECH:
                    self._sifted.put_nowait(event)
            self._held.clear()
        self._settle(_State.CLOSED)
