"""Collects the facts of one call into turns. Pure; times as in `agent.records.schema`.

A verb is a fact, told when it happens. `emit` gets a turn when its reply is over. One whose reply
was interrupted waits until the next turn begins, which tells whether the agent cut the caller off.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from agent.call.turn_record.drafts import Milestone, ReplyDraft, SpeechEnd, TurnDraft
from agent.records.schema import (
    Attempt,
    Filler,
    Line,
    Origin,
    PresetChanged,
    Provider,
    ProviderFailed,
    Tool,
    Usage,
    Word,
)

CUT_OFF_MS = 2000
"""A caller who speaks on within this time of the reply's start was probably cut off."""

Emit = Callable[[Line], None]
Outcome = Literal["ok", "error", "timeout", "cancelled"]


class Collector:
    """One call. A reply is named by its speech's id; facts about unknown ones are dropped."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._turns = 0
        self._open: TurnDraft | None = None
        """The caller's turn, as far as it has come: it is not over yet."""
        self._due: TurnDraft | None = None
        """A turn that is over, and has no reply yet."""
        self._early: dict[str, tuple[TurnDraft, ReplyDraft]] = {}
        """Replies that were asked for before the turn was over."""
        self._answered: dict[str, TurnDraft] = {}
        """Turns whose reply goes on, by their speech."""
        self._over: list[TurnDraft] = []
        """Turns whose reply was interrupted: the next turn says more about them."""
        self._heard: TurnDraft | None = None
        """The turn whose reply the caller has heard last."""
        self._calls: dict[str, TurnDraft] = {}
        """Turns by the tool calls that run for them."""
        self._latest: TurnDraft | None = None
        self._preset: str | None = None
        self._is_dictated = False
        self._usage: dict[str, float] = {}

    @property
    def turn(self) -> int | None:
        """The index of the turn that began last; None before the first one."""
        return self._turns or None

    @property
    def usage(self) -> Usage:
        """What the call has used so far."""
        return Usage.model_validate(self._usage)

    def go_on_from(self, turns: int, usage: Usage) -> None:
        """Another agent had the call so far, with so many turns."""
        self._turns, self._usage = turns, usage.model_dump(exclude_defaults=True)

    def turn_of(self, speech: str | None) -> int | None:
        """The index of the turn that this speech answers, or else of the latest."""
        known = self._answered.get(speech) if speech else None
        return known.index if known else self.turn

    # What the caller does.

    def voice_began(self, at_ms: int) -> None:
        """The caller began to speak, in a new turn or in the open one."""
        self._look_for_cut_off(at_ms)
        self.settle()
        if self._open is None or (self._open.end.decided_ms is not None and not self._open.words):
            self._open = TurnDraft("caller", started_ms=at_ms)

    def last_word_final(self, at_ms: int) -> None:
        """All words so far are final."""
        if self._open:
            self._open.last_word_final_ms = at_ms

    def said(self, words: Sequence[Word]) -> None:
        """The recogniser gives these words for good."""
        if self._open:
            self._open.words.extend(words)

    def voice_ended(self, end: SpeechEnd) -> None:
        """The recogniser took the turn as over. The caller may still go on in the same turn."""
        if self._open:
            self._open.end_at(end)

    def formatted(self, at_ms: int, *, is_late: bool = False) -> None:
        """The formatted text of the open turn came; `is_late`: of the one before."""
        if turn := self._latest if is_late else self._open:
            turn.formatted_ms = at_ms

    def dropped(self) -> None:
        """What the caller said is no turn after all: it is kept with a mark."""
        self._open = None

    def committed(self, at_ms: int) -> None:
        """The session took the caller's turn as over, and asks for a reply."""
        turn, self._open = self._open or TurnDraft("caller"), None
        self._await_reply(turn, at_ms)

    def typed(self, at_ms: int) -> None:
        """The caller typed, which is a turn of its own."""
        if self._heard and self._heard.reply:
            self._heard.reply.take(at_ms, "typed", [])
        self.settle()
        self._await_reply(TurnDraft("caller", is_typed=True), at_ms)

    def unanswered(self) -> None:
        """The turn that is over gets no reply."""
        due, self._due = self._due, None
        if due:
            self._emit(due.finished())

    def spoken_by(self, speech: str | None, speaker: str | None) -> None:
        """The words that this speech answers are this person's; None: the only caller's."""
        if turn := self._answered.get(speech or "") or self._latest:
            turn.speaker = speaker

    # What the agent does.

    def speech_created(self, speech: str, *, answers: bool, origin: Origin = "prompt") -> None:
        """The session has begun a speech. `answers`: it may be a reply to the caller."""
        if answers and self._due:
            turn, self._due = self._due, None
            turn.reply = ReplyDraft()
            self._answered[speech] = turn
        elif answers and self._open:
            self._early[speech] = (self._open, ReplyDraft(is_early=True))
        else:
            turn = TurnDraft(origin, reply=ReplyDraft())
            self._number(turn)
            self._answered[speech] = turn

    def used(self, speech: str) -> None:
        """The session uses this reply, which it may have asked for early."""
        if speech in self._early and (self._due or not self._early[speech][0].index):
            turn, reply = self._early.pop(speech)
            if not self._due:  # nobody has said that the turn is over
                self._number(turn)
                self._open, self._due = None if self._open is turn else self._open, turn
            turn, self._due = self._due, None
            reply.preemptive, turn.reply = "used", reply
            self._answered[speech] = turn

    def reached(self, speech: str | None, milestone: Milestone, at_ms: int) -> None:
        """A reply has come to this point."""
        if reply := self._reply(speech):
            reply.reach(milestone, at_ms)
        if milestone == "first_sound_ms" and speech in self._answered:
            self._heard = self._answered[speech]

    def heard(self, speech: str | None, text: str) -> None:
        """The caller has heard this much of a reply."""
        if reply := self._reply(speech):
            reply.hear(text)

    def sound_ended(self, speech: str | None, at_ms: int) -> None:
        """The last sound of a reply was heard, unless a tool's result makes it go on."""
        if reply := self._reply(speech):
            reply.ended_ms = at_ms

    def fell_silent(self, at_ms: int) -> None:
        """The agent's voice stopped for the caller's, and may go on."""
        if reply := self._heard_reply():
            reply.stop_talking(at_ms)

    def went_on(self, at_ms: int) -> None:
        """The agent's voice went on where it had stopped."""
        if reply := self._heard_reply():
            reply.go_on(at_ms)

    def floor_taken(self, at_ms: int, words: Sequence[Word]) -> None:
        """Words of the caller interrupt the agent."""
        if reply := self._heard_reply():
            reply.take(at_ms, "words", list(words))

    def speech_done(self, speech: str, at_ms: int, *, is_interrupted: bool) -> None:
        """A speech is over."""
        if speech in self._early:
            turn, _ = self._early.pop(speech)
            turn.wasted += 1
        turn_over = self._answered.pop(speech, None)
        if turn_over and turn_over.reply:
            turn_over.reply.end(at_ms, is_interrupted=is_interrupted)
            self._over.append(turn_over)
            if not is_interrupted:
                self.settle()

    def filler(self, at_ms: int) -> None:
        """The caller hears that the reply is late."""
        if turn := self._due or self._latest:
            turn.fillers.append(Filler(at_ms=at_ms))

    def tool_started(self, speech: str | None, call: str, tool: str, at_ms: int) -> None:
        """The model calls a tool. `call` names the call."""
        turn = self._answered.get(speech or "") or self._latest
        if turn:
            turn.tools[call] = Tool(tool=tool, started_ms=at_ms)
            self._calls[call] = turn

    def tool_ended(
        self, call: str, at_ms: int, outcome: Outcome = "ok", error: str | None = None
    ) -> None:
        """The tool's call is over."""
        if turn := self._calls.pop(call, None):
            ended = {"ended_ms": at_ms, "outcome": outcome, "error": error}
            turn.tools[call] = turn.tools[call].model_copy(update=ended)

    def attempted(
        self, speech: str | None, provider: Provider, attempt: Attempt, at_ms: int
    ) -> None:
        """A request to a provider has failed, or was answered."""
        if reply := self._reply(speech):
            reply.attempt(provider, attempt)
        if attempt.error:
            self._emit(ProviderFailed(at_ms=at_ms, provider=provider, error=attempt.error))

    def used_tokens(self, speech: str | None, **counts: int) -> None:
        """A request used these, by the names of `Usage`."""
        for name, count in counts.items():
            self._usage[name] = self._usage.get(name, 0) + count
        if reply := self._reply(speech):
            reply.add_usage(**counts)

    def billed(self, seconds: float) -> None:
        """AssemblyAI bills these seconds."""
        self._usage["stt_billed_seconds"] = self._usage.get("stt_billed_seconds", 0) + seconds

    def preset(self, preset: str, *, is_dictated: bool, at_ms: int) -> None:
        """Another turn preset is in force, or something is dictated."""
        if (preset, is_dictated) != (self._preset, self._is_dictated):
            self._preset, self._is_dictated = preset, is_dictated
            self._emit(PresetChanged(at_ms=at_ms, preset=preset, is_dictated=is_dictated))

    def close(self, at_ms: int) -> None:
        """The call is over: emit what is still open, as it is."""
        for speech in list(self._early):
            self.speech_done(speech, at_ms, is_interrupted=True)
        left = self._open
        self.settle()
        self.unanswered()
        for speech in list(self._answered):
            self.speech_done(speech, at_ms, is_interrupted=True)
        self.settle()
        if left and left.words:
            self._number(left)
            self._emit(left.finished())
        self._open = None

    def _await_reply(self, turn: TurnDraft, at_ms: int) -> None:
        self.unanswered()  # the turn before never got a reply
        turn.committed_ms = at_ms
        self._number(turn)
        self._due = turn

    def _number(self, turn: TurnDraft) -> None:
        self._turns += 1
        turn.index = self._turns
        turn.preset, turn.is_dictated = self._preset, self._is_dictated
        self._latest = turn

    def settle(self) -> None:
        """Nothing more will be known of the turns whose replies are over."""
        over, self._over = self._over, []
        for turn in over:
            self._emit(turn.finished())

    def _look_for_cut_off(self, at_ms: int) -> None:
        turn = self._heard
        if turn is None or turn.origin != "caller" or turn.first_sound_ms is None:
            return
        ended_ms = turn.reply.ended_ms if turn.reply else None
        goes_on = turn in self._over or ended_ms is None or at_ms < ended_ms
        late_ms = at_ms - turn.first_sound_ms
        if goes_on and at_ms >= (turn.committed_ms or 0) and late_ms <= CUT_OFF_MS:
            turn.cut_off_for_ms = max(0, late_ms)

    def _reply(self, speech: str | None) -> ReplyDraft | None:
        if early := self._early.get(speech or ""):
            return early[1]
        turn = self._answered.get(speech or "")
        return turn.reply if turn else None

    def _heard_reply(self) -> ReplyDraft | None:
        """The reply that the caller hears now."""
        turn = self._heard
        return turn.reply if turn in self._answered.values() and turn else None
