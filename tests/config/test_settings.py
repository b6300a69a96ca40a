"""The settings in force, and what follows from several of them."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from config.settings import PER_CALL, Settings

Made = Callable[..., Settings]


def test_the_variable_wins_over_the_file_of_instructions(made: Made) -> None:
    assert made().prompt == "Be kind."
    assert made(AGENT_INSTRUCTIONS="Be brief.").prompt == "Be brief."


def test_a_preset_fills_what_was_not_set(made: Made) -> None:
    silences = {"min_turn_silence", "max_turn_silence"}
    assert made().session_options.effective().keys() >= silences
    set_by_hand = made(ASSEMBLYAI_MAX_TURN_SILENCE=5000).session_options.effective()
    assert set_by_hand["max_turn_silence"] == 5000
    assert set_by_hand["min_turn_silence"] == made().session_options.effective()["min_turn_silence"]


def test_our_voice_detector_hears_what_the_service_hears_unless_told_otherwise(made: Made) -> None:
    assert made().vad_threshold == made().assemblyai.voice_threshold
    assert made(ASSEMBLYAI_VAD_THRESHOLD=0.7).vad_threshold == 0.7
    assert made(AGENT_VAD_THRESHOLD=0.2).vad_threshold == 0.2


def test_settings_do_not_change(made: Made) -> None:
    with pytest.raises(ValidationError):
        made().agent = made().agent


def test_what_a_call_may_set_is_a_setting() -> None:
    for section, fields in PER_CALL.items():
        assert fields <= Settings.model_fields[section].annotation.model_fields.keys()
