"""Which names are settings, which belong to other programs, and which are mistakes."""

import pytest

from config.names import SETTINGS, close_to, mistakes

OTHERS = [
    "LIVEKIT_SERVER",
    "LIVEKIT_RTC_ANYTHING",
    "OPENAI_ORG_ID",
    "AGENT_ID",
    "AGENT_WORKDIR",
    "AGENTS_MD",
    "PATH",
    "AGENT",
]


def test_a_setting_has_the_name_of_its_section_and_field() -> None:
    assert SETTINGS["ASSEMBLYAI_MIN_TURN_SILENCE"] == ("assemblyai", "min_turn_silence")


@pytest.mark.parametrize("name", [*SETTINGS, *OTHERS])
def test_settings_and_what_other_programs_set_are_no_mistakes(name: str) -> None:
    assert mistakes({name: "x"}) == {}


def test_the_old_name_of_a_parameter_is_no_mistake() -> None:
    assert mistakes({"ASSEMBLYAI_MIN_END_OF_TURN_SILENCE_WHEN_CONFIDENT": "200"}) == {}


@pytest.mark.parametrize(
    ("name", "text"), [("AGENT_PORT", "tcp://10.0.0.1:80"), ("OPENAI_SERVICE_HOST", "10.0.0.1")]
)
def test_what_kubernetes_sets_for_a_service_is_no_mistake(name: str, text: str) -> None:
    assert mistakes({name: text}) == {}


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("OPENAI_TEMPERATURE", "docs/settings.md lists them all"),
        ("OPENAI_KEY", "did you mean OPENAI_API_KEY"),
        ("OPEN_AI_API_KEY", "did you mean OPENAI_API_KEY"),
        ("LIVE_KIT_URL", "did you mean LIVEKIT_URL"),
        ("ASSEMBLYAI_FOO_BAR_BAZ", "ASSEMBLYAI_EXTRA_PARAMETERS takes parameters"),
        ("AGENT_PORT", "did you mean AGENT_HTTP_PORT"),
        ("AGENT_COLOUR", "docs/settings.md lists them all"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(name: str, advice: str) -> None:
    assert mistakes({name: "x", "HOME": "/"}).keys() == {name}
    said = mistakes({name: "x"})[name]
    assert said.startswith(f"{name}: there is no such setting; ")
    assert advice in said


def test_at_most_two_names_are_close() -> None:
    assert close_to("OPENAI_MODEL") == ["OPENAI_TTS_MODEL", "OPENAI_LLM_MODEL"]
    assert close_to("COLOUR") == []
