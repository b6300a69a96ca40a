"""What becomes of the facts of a call: conversations as scripts, and the turns that come out."""

from collections.abc import Sequence

import pytest

from agent.call.turn_record.collector import Collector
from agent.call.turn_record.drafts import SpeechEnd
from agent.records.schema import (
    Attempt,
    Filler,
    Interruption,
    Line,
    PresetChanged,
    ProviderFailed,
    Tool,
    Turn,
    Usage,
    Word,
)

QUESTION = [Word(text="when", start_ms=1000, end_ms=1300)]
STOP = [Word(text="stop", start_ms=3300, end_ms=3500)]


class Call:
    """A call, told fact by fact, and its lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.tell = Collector(self.lines.append)

    @property
    def turns(self) -> list[Turn]:
        return [each for each in self.lines if isinstance(each, Turn)]

    def asks(self, at_ms: int = 1000, words: Sequence[Word] = QUESTION) -> None:
        """The caller speaks for half a second, and the recogniser ends the turn."""
        self.tell.voice_began(at_ms)
        self.tell.last_word_final(at_ms + 600)
        self.tell.said(words)
        self.tell.voice_ended(SpeechEnd(at_ms + 700, at_ms + 500, "confidence", 0.9))

    def answers(self, speech: str, from_ms: int, *, until_sound: bool = True) -> None:
        """The model and the voice do their work, 100 ms each step."""
        self.tell.reached(speech, "asked_ms", from_ms)
        self.tell.reached(speech, "first_token_ms", from_ms + 100)
        self.tell.reached(speech, "first_clause_ms", from_ms + 200)
        self.tell.reached(speech, "first_audio_ms", from_ms + 300)
        if until_sound:
            self.tell.reached(speech, "first_sound_ms", from_ms + 400)

    def turn(self, speech: str = "s1", at_ms: int = 1000) -> None:
        """A plain turn up to the reply's first sound, 1.3 s after its beginning."""
        self.asks(at_ms)
        self.tell.committed(at_ms + 800)
        self.tell.speech_created(speech, answers=True)
        self.answers(speech, at_ms + 900)

    def ends(self, speech: str, at_ms: int, *, is_interrupted: bool = False) -> None:
        self.tell.sound_ended(speech, at_ms)
        self.tell.speech_done(speech, at_ms + 10, is_interrupted=is_interrupted)


@pytest.fixture
def call() -> Call:
    return Call()


def test_a_plain_turn_is_whole_when_its_reply_is_over(call: Call) -> None:
    call.tell.preset("balanced", is_dictated=False, at_ms=0)
    call.turn()
    call.tell.heard("s1", "At seven.")
    assert call.turns == []
    call.ends("s1", 3300)
    (turn,) = call.turns
    assert (turn.index, turn.origin, turn.preset) == (1, "caller", "balanced")
    part = turn.caller_part
    assert (part.started_ms, part.ended_ms, part.last_word_final_ms) == (1000, 1500, 1600)
    assert (part.decided_ms, part.committed_ms) == (1700, 1800)
    assert (part.end_reason, part.end_confidence, part.words) == ("confidence", 0.9, QUESTION)
    reply = turn.reply
    assert reply
    assert (reply.asked_ms, reply.first_token_ms, reply.first_clause_ms) == (1900, 2000, 2100)
    assert (reply.first_audio_ms, reply.first_sound_ms, reply.ended_ms) == (2200, 2300, 3300)
    assert [each.text for each in reply.words] == ["At", "seven."]
    assert (reply.preemptive, reply.preemptive_wasted, turn.cut_off_for_ms) == (None, 0, None)


def test_only_the_first_time_that_a_reply_comes_to_a_point_counts(call: Call) -> None:
    call.turn()
    call.tell.reached("s1", "first_sound_ms", 5000)
    call.ends("s1", 6000)
    assert call.turns[0].reply
    assert call.turns[0].reply.first_sound_ms == 2300


def test_the_greeting_and_what_the_agent_says_by_itself_are_turns_without_a_caller(
    call: Call,
) -> None:
    assert call.tell.turn is None
    call.tell.speech_created("hello", answers=False, origin="greeting")
    assert call.tell.turn == call.tell.turn_of("hello") == 1
    call.ends("hello", 900)
    call.tell.speech_created("still there?", answers=False)
    call.ends("still there?", 9000)
    assert [(each.index, each.origin) for each in call.turns] == [(1, "greeting"), (2, "prompt")]
    assert call.turns[0].caller_part.committed_ms is None


def test_a_typed_turn_has_only_its_commit(call: Call) -> None:
    call.tell.typed(1000)
    call.tell.speech_created("s1", answers=True)
    call.ends("s1", 3000)
    part = call.turns[0].caller_part
    assert (part.committed_ms, part.end_reason, part.started_ms) == (1000, "typed", None)


def test_an_early_reply_that_is_used_was_asked_for_before_the_commit(call: Call) -> None:
    call.asks()
    call.tell.speech_created("early", answers=True)
    call.answers("early", 1550, until_sound=False)
    call.tell.committed(1800)
    call.tell.used("early")
    call.tell.reached("early", "first_sound_ms", 1900)
    call.ends("early", 3000)
    (turn,) = call.turns
    assert turn.reply
    assert (turn.reply.asked_ms, turn.reply.first_sound_ms) == (1550, 1900)
    assert (turn.reply.preemptive, turn.reply.preemptive_wasted) == ("used", 0)
    assert turn.caller_part.committed_ms == 1800


def test_early_replies_that_nobody_heard_are_counted_at_the_turn_they_were_for(
    call: Call,
) -> None:
    call.asks()
    for speech in ("wasted", "wasted too"):
        call.tell.speech_created(speech, answers=True)
        call.tell.speech_done(speech, 1600, is_interrupted=True)
    call.tell.committed(1800)
    call.tell.speech_created("s1", answers=True)
    call.tell.used("s1")
    call.ends("s1", 3000)
    (turn,) = call.turns
    assert turn.reply
    assert (turn.reply.preemptive, turn.reply.preemptive_wasted) == ("thrown_away", 2)


def test_an_early_reply_is_used_even_if_the_commit_was_not_seen(call: Call) -> None:
    call.asks()
    call.tell.speech_created("early", answers=True)
    call.tell.used("early")
    call.ends("early", 3000)
    assert call.turns[0].caller_part.started_ms == 1000


def test_an_interruption_has_the_words_that_decided_it(call: Call) -> None:
    call.turn()
    call.tell.heard("s1", "At seven.")
    call.tell.fell_silent(3400)
    call.tell.fell_silent(3450)
    call.tell.floor_taken(3600, STOP)
    call.tell.floor_taken(3700, [])
    call.tell.speech_done("s1", 3800, is_interrupted=True)
    assert call.turns == []
    call.tell.voice_began(5000)
    assert call.turns[0].reply
    assert call.turns[0].reply.interruptions == [
        Interruption(at_ms=3400, by="voice", outcome="true", words=STOP)
    ]
    assert call.turns[0].reply.ended_ms == 3400


def test_words_alone_may_interrupt(call: Call) -> None:
    call.turn()
    call.tell.floor_taken(3600, STOP)
    call.ends("s1", 3700, is_interrupted=True)
    call.tell.close(9000)
    assert call.turns[0].reply
    assert call.turns[0].reply.interruptions == [
        Interruption(at_ms=3600, by="words", outcome="true", words=STOP)
    ]


def test_so_may_a_typed_text(call: Call) -> None:
    call.turn()
    call.tell.typed(3600)
    call.ends("s1", 3700, is_interrupted=True)
    call.tell.speech_created("s2", answers=True)
    call.ends("s2", 5000)
    first, second = call.turns
    assert first.reply
    assert [each.by for each in first.reply.interruptions] == ["typed"]
    assert (second.index, second.caller_part.end_reason) == (2, "typed")


def test_a_false_interruption_says_where_the_agent_went_on(call: Call) -> None:
    call.turn()
    call.tell.heard("s1", "At seven.")
    call.tell.went_on(2500)
    call.tell.fell_silent(2800)
    call.tell.went_on(3300)
    call.ends("s1", 3800)
    reply = call.turns[0].reply
    assert reply
    assert reply.interruptions == [
        Interruption(at_ms=2800, by="voice", outcome="false", resumed_ms=3300)
    ]
    assert (reply.ended_ms, reply.words[-1].end_ms) == (3800, 3800)


def test_a_reply_that_our_own_code_stops_was_not_interrupted(call: Call) -> None:
    call.turn()
    call.ends("s1", 3000, is_interrupted=True)
    call.tell.close(9000)
    assert call.turns[0].reply
    assert call.turns[0].reply.interruptions == []


@pytest.mark.parametrize(
    ("again_ms", "cut_off_for_ms"),
    [(1750, None), (2100, 0), (2300, 0), (4300, 2000), (4301, None)],
)
def test_a_caller_who_speaks_on_soon_after_the_reply_began_was_cut_off(
    call: Call, again_ms: int, cut_off_for_ms: int | None
) -> None:
    call.turn()
    call.tell.floor_taken(again_ms + 300, STOP)
    call.ends("s1", again_ms + 310, is_interrupted=True)
    call.tell.voice_began(again_ms)
    assert call.turns[0].cut_off_for_ms == cut_off_for_ms


def test_a_caller_who_speaks_before_the_agent_has_stopped_was_cut_off_too(call: Call) -> None:
    call.turn()
    call.tell.voice_began(2600)
    call.ends("s1", 2700, is_interrupted=True)
    call.tell.close(9000)
    assert call.turns[0].cut_off_for_ms == 300


def test_one_who_answers_a_short_reply_was_not(call: Call) -> None:
    call.turn()
    call.ends("s1", 2600)
    call.tell.voice_began(2700)
    assert call.turns[0].cut_off_for_ms is None


def test_nor_one_who_speaks_over_the_greeting(call: Call) -> None:
    call.tell.speech_created("hello", answers=False, origin="greeting")
    call.tell.reached("hello", "first_sound_ms", 100)
    call.tell.voice_began(300)
    call.ends("hello", 400, is_interrupted=True)
    call.tell.close(1000)
    assert call.turns[0].cut_off_for_ms is None


def test_a_reply_that_is_overtaken_before_it_is_heard_has_no_sound(call: Call) -> None:
    call.asks()
    call.tell.committed(1800)
    call.tell.speech_created("s1", answers=True)
    call.answers("s1", 1900, until_sound=False)
    call.asks(2100)
    call.tell.committed(2900)
    call.tell.speech_created("s2", answers=True)
    call.tell.speech_done("s1", 2950, is_interrupted=True)
    call.answers("s2", 3000)
    call.ends("s2", 4000)
    first, second = call.turns
    assert (first.index, second.index) == (1, 2)
    assert first.reply
    assert (first.reply.first_audio_ms, first.reply.first_sound_ms) == (2200, None)
    assert second.caller_part.started_ms == 2100


def test_a_turn_that_goes_on_after_its_end_is_one_turn_with_the_last_end(call: Call) -> None:
    call.asks()
    call.asks(2000)
    call.tell.committed(2900)
    call.tell.speech_created("s1", answers=True)
    call.ends("s1", 4000)
    part = call.turns[0].caller_part
    assert (part.started_ms, part.decided_ms, len(part.words)) == (1000, 2700, 2)


def test_a_voice_without_words_is_no_part_of_the_next_turn(call: Call) -> None:
    call.asks(0, words=[])
    call.turn()
    call.ends("s1", 3000)
    assert call.turns[0].caller_part.started_ms == 1000


def test_what_is_kept_with_a_mark_is_no_turn(call: Call) -> None:
    call.asks()
    call.tell.dropped()
    call.asks(5000)
    call.tell.committed(5800)
    call.tell.unanswered()
    call.tell.unanswered()
    (turn,) = call.turns
    assert (turn.index, turn.caller_part.started_ms, turn.reply) == (1, 5000, None)


def test_a_turn_without_a_reply_is_told_when_the_next_one_is_over(call: Call) -> None:
    call.asks()
    call.tell.committed(1800)
    call.asks(5000)
    call.tell.committed(5800)
    assert [each.reply for each in call.turns] == [None]


def test_formatted_text_belongs_to_its_turn_even_if_the_next_has_begun(call: Call) -> None:
    call.tell.formatted(1)
    call.tell.formatted(2, is_late=True)
    call.turn("s1")
    call.asks(2600)
    call.tell.formatted(2700, is_late=True)
    call.tell.formatted(2800)
    call.ends("s1", 3000)
    call.tell.committed(3400)
    call.tell.unanswered()
    assert [each.caller_part.formatted_ms for each in call.turns] == [2700, 2800]


def test_the_end_of_a_call_tells_what_is_open(call: Call) -> None:
    call.turn()
    call.tell.heard("s1", "At")
    call.asks(2600)
    call.tell.speech_created("early", answers=True)
    call.tell.close(4000)
    first, second = call.turns
    assert first.reply
    assert (first.reply.ended_ms, [each.text for each in first.reply.words]) == (4000, ["At"])
    assert (second.index, second.reply, second.caller_part.words) == (2, None, QUESTION)
    call.tell.close(5000)
    assert len(call.turns) == 2


def test_a_voice_without_words_at_the_end_is_no_turn(call: Call) -> None:
    call.tell.voice_began(1000)
    call.tell.close(2000)
    assert call.turns == []


def test_tools_have_their_times_and_outcomes(call: Call) -> None:
    call.tell.tool_started(None, "before", "order", 1)
    call.turn()
    call.tell.tool_started("s1", "c1", "order", 2000)
    call.tell.tool_ended("c1", 2500)
    call.tell.tool_started(None, "c2", "search", 2600)
    call.tell.tool_ended("c2", 3000, "timeout", "TimeoutError")
    call.tell.tool_ended("c2", 4000)
    call.ends("s1", 4000)
    assert call.turns[0].tools == [
        Tool(tool="order", started_ms=2000, ended_ms=2500),
        Tool(
            tool="search", started_ms=2600, ended_ms=3000, outcome="timeout", error="TimeoutError"
        ),
    ]


def test_a_turn_has_the_speaker_whose_words_it_answers(call: Call) -> None:
    call.tell.spoken_by(None, "ann")
    call.turn("s1")
    call.tell.spoken_by("s1", "ann")
    call.ends("s1", 3000)
    call.tell.typed(4000)
    call.tell.spoken_by(None, "bob")
    call.tell.unanswered()
    assert [each.speaker for each in call.turns] == ["ann", "bob"]


def test_a_filler_belongs_to_the_turn_that_waits(call: Call) -> None:
    call.tell.filler(1)
    call.asks()
    call.tell.committed(1800)
    call.tell.filler(2500)
    call.tell.speech_created("s1", answers=True)
    call.tell.filler(3500)
    call.ends("s1", 5000)
    assert call.turns[0].fillers == [Filler(at_ms=2500), Filler(at_ms=3500)]


def test_attempts_are_kept_with_the_reply_and_failures_told_at_once(call: Call) -> None:
    failed = Attempt(provider="a.example/fast", took_for_ms=100, error="timeout")
    done = Attempt(provider="b.example/safe", took_for_ms=300)
    call.turn()
    call.tell.attempted("s1", "llm", failed, 2000)
    call.tell.attempted("s1", "llm", done, 2300)
    call.tell.attempted("s1", "tts", done, 2600)
    call.tell.attempted(None, "tts", failed, 2700)
    call.ends("s1", 5000)
    assert call.turns[0].reply
    assert (call.turns[0].reply.llm, call.turns[0].reply.tts) == ([failed, done], [done])
    assert call.lines[:2] == [
        ProviderFailed(at_ms=2000, provider="llm", error="timeout"),
        ProviderFailed(at_ms=2700, provider="tts", error="timeout"),
    ]


def test_usage_is_that_of_the_reply_and_of_the_whole_call(call: Call) -> None:
    call.turn()
    call.tell.used_tokens("s1", prompt_tokens=100, cached_tokens=50, completion_tokens=10)
    call.tell.used_tokens("s1", prompt_tokens=20, cached_tokens=0, completion_tokens=1)
    call.tell.used_tokens("s1", tts_characters=30, tts_audio_for_ms=2000)
    call.tell.used_tokens("gone", prompt_tokens=5)
    call.tell.billed(1.5)
    call.tell.billed(2)
    call.ends("s1", 5000)
    reply = call.turns[0].reply
    assert reply
    assert (reply.prompt_tokens, reply.cached_tokens, reply.completion_tokens) == (120, 50, 11)
    assert (reply.tts_characters, reply.tts_audio_for_ms) == (30, 2000)
    assert call.tell.usage == Usage(
        stt_billed_seconds=3.5,
        prompt_tokens=125,
        cached_tokens=50,
        completion_tokens=11,
        tts_characters=30,
        tts_audio_for_ms=2000,
    )


def test_a_change_of_patience_is_told_once(call: Call) -> None:
    call.tell.preset("balanced", is_dictated=False, at_ms=0)
    call.tell.preset("balanced", is_dictated=True, at_ms=10)
    call.tell.preset("balanced", is_dictated=True, at_ms=20)
    call.turn()
    call.ends("s1", 5000)
    assert call.lines[:2] == [
        PresetChanged(at_ms=0, preset="balanced"),
        PresetChanged(at_ms=10, preset="balanced", is_dictated=True),
    ]
    assert call.turns[0].is_dictated


def test_facts_of_unknown_speeches_and_before_the_first_turn_are_dropped(call: Call) -> None:
    call.tell.last_word_final(1)
    call.tell.said(QUESTION)
    call.tell.voice_ended(SpeechEnd(2))
    call.tell.heard("gone", "words")
    call.tell.sound_ended("gone", 3)
    call.tell.reached("gone", "asked_ms", 4)
    call.tell.fell_silent(5)
    call.tell.went_on(6)
    call.tell.floor_taken(7, [])
    call.tell.speech_done("gone", 8, is_interrupted=False)
    call.tell.tool_ended("gone", 9)
    call.tell.close(10)
    assert call.lines == []


def test_a_commit_without_a_voice_is_a_turn_all_the_same(call: Call) -> None:
    call.tell.committed(1000)
    call.tell.unanswered()
    assert call.turns[0].caller_part.committed_ms == 1000


def test_an_early_reply_to_a_turn_that_nobody_has_ended_ends_it() -> None:
    call = Call()
    call.asks()
    call.tell.speech_created("early", answers=True)
    call.tell.speech_created("other", answers=True)
    call.tell.used("early")
    call.tell.used("other")  # it has its reply
    call.ends("other", 2000, is_interrupted=True)
    call.ends("early", 3000)
    call.tell.close(4000)
    assert [turn.index for turn in call.turns] == [1]
    reply = call.turns[0].reply
    assert reply
    assert (reply.preemptive, reply.preemptive_wasted) == ("used", 1)


def test_the_turn_that_the_caller_has_begun_meanwhile_stays_open() -> None:
    call = Call()
    call.asks()
    call.tell.speech_created("early", answers=True)
    call.tell.dropped()
    call.asks(2000)
    call.tell.used("early")
    call.tell.committed(3000)
    call.ends("early", 4000)
    call.tell.close(5000)
    assert {turn.index: turn.caller_part.started_ms for turn in call.turns} == {1: 1000, 2: 2000}


def test_a_call_that_another_agent_had_goes_on_with_its_next_turn_and_its_usage(call: Call) -> None:
    call.tell.go_on_from(7, Usage(prompt_tokens=3))
    call.turn()
    call.ends("s1", 4000)
    (turn,) = call.turns
    assert turn.index == 8
    assert call.tell.usage.prompt_tokens == 3
