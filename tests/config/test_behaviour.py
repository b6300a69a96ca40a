"""The agent's settings are values: making one touches nothing outside them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from config.behaviour import AgentSettings
from config.languages import SENTENCES
from config.values import ROOT


def test_settings_that_name_what_is_not_there_are_values_all_the_same() -> None:
    """`config.files` looks at it, once."""
    agent = AgentSettings(
        instructions_file=Path("nowhere.md"),
        phrases_dir=Path("/nowhere"),
        record_dir=Path("records"),
        hand_over_to="nowhere:colleague",
    )
    assert agent.instructions_file == Path("nowhere.md")
    assert agent.record_dir == ROOT / "records"


def test_an_operator_is_somebody_and_not_everybody() -> None:
    assert AgentSettings(operators=("supervisor", "bot-*")).operators == ("supervisor", "bot-*")
    with pytest.raises(ValidationError, match="must not be everybody"):
        AgentSettings(operators=("supervisor", "*"))


def test_what_is_not_set_is_said_in_the_agents_language() -> None:
    german = AgentSettings(language="de", goodbye="Tschüss.")
    assert german.greeting == SENTENCES["de"].greeting
    assert german.goodbye == "Tschüss."
    assert german.model_fields_set == {"language", "goodbye"}
    assert AgentSettings().greeting == SENTENCES["en"].greeting
