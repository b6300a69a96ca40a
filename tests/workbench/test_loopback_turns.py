"""Scripted sessions without a socket: which messages follow which audio."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from workbench.loopback.assemblyai_v3.knobs import NO_FAULT, Fault, Knobs
from workbench.loopback.assemblyai_v3.outputs import Close, Fail, Output, Send
from workbench.loopback.assemblyai_v3.parameters import from_query
from workbench.loopback.assemblyai_v3.scripted import ScriptedRecognizer, ScriptedWord
from workbench.loopback.assemblyai_v3.session import Session

US = (("speech_model", "universal-streaming-english"),)
U3 = (("speech_model", "universal-3-6-pro"),)
HI_THERE = (
    ScriptedWord("Hi", 100, 300, 0.1),
    ScriptedWord("there.", 300, 600, 0.2),
    ScriptedWord("How", 900, 1100, 0.1),
    ScriptedWord("are", 1100, 1300, 0.1),
    ScriptedWord("you?", 1300, 1600, 0.83),
)


def session(
    query: Sequence[tuple[str, str]], script: Sequence[ScriptedWord], fault: Fault = NO_FAULT
) -> Session:
    return Session(from_query(query), ScriptedRecognizer(script), Knobs(), fault)


def spoken(to: Session, seconds: float) -> list[dict[str, Any]]:
    return sent(output for _ in range(int(seconds * 20)) for output in to.accept_audio(bytes(1600)))


def sent(outputs: Iterator[Output]) -> list[dict[str, Any]]:
    return [output.message for output in outputs if isinstance(output, Send)]


def summary(message: dict[str, Any]) -> tuple[Any, ...]:
    if message["type"] != "Turn":
        return (message["type"],)
    words = [word["text"] + ("" if word["word_is_final"] else "*") for word in message["words"]]
    return (
        message["turn_order"],
        message["end_of_turn"],
        message["transcript"],
        " ".join(words),
        message["utterance"],
    )


def test_us_words_never_change_and_the_utterance_comes_before_the_end() -> None:
    assert [summary(message) for message in spoken(session(US, HI_THERE), 3)] == [
        (0, False, "", "hi*", ""),
        (0, False, "hi", "hi", ""),
        (0, False, "hi", "hi there*", ""),
        (0, False, "hi there", "hi there", ""),
        (0, False, "hi there", "hi there", "hi there"),
        (0, False, "hi there", "hi there how*", ""),
        (0, False, "hi there how", "hi there how", ""),
        (0, False, "hi there how", "hi there how are*", ""),
        (0, False, "hi there how are", "hi there how are", ""),
        (0, False, "hi there how are", "hi there how are you*", ""),
        (0, False, "hi there how are you", "hi there how are you", ""),
        (0, False, "hi there how are you", "hi there how are you", "how are you"),
        (0, True, "hi there how are you", "hi there how are you", ""),
    ]


def test_the_formatted_twin_has_the_same_turn_order() -> None:
    messages = spoken(session((*US, ("format_turns", "true")), HI_THERE), 3)
    assert [summary(message) for message in messages[-2:]] == [
        (0, True, "hi there how are you", "hi there how are you", ""),
        (0, True, "Hi there. How are you?", "Hi there. How are you?", ""),
    ]
    assert [message["turn_is_formatted"] for message in messages[-2:]] == [False, True]


def test_the_twin_can_stay_away() -> None:
    turns = session((*US, ("format_turns", "true")), HI_THERE, Fault(never_twin=True))
    assert not any(message["turn_is_formatted"] for message in spoken(turns, 3))


@pytest.mark.parametrize(("confidence", "end_ms"), [(0.9, 1000), (0.1, 1900)])
def test_a_us_turn_ends_by_confidence_or_by_patience(confidence: float, end_ms: int) -> None:
    turns = session(US, [ScriptedWord("yes", 200, 600, confidence)])
    before = spoken(turns, (end_ms - 50) / 1000)
    assert not any(message["end_of_turn"] for message in before)
    after = spoken(turns, 0.05)
    assert [message["end_of_turn"] for message in after] == [True]


def test_a_u3_turn_starts_with_speech_started_and_ends_with_punctuation() -> None:
    assert [summary(message) for message in spoken(session(U3, HI_THERE), 3)] == [
        ("SpeechStarted",),
        (0, True, "Hi there.", "Hi there.", "Hi there."),
        ("SpeechStarted",),
        (1, True, "How are you?", "How are you?", "How are you?"),
    ]


def test_force_endpoint_ends_the_open_turn() -> None:
    turns = session(US, HI_THERE)
    spoken(turns, 1.2)
    outputs = list(turns.accept_text('{"type": "ForceEndpoint"}', 1.2))
    assert [summary(message) for message in sent(iter(outputs))] == [
        (0, True, "hi there how are", "hi there how are", "how are")
    ]


def test_terminate_finishes_the_turn_and_closes() -> None:
    turns = session(US, HI_THERE)
    spoken(turns, 1.2)
    outputs = list(turns.accept_text('{"type": "Terminate"}', 1.9))
    messages = sent(iter(outputs))
    assert messages[0]["end_of_turn"]
    assert messages[1] == {
        "type": "Termination",
        "audio_duration_seconds": 1,
        "session_duration_seconds": 1,
    }
    assert outputs[-1] == Close(1000, "Session Ended")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "Invalid JSON: Expecting value"),
        ("[]", "Invalid Message"),
        ('{"type": "Foo"}', "Invalid Message Type: Foo"),
        (
            '{"type": "UpdateConfiguration", "prompt": "x"}',
            "prompt is only supported with Universal-3 Pro models",
        ),
    ],
)
def test_a_bad_message_ends_the_session(text: str, said: str) -> None:
    assert list(session(US, ()).accept_text(text, 0)) == [Fail(3006, said)]
