"""What the caller's speech events say about a turn."""

import time
from typing import Any

import pytest
from livekit.agents import LanguageCode, stt
from livekit.agents.types import TimedString

from agent.call.turn_record.caller_words import CallerWords
from agent.call.turn_record.clock import CallClock
from agent.call.turn_record.collector import Collector
from agent.records.schema import CallersPart, Line, Turn

Type = stt.SpeechEventType


class Caller:
    """Somebody who is heard, second by second, since the call began 100 s ago."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._collector, clock = Collector(self.lines.append), CallClock()
        self._began_at = time.time()
        self.words = CallerWords(self._collector, clock)

    def hear(self, kind: stt.SpeechEventType, at: float, text: str = "", **known: Any) -> None:
        words = [TimedString(word, start_time=1.0, end_time=1.5) for word in text.split()]
        metadata = known.pop("metadata", {})
        best = stt.SpeechData(
            LanguageCode("en"), text, end_time=1.5, words=words, metadata=metadata
        )
        event = stt.SpeechEvent(kind, alternatives=[best] if text else [], **known)
        event.created_at = self._began_at + at
        self.words.hear(event)

    def at(self, seconds: float) -> float:
        """A moment of the call, in unix seconds."""
        return self._began_at + seconds

    @property
    def part(self) -> CallersPart:
        self._collector.committed(0)
        self._collector.unanswered()
        turn = self.lines[-1]
        assert isinstance(turn, Turn)
        return turn.caller_part


def near(found: int | None, seconds: float) -> bool:
    return found is not None and abs(found - seconds * 1000) < 50


async def test_a_turn_has_its_times_and_its_words() -> None:
    caller = Caller()
    caller.hear(Type.START_OF_SPEECH, 1.4, speech_start_time=caller.at(1.1))
    caller.hear(Type.INTERIM_TRANSCRIPT, 1.5, "at", metadata={"settled": False})
    caller.hear(Type.INTERIM_TRANSCRIPT, 1.8, "at seven", metadata={"settled": True})
    known = {"settled": True, "end_of_turn_confidence": 0.8, "ended_at": caller.at(1.6)}
    caller.hear(Type.PREFLIGHT_TRANSCRIPT, 1.9, "at seven", metadata=known)
    caller.hear(Type.FINAL_TRANSCRIPT, 2.0, "At seven.", metadata=known)
    caller.hear(Type.END_OF_SPEECH, 2.0, speech_end_time=caller.at(1.55))
    caller.hear(Type.RECOGNITION_USAGE, 2.0)
    part = caller.part
    assert near(part.started_ms, 1.1)
    assert near(part.last_word_final_ms, 1.8)
    assert near(part.ended_ms, 1.55)
    assert near(part.decided_ms, 2.0)
    assert part.end_confidence == 0.8
    assert [each.text for each in part.words] == ["At", "seven."]
    assert near(part.words[0].start_ms, 1.1)
    assert near(part.words[1].end_ms, 1.6)


async def test_a_turn_whose_formatted_text_was_awaited_was_decided_before() -> None:
    caller = Caller()
    caller.hear(Type.START_OF_SPEECH, 1.4)
    known = {"formatted": True, "decided_at": caller.at(2.0), "end_reason": "silence"}
    caller.hear(Type.FINAL_TRANSCRIPT, 2.2, "At seven.", metadata=known)
    caller.hear(Type.END_OF_SPEECH, 2.2)
    part = caller.part
    assert part.end_reason == "silence"
    assert near(part.decided_ms, 2.0)
    assert near(part.formatted_ms, 2.2)


@pytest.mark.parametrize(
    ("told", "reason"), [("forced", "second_opinion"), ("confidence", "confidence")]
)
async def test_an_end_that_our_own_model_asked_for_is_its_doing(told: str, reason: str) -> None:
    caller = Caller()
    caller.hear(Type.START_OF_SPEECH, 1.4)
    caller.words.is_asked_to_end = True
    caller.hear(Type.FINAL_TRANSCRIPT, 2.2, "At seven.", metadata={"end_reason": told})
    caller.hear(Type.END_OF_SPEECH, 2.2)
    assert caller.part.end_reason == reason
    caller.hear(Type.START_OF_SPEECH, 3.4)
    caller.hear(Type.FINAL_TRANSCRIPT, 4.2, "For two.", metadata={"end_reason": "forced"})
    caller.hear(Type.END_OF_SPEECH, 4.2)
    assert caller.part.end_reason == "forced"


async def test_an_end_that_comes_late_was_held_back() -> None:
    caller = Caller()
    caller.words.holds_ends = True
    caller.hear(Type.START_OF_SPEECH, -3)
    caller.hear(Type.FINAL_TRANSCRIPT, -2, "At seven.")
    caller.hear(Type.END_OF_SPEECH, -1.5)
    held_for_ms = caller.part.held_for_ms
    assert held_for_ms is not None
    assert abs(held_for_ms - 1500) < 50


async def test_without_our_own_model_nothing_holds_an_end_back() -> None:
    caller = Caller()
    caller.hear(Type.START_OF_SPEECH, -3)
    caller.hear(Type.END_OF_SPEECH, -1.5)
    assert caller.part.held_for_ms is None


async def test_words_are_unfinished_until_the_turn_is_over() -> None:
    caller = Caller()
    caller.hear(Type.START_OF_SPEECH, 1)
    caller.hear(Type.INTERIM_TRANSCRIPT, 1.5, "at sev")
    assert caller.words.unfinished == "at sev"
    caller.hear(Type.INTERIM_TRANSCRIPT, 1.6, "at seven")
    caller.hear(Type.FINAL_TRANSCRIPT, 2, "At seven.")
    assert caller.words.unfinished == "At seven."
    caller.hear(Type.INTERIM_TRANSCRIPT, 2.5, "for")
    assert caller.words.unfinished == "At seven. for"
    caller.words.end_turn()
    assert caller.words.unfinished == ""
    caller.hear(Type.INTERIM_TRANSCRIPT, 3.5, "good")
    assert caller.words.unfinished == "good"


async def test_of_another_recogniser_less_is_known() -> None:
    caller = Caller()
    caller.hear(Type.START_OF_SPEECH, 1.4)
    caller.hear(Type.INTERIM_TRANSCRIPT, 1.6)
    caller.hear(Type.FINAL_TRANSCRIPT, 1.8)
    caller.hear(Type.FINAL_TRANSCRIPT, 2.0, "seven")
    caller.hear(Type.END_OF_SPEECH, 2.1)
    part = caller.part
    assert near(part.started_ms, 1.4)
    assert near(part.last_word_final_ms, 2.0)
    assert near(part.decided_ms, 2.1)
    assert (part.ended_ms, part.end_confidence, part.words) == (None, None, [])
