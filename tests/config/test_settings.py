"""The settings in force, and what follows from several of them."""

import ast
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from config.languages import HEARS_ALL
from config.settings import PER_CALL, Settings
from config.values import ROOT

Made = Callable[..., Settings]


def test_the_variable_wins_over_the_file_of_instructions(made: Made) -> None:
    assert made().prompt == "Be kind."
    assert made(AGENT_INSTRUCTIONS="Be brief.").prompt == "Be brief."


def test_the_projects_own_instructions_name_the_language(made: Made) -> None:
    assert made(AGENT_LANGUAGE="de").prompt == "Be kind.\n\nSpeak German."
    assert made(AGENT_LANGUAGE="de", AGENT_INSTRUCTIONS="Sei nett.").prompt == "Sei nett."
    assert made(AGENT_LANGUAGE="de", AGENT_INSTRUCTIONS_FILE="own.md").prompt == "Be kind."


def test_a_model_is_chosen_that_hears_the_language(made: Made) -> None:
    english = made()
    assert english.heard_in_its_language() is english
    german = made(AGENT_LANGUAGE="de", ASSEMBLYAI_VAD_THRESHOLD=0.7).heard_in_its_language()
    assert german.session_options.speech_model == HEARS_ALL
    assert german.session_options.vad_threshold == 0.7
    own = made(AGENT_LANGUAGE="de", ASSEMBLYAI_SPEECH_MODEL="universal-3-6-pro")
    assert own.heard_in_its_language() is own


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


READS = {
    "config/files.py": "the files that settings name",
    "config/load.py": "the environment and .env",
    "config/phrases.py": "the phrases, for `files`",
    "config/reference.py": "writes the pages that are made of the settings",
    "config/values.py": "where ~ is: no shell has seen it",
}
"""Who looks at anything outside of the values, and at what. The others are values and rules."""

OUTSIDE = {
    *("open", "read_text", "read_bytes", "write_text", "glob", "exists", "is_file", "is_dir"),
    *("is_fifo", "stat", "lstat", "expanduser", "resolve_name", "import_module", "getenv"),
    *("environ", "cwd"),
}


def test_only_loading_looks_outside_of_the_values() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "config").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in OUTSIDE)
        or (isinstance(node, ast.Name) and node.id in OUTSIDE)
    }
    assert found == READS.keys()
