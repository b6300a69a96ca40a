"""`.env.example`, docs/settings.md and the settings say the same."""

import re
import warnings
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from config.load import load_settings
from config.reference import ENV_EXAMPLE, PAGE, Variable, env_example, page, variables, write
from config.values import ROOT, Section

CONTRACT = {
    *("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"),
    *("ASSEMBLYAI_API_KEY", "ASSEMBLYAI_BASE_URL", "ASSEMBLYAI_SPEECH_MODEL"),
    *("ASSEMBLYAI_MIN_TURN_SILENCE", "ASSEMBLYAI_MAX_TURN_SILENCE", "ASSEMBLYAI_FORMAT_TURNS"),
    *("ASSEMBLYAI_END_OF_TURN_CONFIDENCE_THRESHOLD",),
    *("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_LLM_MODEL"),
    *("OPENAI_TTS_MODEL", "OPENAI_TTS_VOICE"),
    *("AGENT_NAME", "AGENT_INSTRUCTIONS_FILE", "AGENT_GREETING", "AGENT_HTTP_HOST"),
    *("AGENT_HTTP_PORT", "AGENT_LOG_LEVEL", "AGENT_LOG_FORMAT"),
}
VARIABLES = list(variables())


def test_the_files_are_those_that_the_settings_make() -> None:
    assert ENV_EXAMPLE.read_text("utf-8") == env_example(), "type `make reference`"
    assert PAGE.read_text("utf-8") == page(), "type `make reference`"


def test_writing_the_files_writes_these_two(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    write(tmp_path)
    written = {path.name: path.read_text("utf-8") for path in tmp_path.rglob("*.*")}
    assert written == {".env.example": env_example(), "settings.md": page()}


class Door(Section):
    """A door."""

    is_open: bool = Field(description="Whether it is.")


class Painted(Door):
    """A door with a colour."""

    colour: str = Field(description="Of the door.")


class House(BaseModel):
    """Settings of something else."""

    door: Door


class PaintedHouse(BaseModel):
    """The same, with a setting that nobody could guess."""

    door: Painted


def test_a_setting_that_nobody_could_guess_needs_an_example() -> None:
    (found,) = variables(House)
    assert (found.name, found.example, found.values) == ("DOOR_IS_OPEN", "true", "true or false.")
    with pytest.raises(ValueError, match="give this field an example"):
        list(variables(PaintedHouse))


def test_the_names_that_people_script_are_there() -> None:
    assert not CONTRACT - {variable.name for variable in VARIABLES}


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_example_is_a_right_value(
    variable: Variable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for needed in VARIABLES:
        if needed.required:
            monkeypatch.setenv(needed.name, needed.example)
    if "universal-3" in variable.values and "universal-streaming," not in variable.values:
        monkeypatch.setenv("ASSEMBLYAI_SPEECH_MODEL", "universal-3-6-pro")
    if variable.field == "voice_focus_threshold":
        monkeypatch.setenv("ASSEMBLYAI_VOICE_FOCUS", "near-field")
    if variable.name.startswith("OPENAI_") and variable.field != "base_url":
        key = variable.name.replace("BASE_URL", "API_KEY")
        monkeypatch.setenv(key, "a-key-of-its-own")
    monkeypatch.setenv(variable.name, variable.example)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "[A-Z_]+ (has no effect|keeps callers)")
        load_settings(dotenv=None)


def test_the_readme_names_no_setting_that_does_not_exist() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"\b(?:AGENT|ASSEMBLYAI|OPENAI|LIVEKIT)_[A-Z_]+\b", text))
    known = {variable.name for variable in VARIABLES} | {"LIVEKIT_SERVER"}
    assert named
    assert not named - known
