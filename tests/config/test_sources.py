"""Which variables of the environment and of `.env` are read."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from config.settings import Sections
from config.sources import FoundSections, Variables, is_renamed, is_service_link


class Here(BaseSettings, Sections):
    """Sections that nothing is read for."""


def read(found: dict[str, str | None]) -> dict[str, dict[str, str]]:
    return {section: values for section, values in Variables(Here, found)().items() if values}


def test_a_name_is_a_section_and_a_field() -> None:
    assert read({"agent_name": "front desk", "openai_llm_model": "m"}) == {
        "agent": {"name": "front desk"},
        "openai": {"llm_model": "m"},
    }


def test_what_is_no_setting_or_is_empty_is_left_out() -> None:
    assert (
        read({"agent_colour": "red", "agent_name": "", "agent_greeting": None, "path": "/"}) == {}
    )


def test_an_old_name_is_read_and_kubernetes_names_are_not() -> None:
    old = "min_end_of_turn_silence_when_confident"
    assert read({f"assemblyai_{old}": "200", "agent_http_port": "tcp://10.0.0.1:80"}) == {
        "assemblyai": {old: "200"}
    }
    assert is_renamed("assemblyai", old)
    assert not is_renamed("agent", old)


def test_a_field_by_itself_is_never_asked_for() -> None:
    with pytest.raises(NotImplementedError):
        Variables(Here, {}).get_field_value(Sections.model_fields["agent"], "agent")


@pytest.mark.parametrize(
    ("name", "text", "is_link"),
    [
        ("AGENT_PORT", "tcp://10.0.0.1:80", True),
        ("AGENT_METRICS_PORT", "tcp://[fd00::1]:80", True),
        ("AGENT_SERVICE_HOST", "10.0.0.1", True),
        ("AGENT_SERVICE_PORT_WEB", "80", True),
        ("AGENT_PORT_80_TCP_ADDR", "10.0.0.1", True),
        ("AGENT_HTTP_PORT", "8081", False),
        ("AGENT_NAME", "tcp://10.0.0.1:80", False),
    ],
)
def test_kubernetes_names_every_service(name: str, text: str, is_link: bool) -> None:
    assert is_service_link(name, text) is is_link


def test_arguments_win_over_the_environment_and_it_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("AGENT_NAME=file\nAGENT_GREETING=file\nAGENT_GOODBYE=file\n")
    monkeypatch.setenv("AGENT_NAME", "environment")
    monkeypatch.setenv("AGENT_GREETING", "environment")
    keys = {"url": "ws://h", "api_key": "k", "api_secret": "s"}
    given = {"livekit": keys, "assemblyai": {"api_key": "k"}, "openai": {"api_key": "k"}}
    found = FoundSections(_env_file=tmp_path / ".env", agent={"name": "argument"}, **given)
    agent = found.agent
    assert (agent.name, agent.greeting, agent.goodbye) == ("argument", "environment", "file")
    assert agent.model_fields_set == {"name", "greeting", "goodbye"}


def test_each_missing_variable_is_named_in_sections_of_which_nothing_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in list(os.environ):
        if name.startswith(("LIVEKIT_", "ASSEMBLYAI_", "OPENAI_")):
            monkeypatch.delenv(name)
    with pytest.raises(ValidationError) as caught:
        FoundSections(_env_file=None)
    assert [each["loc"] for each in caught.value.errors()] == [
        ("livekit", "url"),
        ("livekit", "api_key"),
        ("livekit", "api_secret"),
        ("assemblyai", "api_key"),
        ("openai", "api_key"),
    ]
