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


ODD_VALUES: list[Any] = [
    None, True, -1, 1.5, 2**70, float("nan"), float("inf"), "", "x", "\ud800",
    "2026-11-27T12:00:00Z", [], {}, [None], [[]], {"a": 1},
]  # fmt: skip
NEEDED = {
    "SpeechStarted": {"timestamp"},
    "Turn": {"turn_order"},
    "LLMGatewayResponse": {"turn_order"},
}


@pytest.mark.parametrize(
    ("kind", "fields", "odd"),
    [
        (kind, fields, name)
        for kind, fields in KNOWN
        for name in fields
        if name != "type" and name not in NEEDED.get(kind.__name__, ())
    ],
)
def test_an_odd_field_costs_that_field_and_not_the_message(
    kind: type, fields: dict[str, Any], odd: str
) -> None:
    usual = decode(json.dumps(fields))
    without = {name: value for name, value in fields.items() if name != odd}
    for value in ODD_VALUES:
        message = decode(json.dumps({**fields, odd: value}))
        assert type(message) is kind
        for name in without:
            assert getattr(message, name, None) == getattr(usual, name, None)
    assert type(decode(json.dumps(without))) is kind


@pytest.mark.parametrize(
    ("odd", "word"),
    [
        ({"confidence": None}, {"confidence": 0}),
        ({"confidence": float("nan")}, {"confidence": 0}),
        ({"start": 5120.4, "end": "5360.0"}, {}),
        ({"speaker": 1}, {"speaker": "1"}),
        ({"word_is_final": "?"}, {"word_is_final": False}),
        ({"text": "half \ud800"}, {"text": "half ?"}),
    ],
)
def test_a_turn_with_one_odd_word_is_read(odd: dict[str, Any], word: dict[str, Any]) -> None:
    faults: list[Unknown] = []
    spoken = TURN["words"][0]
    turn = decode(json.dumps({**TURN, "words": [{**spoken, **odd}]}), faults)
    assert isinstance(turn, Turn)
    assert turn.words[0].model_dump() == {"speaker": None, **spoken, **word}
    assert bool(faults) is ("text" not in odd)


def test_a_word_without_a_text_or_a_time_is_left_out_alone() -> None:
    faults: list[Unknown] = []
    odd: list[Any] = [{"text": "a"}, {"start": 1, "end": 2}, None, 7, {"text": [], "start": 1}]
    turn = decode(json.dumps({**TURN, "words": [*odd, TURN["words"][0], *odd]}), faults)
    assert isinstance(turn, Turn)
    assert [word.text for word in turn.words] == ["Two"]
    assert Unknown("Turn", "words.*.end: Field required") in faults
    assert len(faults) == len(set(faults))


def test_a_fault_names_the_field_and_never_what_was_said() -> None:
    faults: list[Unknown] = []
    decode(json.dumps({**TURN, "words": ["swordfish"], "utterance": ["swordfish"]}), faults)
    assert len(faults) == 2
    assert "swordfish" not in str(faults)


@pytest.mark.parametrize(
    ("odd", "expires_at"),
    [
        ({}, 1790221526),
        ({"expires_at": "2026-11-27T12:00:00Z"}, None),
        ({"expires_at": 1790221526.4}, 1790221526),
        ({"expires_at": 1790221526000}, None),
        ({"configuration": [1]}, 1790221526),
    ],
)
def test_its_type_alone_makes_a_begin(odd: dict[str, Any], expires_at: int | None) -> None:
    begin = decode(json.dumps({"type": "Begin", "expires_at": 1790221526, **odd}))
    assert begin == Begin(type="Begin", id="", expires_at=expires_at, configuration={})


def test_an_error_needs_no_text_but_what_has_another_type_is_none() -> None:
    assert decode('{"type": "Error", "error_code": 3005}') == ServerError(error_code=3005)
    turn = decode(json.dumps({**TURN, "turn_is_formatted": "?", "error": "none"}))
    assert isinstance(turn, Turn)


def test_the_name_of_a_message_of_tomorrow_is_cut() -> None:
    assert decode(json.dumps({"type": "x" * 1000})) == Unknown("x" * 40)


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
            Unknown("Turn", "turn_order: Input should be greater than or equal to 0"),
        ),
        (
            '{"type": "SpeechStarted", "timestamp": 1' + "0" * 400 + "}",
            Unknown(
                "SpeechStarted",
                "timestamp: Input should be less than or equal to 9007199254740992",
            ),
        ),
        ("{}", Unknown("", "no type")),
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
