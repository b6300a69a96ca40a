"""Every model has a family, those of tomorrow too."""

import pytest

from stt_assemblyai.models import (
    ALL,
    MODES,
    OLD_MODELS,
    PRESETS,
    SERVICE_THRESHOLDS,
    U3,
    US,
    WHISPER,
    Models,
    family_of,
    shipped_with,
)


@pytest.mark.parametrize("family", [US, U3, WHISPER])
def test_a_known_model_is_of_its_own_family(family: Models) -> None:
    assert {family_of(model) for model in family} == {family}


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("assemblyai-stt-3-7-realtime-agent", U3),
        ("assemblyai-stt-5", U3),
        ("universal-4-pro", U3),
        ("something-else", U3),
        ("universal-streaming-german", US),
        ("whisper-rt-2", WHISPER),
    ],
)
def test_a_model_of_tomorrow_is_of_the_family_that_its_name_tells(
    model: str, family: Models
) -> None:
    assert family_of(model) is family


def test_the_model_that_the_service_recommends_for_voice_agents_is_known() -> None:
    assert "assemblyai-stt-3-7-realtime-agent" in U3


def test_the_families_share_no_model() -> None:
    assert len(US) + len(U3) + len(WHISPER) == len(ALL)


def test_an_old_name_leads_to_a_known_model() -> None:
    assert set(OLD_MODELS.values()) <= ALL
    assert not OLD_MODELS.keys() & ALL


def test_only_the_us_models_are_sent_something_unasked() -> None:
    assert {model for model in ALL if shipped_with(model)} == US
    assert shipped_with("universal-streaming-english") == {"format_turns": True, **PRESETS["seed"]}


def test_each_preset_is_known_to_both_families() -> None:
    assert PRESETS.keys() == MODES.keys()
    assert all(row.keys() == SERVICE_THRESHOLDS.keys() for row in PRESETS.values())
