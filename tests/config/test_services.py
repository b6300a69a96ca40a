"""Where the services are, and with which key each is asked."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from config.services import Account, AssemblyAISettings, LiveKitSettings, OpenAISettings

HERE, THERE = "https://api.openai.com/v1", "https://other.example/v1"


def openai(**given: Any) -> OpenAISettings:
    return OpenAISettings(api_key=SecretStr("first"), **given)


def assemblyai(**given: Any) -> AssemblyAISettings:
    return AssemblyAISettings(api_key=SecretStr("key"), **given)


def account(base_url: str, key: str) -> Account:
    return Account(base_url, SecretStr(key))


def test_one_account_does_for_both_models_and_the_fallback() -> None:
    settings = openai()
    assert settings.llm == settings.tts == account(HERE, "first")
    assert settings.fallback is None


def test_each_model_may_have_an_account_of_its_own() -> None:
    settings = openai(
        llm_api_key="second", llm_base_url=THERE, tts_api_key="third", fallback_api_key="fourth"
    )
    assert settings.llm == account(THERE, "second")
    assert settings.tts == account(HERE, "third")
    assert settings.fallback == account(HERE, "fourth")
    elsewhere = openai(fallback_api_key="fourth", fallback_base_url=THERE)
    assert elsewhere.fallback == account(THERE, "fourth")


@pytest.mark.parametrize("model", ["llm", "tts", "fallback"])
def test_a_key_is_not_sent_to_another_company(model: str) -> None:
    with pytest.raises(ValidationError, match=f"needs OPENAI_{model.upper()}_API_KEY"):
        openai(**{f"{model}_base_url": THERE})


def test_regions_are_in_order_of_preference() -> None:
    first, second = "wss://streaming.assemblyai.com", "wss://streaming.eu.assemblyai.com"
    assert assemblyai().regions == [first]
    assert assemblyai(fallback_base_url=second).regions == [first, second]


def test_a_session_has_only_what_was_set_for_it() -> None:
    session = assemblyai(min_turn_silence=200, patience_seconds=5).session
    assert session.model_fields_set == {"min_turn_silence"}


@pytest.mark.parametrize(
    ("given", "threshold"),
    [
        ({}, 0.4),
        ({"speech_model": "universal-3-6-pro"}, 0.3),
        ({"vad_threshold": 0.6}, 0.6),
    ],
)
def test_the_service_has_a_threshold_for_each_family(
    given: dict[str, Any], threshold: float
) -> None:
    assert assemblyai(**given).voice_threshold == threshold


def test_livekit_has_an_address_and_two_keys() -> None:
    assert list(LiveKitSettings.model_fields) == ["url", "api_key", "api_secret"]
