"""What the service says is read as far as it is used; nothing it says can raise."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stt_assemblyai.messages import (
    Begin,
    ForceEndpoint,
    Heartbeat,
    KeepAlive,
    LLMGatewayResponse,
    ServerError,
    Silence,
    SpeakerRevision,
    SpeechStarted,
    Terminate,
    Termination,
    Turn,
    Unknown,
    UpdateConfiguration,
    Warned,
    decode,
    encode,
)

TURN: dict[str, Any] = {
    "turn_order": 2,
    "turn_is_formatted": True,
    "end_of_turn": True,
    "transcript": "Two tickets, please.",
    "end_of_turn_confidence": 1.0,
    "words": [
        {"start": 5120, "end": 5360, "text": "Two", "confidence": 0.98, "word_is_final": True}
    ],
    "utterance": "Two tickets, please.",
    "language_code": "en",
    "language_confidence": 0.99,
    "type": "Turn",
}

KNOWN: list[tuple[type, dict[str, Any]]] = [
    (Begin, {"type": "Begin", "id": "s", "expires_at": 1790221526, "configuration": {}}),
    (SpeechStarted, {"type": "SpeechStarted", "timestamp": 1184, "confidence": 0.95}),
    (Turn, TURN),
    (
        SpeakerRevision,
        {"type": "SpeakerRevision", "revisions": [{"turn_order": 3, "speaker_label": "B"}]},
    ),
    (
        Termination,
        {"type": "Termination", "audio_duration_seconds": 12, "session_duration_seconds": 15},
    ),
    (ServerError, {"type": "Error", "error_code": 3006, "error": "Invalid Message Type: Foo"}),
    (Warned, {"type": "Warning", "warning_code": 1, "warning": "careful"}),
    (
        Heartbeat,
        {"type": "Heartbeat", "total_audio_received_ms": 25000, "realtime_factor": 0.99},
    ),
    (Silence, {"type": "Silence", "start_ms": 8000, "end_ms": 9000}),
    (LLMGatewayResponse, {"type": "LLMGatewayResponse", "turn_order": 0, "data": {}}),
]


@pytest.mark.parametrize(("kind", "fields"), KNOWN)
def test_every_documented_message_is_understood(kind: type, fields: dict[str, Any]) -> None:
    assert type(decode(json.dumps(fields))) is kind


@pytest.mark.parametrize(("kind", "fields"), KNOWN)
def test_fields_of_tomorrow_are_ignored(kind: type, fields: dict[str, Any]) -> None:
    assert type(decode(json.dumps({**fields, "new_field": [1, 2]}))) is kind


def test_a_turn_keeps_its_words_and_times() -> None:
    turn = decode(json.dumps(TURN))
    assert isinstance(turn, Turn)
    assert (turn.turn_order, turn.transcript) == (2, "Two tickets, please.")
    assert (turn.words[0].text, turn.words[0].start, turn.words[0].end) == ("Two", 5120, 5360)


def test_a_language_of_null_stays_unknown() -> None:
    turn = decode(json.dumps({**TURN, "language_code": None, "language_confidence": None}))
    assert isinstance(turn, Turn)
    assert turn.language_code is None


def test_null_stands_for_a_field_that_is_not_there() -> None:
    turn = decode(json.dumps({**TURN, "words": None, "utterance": None, "transcript": None}))
    assert isinstance(turn, Turn)
    assert (turn.words, turn.utterance, turn.transcript) == ((), "", "")


def test_an_error_is_known_by_its_text_alone() -> None:
    assert decode('{"error": "Not today", "error_code": null}') == ServerError(error="Not today")
    assert decode('{"error": {"a": 1}, "error_code": "x"}') == ServerError(error='{"a": 1}')
    assert decode('{"error": "No", "error_code": 1008}') == ServerError(error="No", error_code=1008)


def test_a_message_of_tomorrow_is_unknown_without_a_fault() -> None:
    assert decode('{"type": "FooBar", "x": 1}') == Unknown("FooBar")


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("{", Unknown("", "not JSON")),
        ("[1]", Unknown("", "not a JSON object")),
        ("[" * 100_000, Unknown("", "not JSON")),
        (b"\xff\xfe", Unknown("", "not JSON")),
        (
            '{"type": "Turn", "turn_order": -1, "end_of_turn": true}',
            Unknown("Turn", "Turn.turn_order: Input should be greater than or equal to 0"),
        ),
        (
            '{"type": "SpeechStarted", "timestamp": 1' + "0" * 400 + "}",
            Unknown(
                "SpeechStarted",
                "SpeechStarted.timestamp: Input should be less than or equal to 9007199254740992",
            ),
        ),
        ("{}", Unknown("", ": Unable to extract tag using discriminator 'type'")),
    ],
)
def test_what_breaks_the_rules_is_unknown_and_names_the_rule(
    text: str | bytes, unknown: Unknown
) -> None:
    assert decode(text) == unknown


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: (
    st.lists(inner) | st.dictionaries(
        st.sampled_from([*TURN, "error", "error_code", "id", "revisions"]) | st.text(), inner)
), max_leaves=20), st.sampled_from([fields["type"] for _, fields in KNOWN]))  # fmt: skip
def test_no_json_makes_it_raise(value: Any, kind: str) -> None:
    decode(json.dumps(value))
    if isinstance(value, dict):
        decode(json.dumps({**value, "type": kind}))


@given(st.binary())
def test_no_bytes_make_it_raise(frame: bytes) -> None:
    decode(frame)


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (Terminate(), {"type": "Terminate"}),
        (ForceEndpoint(), {"type": "ForceEndpoint"}),
        (KeepAlive(), {"type": "KeepAlive"}),
        (
            UpdateConfiguration({"keyterms_prompt": ["Zoë"], "min_turn_silence": 1000}),
            {"type": "UpdateConfiguration", "keyterms_prompt": ["Zoë"], "min_turn_silence": 1000},
        ),
    ],
)
def test_what_is_said_is_spelt_as_the_service_expects(message: Any, wire: dict[str, Any]) -> None:
    assert json.loads(encode(message)) == wire
