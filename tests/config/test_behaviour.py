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


@pytest.mark.parametrize("where", ["s3://bucket", "s3://my-calls/agent/one", "/mnt/calls"])
def test_records_go_to_an_object_store_or_a_folder(where: str) -> None:
    assert AgentSettings(record_store=where).record_store == where


@pytest.mark.parametrize("where", ["s3://", "s3://Bucket_", "calls", "https://example.com/calls"])
def test_records_go_nowhere_else(where: str) -> None:
    with pytest.raises(ValidationError, match="must be s3://bucket/prefix, or begin with /"):
        AgentSettings(record_store=where)


def test_what_is_not_set_is_said_in_the_agents_language() -> None:
    german = AgentSettings(language="de", goodbye="Tschüss.")
    assert german.greeting == SENTENCES["de"].greeting
    assert german.goodbye == "Tschüss."
    assert german.model_fields_set == {"language", "goodbye"}
    assert AgentSettings().greeting == SENTENCES["en"].greeting
