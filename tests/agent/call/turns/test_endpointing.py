"""Presets and dictation: what each asks of AssemblyAI and of LiveKit."""

from typing import Any

import pytest

from agent.call.turns.endpointing import min_delay, thresholds, turn_handling
from stt_assemblyai.models import PRESETS, Preset
from workbench.local.sample_settings import sample_settings

ALL: tuple[Preset, ...] = ("seed", "aggressive", "balanced", "conservative", "service")


@pytest.mark.parametrize("model", ["universal-streaming-english", "universal-3-6-pro"])
def test_the_preset_service_leaves_thresholds_to_assemblyai_and_the_turn_to_its_end(
    model: str,
) -> None:
    chosen = sample_settings(assemblyai={"speech_model": model}, agent={"turn_preset": "service"})
    assert not chosen.session_options.effective().keys() & PRESETS["seed"].keys()
    assert turn_handling(chosen)["endpointing"]["min_delay"] == 0


def test_what_was_changed_in_mid_call_goes_back_to_assemblyais_own_values() -> None:
    asked = thresholds(sample_settings(), "service")
    assert asked == {
        "end_of_turn_confidence_threshold": 0.4,
        "min_turn_silence": 400,
        "max_turn_silence": 1280,
    }


@pytest.mark.parametrize("preset", ALL[:-1])
def test_a_preset_sets_both_sides(preset: Preset) -> None:
    chosen = sample_settings(agent={"turn_preset": preset})
    assert chosen.session_options.effective().items() >= PRESETS[preset].items()
    endpointing = turn_handling(chosen)["endpointing"]
    assert endpointing["min_delay"] * 1000 <= PRESETS[preset]["min_turn_silence"]


def test_what_is_set_by_itself_wins_over_the_preset() -> None:
    chosen = sample_settings(
        agent={"turn_preset": "conservative", "min_silence_ms": 300},
        assemblyai={"max_turn_silence": 1000},
    )
    options = chosen.session_options
    assert (options.min_turn_silence, options.max_turn_silence) == (800, 1000)
    assert thresholds(chosen, "aggressive")["max_turn_silence"] == 1000
    assert min_delay(chosen, "conservative") == 0.3


@pytest.mark.parametrize(
    ("preset", "mode"),
    [("aggressive", "min_latency"), ("balanced", "balanced"), ("conservative", "max_accuracy")],
)
def test_the_other_family_has_the_same_tempers_under_its_own_names(
    preset: Preset, mode: str
) -> None:
    chosen = sample_settings(
        assemblyai={"speech_model": "universal-3-6-pro"}, agent={"turn_preset": preset}
    )
    assert chosen.session_options.mode == mode


def test_a_model_without_thresholds_is_left_alone() -> None:
    chosen = sample_settings(
        assemblyai={"speech_model": "whisper-rt"}, agent={"turn_preset": "balanced"}
    )
    assert "max_turn_silence" not in chosen.session_options.effective()
    assert thresholds(chosen, "aggressive", pause_ms=1600) == {}


@pytest.mark.parametrize("model", ["universal-streaming-english", "universal-3-6-pro"])
@pytest.mark.parametrize("preset", ALL)
def test_while_something_is_dictated_a_pause_ends_no_turn(preset: Preset, model: str) -> None:
    chosen = sample_settings(assemblyai={"speech_model": model})
    asked = thresholds(chosen, preset, pause_ms=1600)
    assert asked["min_turn_silence"] >= 1600
    assert asked["max_turn_silence"] >= 3200
    assert min_delay(chosen, preset, pause_ms=1600) == 1.6


@pytest.mark.parametrize(
    ("recogniser", "expected"),
    [
        ({}, 0.4),
        ({"vad_threshold": 0.55}, 0.55),
        ({"speech_model": "u3-rt-pro"}, 0.3),
        ({"speech_model": "whisper-rt"}, 0.4),
    ],
)
def test_both_detectors_hear_a_voice_from_the_same_threshold_on(
    recogniser: dict[str, Any], expected: float
) -> None:
    assert sample_settings(assemblyai=recogniser).vad_threshold == expected


def test_thresholds_apart_are_obeyed_and_told() -> None:
    with pytest.warns(UserWarning, match=r"AGENT_VAD_THRESHOLD \(0.6\) and ASSEMBLYAI.* \(0.4\)"):
        assert sample_settings(agent={"vad_threshold": 0.6}).vad_threshold == 0.6
