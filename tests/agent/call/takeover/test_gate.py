"""What passes a gate, and what a cut leaves of it: each word on one side, once."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit.agents import LanguageCode, stt
from livekit.agents.types import TimedString

from agent.call.takeover.gate import Gate, Trim

Type = stt.SpeechEventType
NOW = 1000.0
"""The wall time at which the audio begins."""
WORD_SECONDS = 0.4


def heard(kind: Any, first: int, last: int, *, timed: bool = True) -> stt.SpeechEvent:
    """The words from number `first` to `last`; word N is said from N * WORD_SECONDS on."""
    numbers = range(first, last + 1)
    words = [
        TimedString(f"w{n}", start_time=n * WORD_SECONDS, end_time=n * WORD_SECONDS + 0.3)
        for n in numbers
    ]
    end = last * WORD_SECONDS + 0.3
    data = stt.SpeechData(
        language=LanguageCode("en"),
        text=" ".join(f"w{n}" for n in numbers),
        start_time=first * WORD_SECONDS,
        end_time=end,
        words=words if timed else None,
        metadata={"ended_at": NOW + end},
    )
    return stt.SpeechEvent(type=kind, alternatives=[data], created_at=NOW + end + 0.5)


def start(first: int) -> stt.SpeechEvent:
    at = NOW + first * WORD_SECONDS
    return stt.SpeechEvent(type=Type.START_OF_SPEECH, speech_start_time=at, created_at=at + 0.5)


def end(last: int) -> stt.SpeechEvent:
    at = NOW + last * WORD_SECONDS + 0.3
    return stt.SpeechEvent(type=Type.END_OF_SPEECH, speech_end_time=at, created_at=at + 0.6)


def utterance(first: int, last: int) -> list[stt.SpeechEvent]:
    """An utterance as it comes: word by word, then as a whole."""
    growing = [heard(Type.INTERIM_TRANSCRIPT, first, n) for n in range(first, last + 1)]
    whole = heard(Type.FINAL_TRANSCRIPT, first, last)
    return [start(first), *growing, heard(Type.PREFLIGHT_TRANSCRIPT, first, last), whole, end(last)]


def before(word: int) -> float:
    """A cut in the pause before this word."""
    return NOW + word * WORD_SECONDS - 0.05


def kinds(events: list[stt.SpeechEvent]) -> list[str]:
    return [each.type.name.split("_")[0] for each in events]


def texts(events: list[stt.SpeechEvent], kind: Any = Type.FINAL_TRANSCRIPT) -> list[str]:
    return [each.alternatives[0].text for each in events if each.type is kind]


def through(gate: Gate, events: list[stt.SpeechEvent]) -> list[stt.SpeechEvent]:
    return list(itertools.chain.from_iterable(gate.push(each) for each in events))


USAGE = stt.SpeechEvent(type=Type.RECOGNITION_USAGE)


def test_an_open_gate_passes_everything() -> None:
    events = [*utterance(1, 3), USAGE]
    assert through(Gate(), events) == events


def test_a_closed_gate_passes_what_is_no_speech() -> None:
    assert through(Gate(is_open=False), [*utterance(1, 3), USAGE]) == [USAGE]


def test_who_hears_on_has_missed_nothing() -> None:
    gate = Gate()
    gate.close()
    assert through(gate, utterance(1, 3)) == []
    passed = gate.open()
    assert kinds(passed) == ["START", "FINAL", "END"]
    assert texts(passed) == ["w1 w2 w3"]
    more = utterance(5, 6)
    assert through(gate, more) == more


def test_of_an_open_turn_the_words_so_far_are_kept() -> None:
    gate = Gate(is_open=False)
    through(gate, utterance(1, 3)[:3])
    assert texts(gate.open(), Type.INTERIM_TRANSCRIPT) == ["w1 w2"]


def test_it_knows_an_open_utterance_and_where_the_last_one_ended() -> None:
    gate = Gate()
    assert (gate.in_utterance, gate.heard_until) == (False, None)
    through(gate, utterance(1, 3)[:3])
    assert gate.in_utterance
    through(gate, utterance(1, 3)[3:])
    assert not gate.in_utterance
    assert gate.heard_until == pytest.approx(NOW + 3 * WORD_SECONDS + 0.3)


def test_what_is_held_counts_only_when_it_passes() -> None:
    gate = Gate(is_open=False)
    through(gate, utterance(1, 3)[:3])
    assert not gate.in_utterance
    gate.open()
    assert gate.in_utterance


def test_what_was_said_before_the_cut_is_left_out_as_a_whole() -> None:
    gate = Gate(is_open=False)
    through(gate, [*utterance(1, 3), *utterance(10, 12)])
    passed = gate.open(before(5))
    assert kinds(passed) == ["START", "FINAL", "END"]
    assert texts(passed) == ["w10 w11 w12"]


def test_a_turn_across_the_cut_loses_its_first_words_also_in_what_follows() -> None:
    gate = Gate(is_open=False)
    events = utterance(1, 5)
    through(gate, events[:3])  # two words so far
    passed = [*gate.open(before(3)), *through(gate, events[3:])]
    assert kinds(passed)[0] == "START"
    assert kinds(passed)[-2:] == ["FINAL", "END"]
    assert texts(passed, Type.INTERIM_TRANSCRIPT) == ["w3", "w3 w4", "w3 w4 w5"]
    assert texts(passed) == ["w3 w4 w5"]
    assert passed[0].speech_start_time == pytest.approx(before(3))


def test_trimmed_events_keep_the_times_of_what_is_left() -> None:
    gate = Gate(is_open=False)
    gate.open(before(3))
    final = next(each for each in through(gate, utterance(1, 5)) if each.alternatives)
    assert final.alternatives[0].start_time == pytest.approx(3 * WORD_SECONDS)


def test_a_later_turn_is_not_touched() -> None:
    gate = Gate(is_open=False)
    gate.open(before(3))
    through(gate, utterance(1, 5))
    later = utterance(8, 9)
    assert through(gate, later) == later


def test_a_turn_whose_last_words_are_taken_back_still_ends() -> None:
    gate = Gate(is_open=False)
    gate.open(before(3))
    events = [start(1), heard(Type.INTERIM_TRANSCRIPT, 1, 3), heard(Type.FINAL_TRANSCRIPT, 1, 2)]
    assert kinds(through(gate, [*events, end(3)])) == ["START", "INTERIM", "END"]


def test_a_final_without_words_passes_in_a_turn_only() -> None:
    empty = stt.SpeechEvent(type=Type.FINAL_TRANSCRIPT)
    trim = Trim(before(3))
    assert trim.push(empty) == []
    trim.push(start(1))
    trim.push(heard(Type.INTERIM_TRANSCRIPT, 1, 4))
    assert trim.push(empty) == [empty]


@pytest.mark.parametrize(("cut", "passes"), [(before(0), True), (NOW + 100, False)])
def test_a_text_without_times_is_taken_or_left_as_a_whole(cut: float, passes: bool) -> None:
    gate = Gate(is_open=False)
    gate.open(cut)
    events = [start(0), heard(Type.FINAL_TRANSCRIPT, 0, 4, timed=False), end(4)]
    events[0].speech_start_time = before(0) - 1
    assert texts(through(gate, events)) == (["w0 w1 w2 w3 w4"] if passes else [])


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=8),
    st.integers(0, 40),
    st.integers(0, 60),
)
@settings(max_examples=150, deadline=None)
def test_each_word_is_heard_by_one_of_two_agents(
    lengths: list[int], cut_word: int, opened_after: int
) -> None:
    """The first agent heard what was said before the cut; the second one opens its gate there,
    whenever that is, and however the words are cut into turns."""
    events: list[stt.SpeechEvent] = []
    first = 1
    for length in lengths:
        events += utterance(first, first + length - 1)
        first += length + 1
    said = [word for each in texts(events) for word in each.split()]
    gate = Gate(is_open=False)
    passed = through(gate, events[:opened_after])
    passed += gate.open(before(cut_word))
    passed += through(gate, events[opened_after:])
    got = [word for each in texts(passed) for word in each.split()]
    assert got == [word for word in said if int(word[1:]) >= cut_word]
    names = [each for each in kinds(passed) if each in ("START", "END")]
    assert names == ["START", "END"] * (len(names) // 2)
