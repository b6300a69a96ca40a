"""Who spoke over whom, and what was wrong about it, as sentences."""

from pathlib import Path
from typing import Any

import pytest

from agent.records.interruptions import found
from agent.records.oddity import Oddity
from agent.records.read import RecordedCall
from agent.records.schema import Call, Interruption, Line, Overlap, Turn
from workbench.local.calling.sample_records import turn, words

SPOKEN = "We open at nine every morning but on Sundays"


def told(*lines: Line) -> list[Oddity]:
    every: Any = (Call(), *lines)
    return found(RecordedCall(Path("RM_1.jsonl"), every))


def only(*lines: Line) -> Oddity:
    (oddity,) = told(*lines)
    return oddity


def interrupted(*each: Interruption, **fields: Any) -> Turn:
    return turn(4, 1000, "when do you open", SPOKEN, reply={"interruptions": each}, **fields)


def false(at_ms: int, resumed_ms: int | None = None, text: str = "") -> Interruption:
    by: Any = "words" if text else "voice"
    heard = words(text, at_ms)
    return Interruption(at_ms=at_ms, by=by, outcome="false", resumed_ms=resumed_ms, words=heard)


def test_a_noise_that_was_taken_for_a_barge_in_is_told_with_the_silence_it_cost() -> None:
    one = only(interrupted(false(3000, 3900)))
    assert (one.kind, one.turn) == ("false_barge_in", 4)
    assert one.sentence == (
        "Turn 4 was interrupted once by a sound without words (noise) at 0:03: a false barge-in; "
        "the agent fell silent for 0.90 s and went on."
    )
    assert "AGENT_BARGE_IN: calm yields later." in one.hint


def test_several_in_a_turn_are_one_sentence() -> None:
    one = only(interrupted(false(3000, 3900), false(5000, text="oh well")))
    assert "interrupted 2 times by the words “oh well” at 0:03, 0:05" in one.sentence
    assert one.sentence.endswith("the agent fell silent.")


def test_a_true_barge_in_is_nothing_odd() -> None:
    true = Interruption(at_ms=3000, by="words", outcome="true", words=words("stop please", 3000))
    assert told(interrupted(true)) == []
    assert told(Turn(index=1, origin="caller")) == []


def test_a_cut_off_tells_why_the_turn_had_ended() -> None:
    cut = turn(2, 1000, "I would like", "What?", cut_off_for_ms=640, part={"end_confidence": 0.71})
    assert only(cut).sentence == (
        "Turn 2 cut the caller off: the caller went on speaking 0.64 s after the reply began. The "
        "turn ended 0.28 s after the caller stopped speaking, because AssemblyAI was sure that the "
        "turn was over (confidence 0.71), with the preset seed."
    )
    assert "AGENT_TURN_PRESET" in only(cut).hint
    unknown = turn(2, 1000, "I would", "What?", cut_off_for_ms=0, part={"end_reason": None})
    assert only(unknown).sentence.endswith("went on speaking 0 ms after the reply began.")
    bare = {"end_confidence": None, "ended_ms": None}
    vague = turn(2, 1000, "I would", "What?", cut_off_for_ms=0, part=bare, preset=None)
    assert only(vague).sentence.endswith(
        "The turn ended because AssemblyAI was sure that the turn was over."
    )


@pytest.mark.parametrize(
    "lines",
    [
        [turn(2, 1000, "my name is spelt", "Thanks.", cut_off_for_ms=600, is_dictated=True)],
        [turn(2, 1000, "five five 01", "Thanks.", cut_off_for_ms=600)],
        [
            turn(2, 1000, "my name is spelt", "Thanks.", cut_off_for_ms=600),
            turn(3, 5000, "with a k", "Thanks.", is_dictated=True),
        ],
    ],
)
def test_a_dictation_that_was_cut_is_called_so(lines: list[Turn]) -> None:
    one = only(*lines)
    assert one.kind == "dictation_cut"
    assert one.sentence.startswith("Turn 2 cut a dictation off")
    known = lines[0].is_dictated
    assert ("AGENT_DICTATION_PAUSE_MS" if known else "the list dictation") in one.hint


def test_an_echo_that_was_kept_out_is_told_once() -> None:
    echo = Overlap(at_ms=4000, taken_for="echo", is_right=True)
    assert "came back over the caller's line once (first at 0:04)" in only(echo).sentence
    assert "2 times" in only(echo, echo).sentence


def test_an_echo_that_interrupted_the_agent_is_known_by_its_words() -> None:
    own = Interruption(at_ms=3000, by="words", outcome="true", words=words("at nine every", 3000))
    one = only(interrupted(own, cut_off_for_ms=700))  # the echo is the cause, not a cut-off
    assert one.kind == "echo"
    assert "interrupted by the agent's own words “at nine every”" in one.sentence
    assert "AGENT_ECHO: auto keeps it out." in one.hint


def test_an_echo_and_the_false_barge_ins_without_words_that_it_caused_are_one() -> None:
    echo = Overlap(at_ms=4000, taken_for="echo", is_right=True)
    later = turn(5, 7000, "when", SPOKEN, reply={"interruptions": [false(9000)]})
    one = only(echo, interrupted(false(3000, 3900)), later)
    assert (one.kind, one.turn, one.also) == ("echo", 4, (5,))
    assert one.sentence.endswith(
        "It probably also interrupted turn 4 at 0:03 and turn 5 at 0:09, without words: a false "
        "barge-in, for which the agent fell silent for 0.90 s."
    )
    many = interrupted(*[false(3000, 3100)] * 6)
    assert "at 0:03, and 2 times more, without words" in only(echo, many).sentence
    words_too = interrupted(false(3000), false(5000, 5500, "oh well"))
    kinds = {each.kind: each.sentence for each in told(echo, words_too)}
    assert "interrupted once by the words “oh well”" in kinds["false_barge_in"]


def in_force(*lines: Line, **settings: Any) -> str:
    every: Any = (Call(settings=settings), *lines)
    (one,) = found(RecordedCall(Path("RM_1.jsonl"), every))
    return one.hint


def test_a_hint_about_barge_in_says_what_was_in_force() -> None:
    noise = interrupted(false(3000, 3900))
    assert in_force(noise, AGENT_BARGE_IN="eager") == (
        "AGENT_BARGE_IN was eager; balanced and calm yield later. ASSEMBLYAI_VAD_THRESHOLD is not "
        "set; a higher one takes less for a voice."
    )
    assert "AGENT_BARGE_IN" not in in_force(noise, AGENT_BARGE_IN="calm")  # it cannot help


def test_a_hint_about_an_echo_says_whether_it_was_looked_for() -> None:
    own = Interruption(at_ms=3000, by="words", outcome="true", words=words("at nine every", 3000))
    assert "AGENT_ECHO was off; auto keeps it out." in in_force(interrupted(own), AGENT_ECHO="off")
    assert "was auto, and missed it" in in_force(interrupted(own), AGENT_ECHO="auto")


def test_a_hint_about_a_cut_off_names_the_presets_that_wait_longer() -> None:
    cut = turn(2, 1000, "I would like", "What?", cut_off_for_ms=640)
    assert in_force(cut) == ("AGENT_TURN_PRESET was seed; balanced and conservative wait longer.")
    balanced = cut.model_copy(update={"preset": "balanced"})
    assert in_force(balanced).endswith("balanced; conservative waits longer.")
    most = cut.model_copy(update={"preset": "conservative"})
    hint = in_force(most, ASSEMBLYAI_MIN_TURN_SILENCE=400)
    assert hint.startswith("ASSEMBLYAI_MIN_TURN_SILENCE was 0.4 s;")
    assert in_force(cut.model_copy(update={"preset": None})).startswith("AGENT_TURN_PRESET: bal")


def test_a_dictation_that_was_cut_tells_the_pause_and_what_was_allowed() -> None:
    cut = turn(2, 1000, "oh seven", "Thanks.", end=1700, cut_off_for_ms=600, is_dictated=True)
    one = only(cut)
    assert one.sentence.endswith("with the preset seed, with patience for dictation.")
    assert one.hint.startswith("The caller paused for 2.98 s; AGENT_DICTATION_PAUSE_MS says how")
    assert in_force(cut, AGENT_DICTATION_PAUSE_MS=1600) == (
        "The caller paused for 2.98 s; AGENT_DICTATION_PAUSE_MS allows 1.6 s."
    )
    unheard = cut.model_copy(update={"reply": None})
    assert "may pause while dictating" in only(unheard).hint


def test_an_echo_that_was_answered_is_known_by_its_words_though_some_were_misheard() -> None:
    agent = turn(4, 1000, "when", SPOKEN)
    assert agent.reply
    assert agent.reply.first_sound_ms
    begins = agent.reply.first_sound_ms + 400
    one = only(agent, turn(5, begins, "we open at wine every morning", "Pardon?"))
    assert (one.kind, one.turn) == ("echo", 5)
    assert "“we open at wine every morning”: an echo" in one.sentence
    long = turn(5, begins, "we open at nine every morning but on sundays at ten or by", "Pardon?")
    assert "sundays at ten or ...”" in only(agent, long).sentence


@pytest.mark.parametrize(
    ("said", "after_ms"),
    [
        ("we open at nine every morning", 9000),  # said again, when the agent had ended
        ("we open", 400),
        ("I would like to book a table at nine", 400),
    ],
)
def test_a_caller_who_uses_the_agents_words_is_no_echo(said: str, after_ms: int) -> None:
    agent = turn(4, 1000, "when", SPOKEN)
    assert agent.reply
    assert agent.reply.first_sound_ms
    assert told(agent, turn(5, agent.reply.first_sound_ms + after_ms, said, "Yes.")) == []


def test_without_knowing_when_the_agent_spoke_nothing_is_its_echo() -> None:
    mute = turn(4, 1000, "when", SPOKEN, reply={"ended_ms": None})
    assert told(mute, turn(5, 3000, "we open at nine every morning", "Yes.")) == []
    assert told(Turn(index=4, origin="caller"), turn(5, 3000, "we open at nine", "Yes.")) == []


def test_what_was_taken_for_no_turn_and_was_one_is_told() -> None:
    overlap = Overlap(at_ms=4000, taken_for="backchannel", is_right=False)
    assert "taken for a backchannel and not answered" in only(overlap).sentence
    other = Overlap(at_ms=4000, taken_for="mood", is_right=False)
    assert "taken for mood" in only(other).sentence
    assert told(Overlap(at_ms=4000, taken_for="interruption", is_right=True)) == []


def test_a_false_interruption_that_no_turn_tells_is_told_and_no_other() -> None:
    overlap = Overlap(at_ms=4000, taken_for="interruption", is_right=False)
    assert "stopped for a barge-in that was none" in only(overlap).sentence
    assert len(told(interrupted(false(3500, 4000)), overlap)) == 1
