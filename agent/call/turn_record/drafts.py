"""Turns that are not over: what is known so far. Pure; times as in `agent.records.schema`."""

from dataclasses import dataclass, field
from typing import Literal

from agent.call.turn_record.heard_words import heard_words
from agent.records.schema import (
    Attempt,
    CallersPart,
    EndReason,
    Filler,
    Interruption,
    Origin,
    Provider,
    Reply,
    Tool,
    Turn,
    Word,
)

Milestone = Literal[
    "asked_ms", "first_token_ms", "first_clause_ms", "first_audio_ms", "first_sound_ms"
]
"""What each reply reaches once; only the first time counts."""


@dataclass(slots=True)
class SpeechEnd:
    """How the recogniser's turn ended."""

    decided_ms: int | None = None
    ended_ms: int | None = None
    reason: EndReason | None = None
    confidence: float | None = None
    held_for_ms: int | None = None


@dataclass(slots=True, eq=False)
class ReplyDraft:
    """A reply that may still go on. `is_early`: it was asked for before the turn was over."""

    is_early: bool = False
    at: dict[Milestone, int] = field(default_factory=dict)
    ended_ms: int | None = None
    preemptive: Literal["used", "thrown_away"] | None = None
    attempts: dict[Provider, list[Attempt]] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)
    interruptions: list[Interruption] = field(default_factory=list)
    text: str = ""
    """What the caller heard."""
    silent_since_ms: int | None = None
    """The voice has stopped, and may go on."""
    taken_by: Literal["words", "typed"] | None = None
    taken_ms: int = 0
    taking_words: list[Word] = field(default_factory=list)

    def reach(self, milestone: Milestone, at_ms: int) -> None:
        """Note when the reply came to this point, unless it has been there before."""
        self.at.setdefault(milestone, at_ms)

    def attempt(self, provider: Provider, attempt: Attempt) -> None:
        """Note a request to a provider: the first one that is answered, and all that fail."""
        made = self.attempts.setdefault(provider, [])
        if attempt.error or all(each.error for each in made):
            made.append(attempt)

    def add_usage(self, **counts: int) -> None:
        """Add what one request used."""
        for name, count in counts.items():
            self.usage[name] = self.usage.get(name, 0) + count

    def hear(self, text: str) -> None:
        """The caller has heard this as well."""
        self.text = f"{self.text} {text}".strip()

    def stop_talking(self, at_ms: int) -> None:
        """The voice stops, and may go on."""
        if self.silent_since_ms is None:
            self.silent_since_ms = at_ms

    def go_on(self, at_ms: int) -> None:
        """The voice goes on: it was no interruption."""
        if self.silent_since_ms is not None:
            self.interruptions.append(
                Interruption(
                    at_ms=self.silent_since_ms, by="voice", outcome="false", resumed_ms=at_ms
                )
            )
            self.silent_since_ms = None

    def take(self, at_ms: int, by: Literal["words", "typed"], words: list[Word]) -> None:
        """The caller takes the floor, by these words."""
        if self.taken_by is None:
            self.taken_by, self.taken_ms, self.taking_words = by, at_ms, words

    def end(self, at_ms: int, *, is_interrupted: bool) -> None:
        """The reply is over."""
        is_heard = "first_sound_ms" in self.at
        if self.ended_ms is None:
            self.ended_ms = at_ms
        if is_interrupted and is_heard and (self.silent_since_ms is not None or self.taken_by):
            by_voice = self.silent_since_ms is not None and self.taken_by != "typed"
            stopped_ms = self.taken_ms if self.silent_since_ms is None else self.silent_since_ms
            self.ended_ms = stopped_ms
            self.interruptions.append(
                Interruption(
                    at_ms=stopped_ms,
                    by="voice" if by_voice else self.taken_by or "voice",
                    outcome="true",
                    words=self.taking_words,
                )
            )

    def finished(self, wasted: int) -> Reply:
        """The reply as it is recorded. `wasted`: early replies to this turn that nobody heard."""
        began_ms, ended_ms = self.at.get("first_sound_ms"), self.ended_ms
        silences = [(one.at_ms, one.resumed_ms) for one in self.interruptions if one.resumed_ms]
        words: list[Word] = []
        if began_ms is not None and ended_ms is not None:
            words = heard_words(self.text, began_ms, ended_ms, silences)
        preemptive = self.preemptive or ("thrown_away" if wasted else None)
        return Reply(
            **self.at,
            **self.usage,
            ended_ms=self.ended_ms,
            preemptive=preemptive,
            preemptive_wasted=wasted,
            llm=self.attempts.get("llm", []),
            tts=self.attempts.get("tts", []),
            interruptions=self.interruptions,
            words=words,
        )


@dataclass(slots=True, eq=False)
class TurnDraft:
    """A turn that may still go on."""

    origin: Origin
    index: int = 0
    """0 until it is a turn: the caller may yet say nothing."""
    speaker: str | None = None
    preset: str | None = None
    is_dictated: bool = False
    started_ms: int | None = None
    last_word_final_ms: int | None = None
    end: SpeechEnd = field(default_factory=SpeechEnd)
    formatted_ms: int | None = None
    committed_ms: int | None = None
    is_typed: bool = False
    words: list[Word] = field(default_factory=list)
    reply: ReplyDraft | None = None
    wasted: int = 0
    fillers: list[Filler] = field(default_factory=list)
    tools: dict[str, Tool] = field(default_factory=dict)
    cut_off_for_ms: int | None = None

    @property
    def first_sound_ms(self) -> int | None:
        """When the caller heard the reply begin."""
        return self.reply.at.get("first_sound_ms") if self.reply else None

    def end_at(self, end: SpeechEnd) -> None:
        """The recogniser took the turn as over."""
        self.end = end
        if end.decided_ms is not None and self.last_word_final_ms is not None:
            # It took a moment until we heard of both.
            self.last_word_final_ms = min(self.last_word_final_ms, end.decided_ms)

    def _callers_part(self) -> CallersPart:
        end = self.end
        return CallersPart(
            started_ms=self.started_ms,
            ended_ms=end.ended_ms,
            last_word_final_ms=self.last_word_final_ms,
            decided_ms=end.decided_ms,
            end_reason="typed" if self.is_typed else end.reason,
            end_confidence=end.confidence,
            held_for_ms=end.held_for_ms,
            formatted_ms=self.formatted_ms,
            committed_ms=self.committed_ms,
            words=self.words,
        )

    def finished(self) -> Turn:
        """The turn as it is recorded."""
        return Turn(
            index=self.index,
            origin=self.origin,
            speaker=self.speaker,
            preset=self.preset,
            is_dictated=self.is_dictated,
            caller_part=self._callers_part(),
            reply=self.reply.finished(self.wasted) if self.reply else None,
            fillers=self.fillers,
            tools=list(self.tools.values()),
            cut_off_for_ms=self.cut_off_for_ms,
        )
