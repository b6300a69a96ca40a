"""Holds speech events back, between speech recognition and everything that listens to it.

An agent that gives its call up closes its gate at a boundary. The one that takes it over has had
its own closed, and opens it at the cut: it gets what was said behind that, word by word, also of a
turn that began before. If the call is not taken, the first one opens its gate and has missed
nothing. It has no clock; times are wall times in unix seconds.
"""

from collections.abc import Sequence
from dataclasses import replace

from livekit.agents import stt

Type = stt.SpeechEventType
_TRANSCRIPTS = (Type.INTERIM_TRANSCRIPT, Type.PREFLIGHT_TRANSCRIPT, Type.FINAL_TRANSCRIPT)
_LASTING = (Type.START_OF_SPEECH, Type.FINAL_TRANSCRIPT)
_OF_AN_UTTERANCE = (*_TRANSCRIPTS, Type.START_OF_SPEECH, Type.END_OF_SPEECH)

UNTIMED_SECONDS = 1.0
"""How long ago a text may have been said whose words have no times."""

MOST_HELD = 2000
"""Events: far more than an agent that waits for a call can hear in the longest time that it may."""


class Gate:
    """For the events of one caller, in their order. What is no speech passes at once."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.is_open = is_open
        self.in_utterance = False
        """Whether a START has come whose END has not, here or behind the gate."""
        self.heard_until: float | None = None
        """Where the last utterance that passed has ended."""
        self._held: list[stt.SpeechEvent] = []
        self._trim: Trim | None = None

    def push(self, event: stt.SpeechEvent) -> list[stt.SpeechEvent]:
        """The next event; returns what passes now."""
        if event.type not in _OF_AN_UTTERANCE:
            return [event]
        if not self.is_open:
            self._hold(event)
            return []
        return self._pass([event])

    def close(self) -> None:
        """Hold all events from now on."""
        self.is_open = False

    def open(self, cut_at: float | None = None) -> list[stt.SpeechEvent]:
        """Let all pass from now on; returns what was held. With a cut, words before it are taken
        away, of these events and of those that follow."""
        held, self._held = self._held, []
        self.is_open = True
        self._trim = None if cut_at is None else Trim(cut_at)
        return self._pass(held)

    def _hold(self, event: stt.SpeechEvent) -> None:
        """Hold an event, in place of those of its utterance that it may change."""
        while self._held and self._held[-1].type in _TRANSCRIPTS:
            if self._held[-1].type in _LASTING:
                break
            self._held.pop()
        self._held.append(event)
        del self._held[:-MOST_HELD]

    def _pass(self, events: Sequence[stt.SpeechEvent]) -> list[stt.SpeechEvent]:
        passed: list[stt.SpeechEvent] = []
        for event in events:
            passed += self._trim.push(event) if self._trim else [event]
        for event in passed:
            if event.type is Type.START_OF_SPEECH:
                self.in_utterance = True
            elif event.type is Type.END_OF_SPEECH:
                self.in_utterance = False
                self.heard_until = event.speech_end_time or event.created_at
        return passed


class Trim:
    """Takes the words before a cut out of events. An utterance without any other word is left out
    as a whole."""

    def __init__(self, cut_at: float) -> None:
        self._cut_at = cut_at
        self._start: stt.SpeechEvent | None = None
        """Of an utterance of which no word behind the cut has come yet."""
        self._has_begun = False
        """Whether the start of the present utterance has passed."""
        self._is_behind = False
        """Whether all of the present utterance is behind the cut."""

    def push(self, event: stt.SpeechEvent) -> list[stt.SpeechEvent]:
        """The next event; returns what is left of it."""
        match event.type:
            case Type.START_OF_SPEECH:
                self._is_behind = (event.speech_start_time or event.created_at) >= self._cut_at
                self._has_begun = self._is_behind
                self._start = None if self._has_begun else event
                return [event] if self._has_begun else []
            case Type.END_OF_SPEECH:
                passes, self._start = self._has_begun, None
                self._has_begun = self._is_behind = False
                return [event] if passes else []
            case _ if self._is_behind:
                return [event]
            case _:
                return self._trimmed(event)

    def _trimmed(self, event: stt.SpeechEvent) -> list[stt.SpeechEvent]:
        best = event.alternatives[0] if event.alternatives else None
        first = None if best is None else self._first_behind(best, event.created_at)
        if best is None or first is None:
            return [event] if self._has_begun and not (best and best.text) else []
        if first > 0:
            event = replace(event, alternatives=[_from(best, first)])
        start, self._start, self._has_begun = self._start, None, True
        return [_at(start, self._cut_at), event] if start else [event]

    def _first_behind(self, best: stt.SpeechData, came_at: float) -> int | None:
        """The index of the first word behind the cut; None if all are before it. A text without
        words counts as a whole."""
        words = best.words or []
        if not words:
            is_behind = self._has_begun or came_at - UNTIMED_SECONDS > self._cut_at
            return 0 if best.text and is_behind else None
        ended_at = (best.metadata or {}).get("ended_at") or came_at
        behind = ended_at - best.end_time
        for at, word in enumerate(words):
            middle = behind + (_seconds(word.start_time) + _seconds(word.end_time)) / 2
            if middle > self._cut_at:
                return at
        return None


def _from(best: stt.SpeechData, first: int) -> stt.SpeechData:
    words = (best.words or [])[first:]
    text = " ".join(map(str, words))
    return replace(best, text=text, words=words, start_time=_seconds(words[0].start_time))


def _at(start: stt.SpeechEvent, cut_at: float) -> stt.SpeechEvent:
    return replace(start, speech_start_time=max(start.speech_start_time or 0.0, cut_at))


def _seconds(given: object) -> float:
    return float(given) if isinstance(given, int | float) else 0.0
