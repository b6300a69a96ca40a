"""What the stand-in makes of a session's parameters."""

import json

import pytest

from workbench.standins.assemblyai_v3.models import Silences
from workbench.standins.assemblyai_v3.parameters import (
    InvalidParametersError,
    Parameters,
    from_query,
    updated,
)

US = ("speech_model", "universal-streaming-english")


@pytest.mark.parametrize("text", ["true", "True", "TRUE", "1"])
def test_a_boolean_may_be_written_in_many_ways(text: str) -> None:
    assert from_query([US, ("format_turns", text)]).format_turns


def test_the_default_model_is_of_the_u3_family() -> None:
    assert from_query([]).echo["model"] == "universal-3-6-pro"
    assert from_query([]).echo["mode"] == "balanced"
    assert from_query([US]).echo["mode"] is None


@pytest.mark.parametrize(
    ("query", "silences"),
    [
        ([US], Silences(400, 1280)),
        ([US, ("min_turn_silence", "160"), ("max_turn_silence", "400")], Silences(160, 400)),
        ([US, ("min_end_of_turn_silence_when_confident", "200")], Silences(200, 1280)),
        ([US, ("min_turn_silence", "1")], Silences(50, 1280)),
        ([US, ("min_turn_silence", "20000")], Silences(10_000, 1280)),
        ([], Silences(128, 1280)),
        ([("mode", "min_latency")], Silences(128, 640)),
        ([("mode", "max_accuracy")], Silences(512, 2560)),
        ([("mode", "max_accuracy"), ("max_turn_silence", "900")], Silences(512, 900)),
        ([("speaker_labels", "true")], Silences(640, 768)),
        ([("speech_model", "u3-rt-pro")], Silences(100, 1000)),
    ],
)
def test_silences_come_from_the_client_or_the_preset(
    query: list[tuple[str, str]], silences: Silences
) -> None:
    assert from_query(query).silences == silences


def test_the_new_name_of_the_silence_wins() -> None:
    old = ("min_end_of_turn_silence_when_confident", "200")
    assert from_query([US, old, ("min_turn_silence", "300")]).silences.min_ms == 300


def test_lists_are_json_and_long_terms_are_dropped() -> None:
    terms = json.dumps(["Aldi", "x" * 51])
    assert from_query([US, ("keyterms_prompt", terms)]).keyterms_prompt == ["Aldi"]
    assert from_query([("language_codes", "en")]).language_codes == ["en"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            [("keyterms_prompt", "a"), ("keyterms_prompt", "b")],
            "Invalid 'keyterms_prompt': Value error, Invalid JSON array",
        ),
        ([("speech_model", "u3-pro")], "'u3-pro' is not a valid SpeechModel"),
        ([("sample_rate", "96001")], "sample_rate must be at most 96,000 Hz"),
        ([US, ("mode", "balanced")], "mode is only supported with Universal-3 Pro models"),
        ([("voice_focus_threshold", "0.5")], "voice_focus_threshold requires voice_focus"),
        (
            [US, ("end_of_turn_confidence_threshold", "1.1")],
            "Invalid 'end_of_turn_confidence_threshold': Input should be less than or equal to 1",
        ),
        (
            [("agent_context", "x" * 1751)],
            "Invalid 'agent_context': String should have at most 1750 characters",
        ),
        (
            [("interruption_delay", "1001")],
            "Invalid 'interruption_delay': Input should be less than or equal to 1000",
        ),
        (
            [("inactivity_timeout", "4")],
            "Invalid 'inactivity_timeout': Input should be greater than or equal to 5",
        ),
    ],
)
def test_a_bad_value_is_named(query: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(InvalidParametersError) as invalid:
        from_query(query)
    assert str(invalid.value) == said


def test_an_update_changes_only_what_it_names() -> None:
    before = from_query([US, ("format_turns", "true"), ("max_turn_silence", "900")])
    after = updated(before, {"type": "UpdateConfiguration", "max_turn_silence": 400})
    assert after == before.model_copy(update={"max_turn_silence": 400})


@pytest.mark.parametrize("name", ["speech_model", "sample_rate", "encoding", "no_such_thing"])
def test_what_cannot_be_updated_stays(name: str) -> None:
    assert updated(from_query([US]), {name: "x"}) == from_query([US])


def test_a_mode_sent_again_applies_its_preset_again() -> None:
    before = from_query([("mode", "balanced"), ("max_turn_silence", "900")])
    assert updated(before, {"mode": "min_latency"}).silences == Silences(128, 640)


def test_prompts_can_be_cleared() -> None:
    before = from_query([("prompt", "A call."), ("keyterms_prompt", '["Aldi"]')])
    after = updated(before, {"prompt": "", "keyterms_prompt": []})
    assert (after.prompt, after.keyterms_prompt) == ("", [])


@pytest.mark.parametrize(
    "changes",
    [
        {"keyterms_prompt": '["Aldi"]'},
        {"keyterms_prompt": ["word"] * 101},
        {"agent_context": "x" * 1751},
        {"mode": "fast"},
    ],
)
def test_a_bad_update_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidParametersError):
        updated(from_query([]), changes)


def test_redaction_leaves_finals_only() -> None:
    assert Parameters().has_partials
    assert not Parameters(redact_pii=True).has_partials
