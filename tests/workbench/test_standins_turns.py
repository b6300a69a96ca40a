"""Scripted sessions without a socket: which messages follow which audio."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.standins.assemblyai_v3.knobs import NO_FAULT, Fault, Knobs
from workbench.standins.assemblyai_v3.outputs import Close, Fail, Output, Send
from workbench.standins.assemblyai_v3.parameters import from_query
from workbench.standins.assemblyai_v3.scripted import ScriptedRecognizer, ScriptedWord
from workbench.standins.assemblyai_v3.session import Session

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
    query: Sequence[tuple[str, str]],
    script: Sequence[ScriptedWord],
    fault: Fault = NO_FAULT,
    knobs: Knobs = Knobs(),  # noqa: B008 (frozen)
) -> Session:
    parameters = from_query(query)
    recognizer = ScriptedRecognizer(script, has_drafts=parameters.is_rewriting)
    return Session(parameters, recognizer, knobs, fault)


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


def test_a_service_that_tells_late_says_nothing_of_the_end_before_it() -> None:
    *before, end = spoken(session(US, HI_THERE, knobs=Knobs(tells_late=True)), 3)
    assert [summary(message)[2:] for message in before] == [
        ("", "h*", ""),
        ("", "hi*", ""),
        ("hi", "hi the*", ""),
        ("hi", "hi there*", ""),
        ("hi there", "hi there h*", ""),
        ("hi there", "hi there how*", ""),
        ("hi there how", "hi there how a*", ""),
        ("hi there how", "hi there how are*", ""),
        ("hi there how are", "hi there how are yo*", ""),
        ("hi there how are", "hi there how are you*", ""),
    ]
    assert max(message["end_of_turn_confidence"] for message in before) <= 0.2
    assert summary(end)[1:4] == (True, "hi there how are you", "hi there how are you")
    assert end["end_of_turn_confidence"] == 0.83


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


def words_of(message: dict[str, Any]) -> list[str]:
    return [word["text"] for word in message["words"]]


LONG = tuple(
    ScriptedWord(f"word{index}", index * 250, index * 250 + 250, 0.0) for index in range(20)
)


def test_a_u3_turn_is_told_early_then_every_second_and_in_a_pause() -> None:
    turns = session(U3, LONG)
    at_ms = []
    for _ in range(140):
        at_ms += [
            (message["type"], turns.audio_ms, message.get("end_of_turn_confidence"))
            for message in sent(turns.accept_audio(bytes(1600)))
        ]
    assert at_ms == [
        ("SpeechStarted", 800, None),
        ("Turn", 800, 0.0),
        ("Turn", 1800, 0.0),
        ("Turn", 2800, 0.0),
        ("Turn", 3800, 0.0),
        ("Turn", 4800, 0.0),
        ("Turn", 5150, 0.4),
        ("Turn", 6300, 1.0),
    ]


def test_min_latency_tells_a_u3_turn_sooner() -> None:
    turns = session((*U3, ("mode", "min_latency")), LONG)
    assert spoken(turns, 0.25) == []
    assert [message["type"] for message in spoken(turns, 0.05)] == ["SpeechStarted", "Turn"]


def test_continuous_partials_can_be_switched_off() -> None:
    turns = session((*U3, ("continuous_partials", "false")), LONG)
    assert len(spoken(turns, 5)) == 2


def test_a_second_pause_in_a_u3_turn_is_surer() -> None:
    script = (ScriptedWord("I", 100, 300), ScriptedWord("would", 900, 1200))
    turns = [message for message in spoken(session(U3, script), 3) if message["type"] == "Turn"]
    assert [turn["end_of_turn_confidence"] for turn in turns] == [0.4, 0.75, 1.0]


def test_u3_words_may_be_rewritten_and_are_final_only_at_the_end() -> None:
    script = (
        ScriptedWord("Call", 100, 500),
        ScriptedWord("Kofi", 500, 900, draft="coffee"),
        ScriptedWord("today.", 1500, 1900, draft="to—"),
    )
    messages = spoken(session(U3, script), 4)
    turns = [message for message in messages if message["type"] == "Turn"]
    assert [(turn["transcript"], turn["words"][0]["word_is_final"]) for turn in turns] == [
        ("Call coffee", False),
        ("Call coffee", False),
        ("Call Kofi to\u2014", False),
        ("Call Kofi today.", True),
    ]


def test_a_u3_turn_is_cut_after_a_minute() -> None:
    script = [ScriptedWord(f"w{index}", index * 500, index * 500 + 500) for index in range(130)]
    messages = spoken(session(U3, script), 65)
    ends = [message for message in messages if message.get("end_of_turn")]
    assert len(ends) == 1
    assert ends[0]["words"][-1]["start"] < 60_000


def test_speaker_labels_leave_finals_only() -> None:
    messages = spoken(session((*U3, ("speaker_labels", "true")), HI_THERE), 4)
    assert [message["type"] for message in messages] == ["SpeechStarted", "Turn"]
    assert messages[1]["speaker_label"] == "A"


def test_language_is_told_in_finals_when_asked_for() -> None:
    messages = spoken(session((*US, ("language_detection", "true")), HI_THERE), 4)
    assert [message.get("language_code") for message in messages] == [None] * 12 + ["en"]


def test_silence_is_acknowledged_every_second() -> None:
    turns = session((*U3, ("acknowledge_silence", "true")), [ScriptedWord("Hi.", 2500, 2800)])
    silences = [message for message in spoken(turns, 5) if message["type"] == "Silence"]
    assert [(each["start_ms"], each["end_ms"]) for each in silences] == [
        (0, 1000),
        (1000, 2000),
        (2930, 3930),
        (3930, 4930),
    ]


def test_without_audio_nothing_moves_and_force_endpoint_ends_nothing() -> None:
    turns = session(US, HI_THERE)
    assert list(turns.accept_text('{"type": "ForceEndpoint"}', 0)) == []
    assert list(turns.accept_text('{"type": "KeepAlive"}', 0)) == []


def test_what_comes_after_terminate_is_ignored() -> None:
    turns = session(US, HI_THERE)
    spoken(turns, 1)
    sent(turns.accept_text('{"type": "Terminate"}', 1))
    assert spoken(turns, 1) == []
    assert list(turns.accept_text('{"type": "Terminate"}', 1)) == []


any_script = settings(max_examples=40)


@st.composite
def scripts(draw: st.DrawFn) -> list[ScriptedWord]:
    """Any words with any pauses between them."""
    words, at_ms = [], 0
    for _ in range(draw(st.integers(0, 12))):
        at_ms += draw(st.integers(0, 2000))
        end_ms = at_ms + draw(st.integers(1, 900))
        text = draw(st.sampled_from(["yes", "No,", "Kofi", "please.", "why?"]))
        words.append(ScriptedWord(text, at_ms, end_ms, draw(st.floats(0, 1))))
        at_ms = end_ms
    return words


def everything(query: Sequence[tuple[str, str]], script: Sequence[ScriptedWord]) -> list[Any]:
    """All the messages of a session that hears this script and is then terminated."""
    turns = session(query, script)
    messages = spoken(turns, (script[-1].end_ms if script else 0) / 1000 + 1)
    return messages + sent(turns.accept_text('{"type": "Terminate"}', 1))


@any_script
@given(scripts())
def test_final_words_of_a_us_turn_only_grow(script: list[ScriptedWord]) -> None:
    told: dict[int, list[str]] = {}
    for message in everything(US, script):
        if message["type"] == "Turn":
            final = [word["text"] for word in message["words"] if word["word_is_final"]]
            before = told.get(message["turn_order"], [])
            assert final[: len(before)] == before
            assert message["transcript"] == " ".join(final)
            assert len(message["words"]) - len(final) <= 1
            told[message["turn_order"]] = final


@pytest.mark.parametrize("query", [US, U3])
@any_script
@given(script=scripts())
def test_every_word_stands_in_just_one_ended_turn(
    query: tuple[tuple[str, str]], script: list[ScriptedWord]
) -> None:
    ends = [message for message in everything(query, script) if message.get("end_of_turn")]
    assert [end["turn_order"] for end in ends] == list(range(len(ends)))
    heard = " ".join(end["transcript"] for end in ends)
    spoken_text = " ".join(word.text for word in script)
    assert heard.lower().split() == [
        word if query == U3 else word.strip(",.?") for word in spoken_text.lower().split()
    ]


@any_script
@given(script=scripts())
def test_the_utterances_of_a_us_turn_make_its_transcript(script: list[ScriptedWord]) -> None:
    utterances: dict[int, list[str]] = {}
    for message in everything(US, script):
        if message["type"] == "Turn":
            utterances.setdefault(message["turn_order"], []).extend(message["utterance"].split())
            if message["end_of_turn"]:
                assert " ".join(utterances[message["turn_order"]]) == message["transcript"]


@any_script
@given(script=scripts())
def test_speech_started_comes_right_before_the_first_message_of_each_u3_turn(
    script: list[ScriptedWord],
) -> None:
    messages = everything(U3, script)
    orders = [message.get("turn_order") for message in messages]
    for index, message in enumerate(messages):
        if message["type"] == "Turn":
            is_first = message["turn_order"] not in orders[:index]
            assert (messages[index - 1]["type"] == "SpeechStarted") == is_first
