"""The command line's options: what each takes, and what its help says."""

import inspect
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from stt_assemblyai.cli.options import CommandOptions, signature
from stt_assemblyai.options import SessionOptions


def order(**given: Any) -> CommandOptions:
    return CommandOptions.model_validate({"api_key": "key", **given})


def helps() -> dict[str, str]:
    """The help of each option."""
    parameters = list(signature().parameters.values())[1:]
    return {each.name: str(get_args(each.annotation)[1].help) for each in parameters}


def test_a_file_comes_first_and_every_field_is_an_option() -> None:
    file, *options = signature().parameters.values()
    assert (file.name, file.kind) == ("file", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    assert {each.name for each in options} == CommandOptions.model_fields.keys()
    assert {each.default for each in options} == {None}
    session = [each.name in SessionOptions.model_fields for each in options]
    assert session == sorted(session), "the program's own options come first"


def test_only_the_key_and_the_address_are_read_from_the_environment() -> None:
    read = {
        option.envvar
        for option in (get_args(each.annotation)[1] for each in signature().parameters.values())
        if option.envvar
    }
    assert read == {"ASSEMBLYAI_API_KEY", "ASSEMBLYAI_BASE_URL"}


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("format", "One of: text, jsonl. Default: text."),
        ("speed", "More than 0, at most"),
        ("channels", "1 to 32. Default: 1."),
        ("sample_rate", "to 96000"),
        ("format_turns", "true or false. Default: true."),
        ("speech_model", "Known: "),
        ("min_turn_silence", "50 to"),
        ("vad_threshold", "Unset: "),
        ("api_key", "AssemblyAI's API key; better set the variable."),
    ],
)
def test_help_says_what_an_option_takes_and_its_default(option: str, said: str) -> None:
    assert said in helps()[option]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"api_key": ""}, "api_key"),
        ({"api_key": "two words"}, "api_key"),
        ({"api_key": "clé"}, "api_key"),
        ({"base_url": "https://host"}, "base_url"),
        ({"speed": 0}, "speed"),
        ({"speed": 100}, "speed"),
        ({"channels": 0}, "channels"),
        ({"format": "xml"}, "format"),
    ],
)
def test_a_wrong_option_is_refused_and_its_value_is_not_shown(
    given: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        order(**given)
    assert [each["loc"] for each in caught.value.errors()] == [(field,)]
    assert "clé" not in str(caught.value)


def test_a_session_has_its_own_options_and_the_sounds_rate() -> None:
    session = order(speed=1.25, min_turn_silence=200).session(8000)
    assert type(session) is SessionOptions
    assert session.model_fields_set == {"min_turn_silence", "sample_rate"}
    assert session.sample_rate == 8000
