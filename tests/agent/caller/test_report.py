"""A call on paper, for a person and for a program."""

import json

import numpy as np

from agent.caller import report
from agent.caller.caller import Reply
from agent.caller.conversation import Turn
from agent.caller.microphone import Spoken
from agent.caller.outcome import Call, Exit, Expected, Greeting
from agent.caller.utterance import Utterance

SAID = Utterance("What is seven plus five?", np.zeros(1, np.int16), "synthesised")
FILE = Utterance("", np.zeros(1, np.int16), "question.wav")
TYPED = Utterance("hello", np.zeros(0, np.int16), "typed")


def turn(said: Utterance, answer: str = "Twelve.", latency_ms: float | None = 934.6) -> Turn:
    reply = None if latency_ms is None else Reply(3.0, 4.0, latency_ms)
    fault = "" if reply else "waited 30 s"
    return Turn(said, Spoken(1.0, 2.0), reply, "what is seven", answer, fault)


def test_a_spoken_turn_has_both_sides_words_and_the_time() -> None:
    assert list(report.turn(turn(SAID))) == [
        "     you  What is seven plus five?",
        "heard as  what is seven",
        "   agent  Twelve.  (935 ms)",
    ]


def test_a_recording_without_words_has_its_name() -> None:
    assert next(report.turn(turn(FILE))) == "     you  question.wav"


def test_a_typed_turn_was_shown_when_it_was_typed() -> None:
    assert list(report.turn(turn(TYPED))) == ["   agent  Twelve.  (935 ms)"]


def test_what_is_missing_is_said() -> None:
    assert list(report.turn(turn(TYPED, latency_ms=None))) == ["   agent  (no answer: waited 30 s)"]
    assert "without words" in next(report.turn(turn(TYPED, answer="")))
    silent = Turn(SAID, Spoken(1.0, 2.0), None, "", "", "x")
    assert list(report.turn(silent))[1] == "heard as  (nothing)"
    assert "without words" in report.greeting(Greeting("", 1.0))


def test_nothing_moves_the_cursor() -> None:
    assert report.line("agent", "a\x1b[2Jb") == "   agent  a [2Jb"


def test_a_greeting_has_its_time() -> None:
    assert report.greeting(Greeting("Hello.", 0.96)) == "   agent  Hello.  (1.0 s after joining)"


def test_a_good_call_is_summed_up_in_two_lines() -> None:
    held = Call("room", "agent-1", None, [turn(SAID), turn(SAID, latency_ms=1100)])
    assert list(report.summary(held, 2, Expected(), Exit.HEARD)) == [
        "Answered       2 of 2 turns",
        "Answer begins  1017 ms after the end of speech (median; the slowest 1100 ms)",
    ]


def test_what_went_wrong_is_summed_up() -> None:
    held = Call("room", "agent-1", None, [turn(SAID)], "the agent left")
    lines = list(report.summary(held, 2, Expected(("a fish",), 0.5), Exit.NOT_EXPECTED))
    assert lines[2:] == [
        "Trouble        the agent left",
        "Not heard      a fish",
        "Too late       935 ms",
        "Exit code      6: the agent did not say what `--expect` names",
    ]
    assert list(report.summary(Call("room"), 1, Expected(), Exit.NO_AGENT)) == [
        "Answered       0 of 1 turns",
        "Exit code      4: no agent came into the room, or none was free",
    ]


def test_the_document_has_everything() -> None:
    held = Call("room", "agent-1", Greeting("Hello.", 1.0), [turn(SAID)])
    assert json.loads(report.document(held, Exit.HEARD)) == {
        "ok": True,
        "code": 0,
        "meaning": "the agent answered everything, as expected and in time",
        "room": "room",
        "agent": "agent-1",
        "greeting": {"text": "Hello.", "after_seconds": 1.0},
        "turns": [
            {
                "said": "What is seven plus five?",
                "source": "synthesised",
                "heard_as": "what is seven",
                "answer": "Twelve.",
                "latency_ms": 935,
                "fault": "",
            }
        ],
        "trouble": "",
    }
    silent = json.loads(
        report.document(Call("r", turns=[turn(SAID, latency_ms=None)]), Exit.NO_AGENT)
    )
    assert (silent["ok"], silent["greeting"], silent["turns"][0]["latency_ms"]) == (
        False,
        None,
        None,
    )
