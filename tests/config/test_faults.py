"""Faults are sentences under the variable's name, and none holds the value."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from config.behaviour import AgentSettings
from config.faults import about, sentence
from config.reference import variables
from config.services import AssemblyAISettings, OpenAISettings
from config.values import Section

SECTIONS: Mapping[str, type[Section] | type[AssemblyAISettings]] = {
    "agent": AgentSettings,
    "assemblyai": AssemblyAISettings,
    "openai": OpenAISettings,
}
KEYS = {"assemblyai": {"api_key": "k"}, "openai": {"api_key": "k"}}


def faults(section: str, given: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        SECTIONS[section].model_validate({**KEYS.get(section, {}), **given})
    return [sentence(each, section=section) for each in caught.value.errors()]


WRONG: list[tuple[str, str, Any, str]] = [
    ("openai", "api_key", None, "OPENAI_API_KEY: input should be a valid string"),
    ("assemblyai", "min_turn_silence", "20", "must be at least 50"),
    ("assemblyai", "vad_threshold", "1.5", "must be at most 1"),
    ("assemblyai", "min_turn_silence", "many", "must be a whole number"),
    ("assemblyai", "min_turn_silence", 100.5, "must be a whole number"),
    ("assemblyai", "vad_threshold", "loud", "must be a number"),
    ("assemblyai", "format_turns", "perhaps", "must be true or false"),
    ("assemblyai", "encoding", "opus", "must be 'pcm_s16le' or 'pcm_mulaw'"),
    ("assemblyai", "speech_model", "n" * 101, "must have at most 100 characters"),
    ("assemblyai", "keyterms_prompt", "[", "must be a list like a,b,c, or JSON"),
    ("assemblyai", "llm_gateway", "{", "must be a JSON object"),
    ("assemblyai", "keyterms_prompt", ["t"] * 1000, "must have at most 100 parts"),
    ("openai", "llm_model", "", "must not be empty"),
    ("openai", "base_url", "https://api.openai.com", "must end in /v1"),
    ("agent", "greeting", "Gr\udcfc\udcdfe", "is not UTF-8 text"),
]


@pytest.mark.parametrize(("section", "field", "value", "said"), WRONG)
def test_a_fault_says_what_is_wrong(section: str, field: str, value: Any, said: str) -> None:
    (fault,) = faults(section, {field: value})
    assert fault.startswith(f"{section}_{field}".upper())
    assert said in fault


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValidationError) as caught:
        OpenAISettings.model_validate({})
    (missing,) = caught.value.errors()
    assert sentence(missing, section="openai") == (
        "OPENAI_API_KEY: is missing; for example OPENAI_API_KEY=sk-proj-xxxxxxxx"
    )


def test_in_all_sections_at_once_the_place_names_the_section() -> None:
    with pytest.raises(ValidationError) as caught:
        OpenAISettings.model_validate({})
    (missing,) = caught.value.errors()
    whole = {**missing, "loc": ("openai", "api_key")}
    assert sentence(whole) == sentence(missing, section="openai")


def test_a_sentence_ends_with_an_example_if_there_is_one() -> None:
    assert about("AGENT_NAME", "is odd").startswith("AGENT_NAME: is odd; for example AGENT_NAME=")
    assert about("AGENT_COLOUR", "is odd") == "AGENT_COLOUR: is odd"


def test_examples_are_those_of_the_reference() -> None:
    for variable in variables():
        if variable.example:
            assert about(variable.name, "is odd").endswith(f"={variable.example}")
