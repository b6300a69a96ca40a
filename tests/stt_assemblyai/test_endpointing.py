"""How long anything about a turn is waited for, model by model."""

import math
from typing import Any

import pytest

from stt_assemblyai.endpointing import TurnChoices, endpointing_for
from stt_assemblyai.options import SessionOptions

U3, US = "universal-3-6-pro", "universal-streaming-english"


def rules(model: str = US, *, choices: TurnChoices | None = None, **options: Any) -> Any:
    session = SessionOptions.model_validate({"speech_model": model, **options})
    return endpointing_for(session, choices or TurnChoices())


@pytest.mark.parametrize(
    ("model", "options", "confidence"),
    [
        (US, {}, 0.7),
        (US, {"end_of_turn_confidence_threshold": 0.4}, 0.4),
        (US, {"end_of_turn_confidence_threshold": 0.0}, 0.0),
        (U3, {}, 0.4),
        ("whisper-rt", {}, 0.0),  # it has no confidence
    ],
)
def test_a_pause_is_sure_enough_where_the_service_would_end_the_turn(
    model: str, options: dict[str, Any], confidence: float
) -> None:
    assert rules(model, **options).preflight_confidence == confidence


def test_an_operator_may_choose_how_sure_is_enough() -> None:
    assert rules(choices=TurnChoices(preflight_confidence=0.2)).preflight_confidence == 0.2


def test_a_formatted_text_is_waited_for_where_one_may_come() -> None:
    assert rules().wait_for_formatted_seconds == 0.3
    assert rules(format_turns=False).wait_for_formatted_seconds == 0
    assert rules(U3).wait_for_formatted_seconds == 0


@pytest.mark.parametrize(("silence_ms", "seconds"), [(2400, 1.7), (1280, 0.58), (400, 0.4)])
def test_a_reply_is_ready_when_silence_ends_the_turn(silence_ms: int, seconds: float) -> None:
    assert rules(max_turn_silence=silence_ms).pause_seconds == seconds


@pytest.mark.parametrize(
    ("model", "options", "seconds"),
    [
        (US, {}, 4.4),
        (US, {"max_turn_silence": 400}, 2.4),
        (U3, {}, 7.56),
        (U3, {"continuous_partials": False}, 64.56),  # nothing may be said of a turn of 60 s
        (U3, {"speaker_labels": True}, 64.56),
    ],
)
def test_a_turn_is_stuck_later_than_it_could_end(
    model: str, options: dict[str, Any], seconds: float
) -> None:
    assert rules(model, **options).stuck_seconds == seconds


def test_whoever_only_writes_down_needs_no_reply() -> None:
    writing = rules(choices=TurnChoices(replies=False, eager_ms=80))
    assert writing.preflight_confidence == writing.pause_seconds == math.inf
    assert writing.eager_ms is None
    assert not writing.keep_reply


def test_the_longest_silence_is_the_one_in_force() -> None:
    assert rules().longest_silence_ms == 2400
    assert rules(max_turn_silence=900).longest_silence_ms == 900
    assert rules(U3).longest_silence_ms == 2560
