"""What a list of models says about address, key and model, for each role."""

import json

import pytest
from pydantic import SecretStr

from agent.doctor.answers import Answer, Failure, Trouble
from agent.doctor.check import Name, State
from agent.doctor.openai import Role, judge, roles, unset_fallback
from config.services import Account, OpenAISettings

OWN = "http://models.example:11434/v1"
OPENAI = "https://api.openai.com/v1"


def role(url: str = OWN, key: str = "sk-x", model: str = "gpt-4.1-mini") -> Role:
    account = Account(url, SecretStr(key))
    return Role(
        Name.OPENAI_LLM,
        account,
        (model,),
        "OPENAI_LLM_MODEL",
        "OPENAI_BASE_URL",
        "OPENAI_API_KEY",
    )


def listed(*names: str) -> Answer:
    return Answer(200, json.dumps({"data": [{"id": name} for name in names]}))


@pytest.mark.parametrize("name", ["gpt-4.1-mini", "gpt-4.1-mini:latest"])
def test_a_model_that_is_listed_is_well(name: str) -> None:
    assert judge(role(), listed(name)).state is State.OK


@pytest.mark.parametrize(
    ("names", "advice"),
    [(("gpt-4.1-mini",), "did you mean gpt-4.1-mini?"), (("llama",), "it has, for one, llama")],
)
def test_a_model_that_is_not_listed_is_a_fault_with_a_proposal(
    names: tuple[str, ...], advice: str
) -> None:
    found = judge(role(model="gpt4.1-mini"), listed(*names))
    assert found.state is State.FAULT
    assert "OPENAI_LLM_MODEL" in found.mend
    assert advice in found.mend


@pytest.mark.parametrize(
    ("answer", "url", "key", "state", "words"),
    [
        (listed(), OWN, "sk-x", State.WARNING, "lists no model"),
        (Answer(404, ""), OWN, "sk-x", State.WARNING, "no list of models"),
        (Answer(404, ""), OPENAI, "sk-x", State.FAULT, "ends in /v1"),
        (Answer(200, "<html>"), OWN, "sk-x", State.FAULT, "not as OpenAI's API"),
        (Answer(200, '{"data": 1}'), OWN, "sk-x", State.FAULT, "not as OpenAI's API"),
        (Answer(302, ""), OWN, "sk-x", State.FAULT, "HTTP 302"),
        (Answer(400, "an HTTPS server"), OWN, "sk-x", State.FAULT, "https:// instead of"),
        (Answer(401, ""), OPENAI, "sk-x", State.FAULT, "copy OPENAI_API_KEY again"),
        (Answer(401, ""), OPENAI, "a" * 32, State.FAULT, "a key of AssemblyAI"),
        (Answer(401, ""), OWN, "a" * 32, State.FAULT, "copy OPENAI_API_KEY again"),
        (Answer(403, ""), OPENAI, "sk-x", State.FAULT, "does not allow this key"),
        (Answer(429, "insufficient_quota"), OPENAI, "sk-x", State.FAULT, "add credit"),
        (Answer(429, ""), OPENAI, "sk-x", State.WARNING, "busy"),
        (Answer(503, ""), OPENAI, "sk-x", State.FAULT, "in trouble"),
        (Failure(Trouble.REFUSED), OWN, "sk-x", State.FAULT, "OPENAI_BASE_URL"),
    ],
)
def test_each_answer_has_its_own_mend(
    answer: Answer | Failure, url: str, key: str, state: State, words: str
) -> None:
    found = judge(role(url, key), answer)
    assert found.state is state
    assert words in f"{found.seen} {found.mend}"


def test_entries_that_are_no_models_are_passed_over() -> None:
    answer = Answer(200, '{"data": [1, {}, {"id": "gpt-4.1-mini"}]}')
    assert judge(role(), answer).state is State.OK


def test_one_account_serves_all_roles() -> None:
    llm, tts = roles(OpenAISettings(api_key=SecretStr("sk-x")))
    assert llm.account == tts.account == Account(OPENAI, SecretStr("sk-x"))
    assert (llm.key_setting, tts.key_setting) == ("OPENAI_API_KEY", "OPENAI_API_KEY")
    assert unset_fallback().state is State.SKIPPED


def test_each_role_names_the_settings_that_it_goes_by() -> None:
    own = SecretStr("sk-own")
    llm, tts, fallback = roles(
        OpenAISettings(
            api_key=SecretStr("sk-x"),
            llm_api_key=own,
            llm_base_url=OWN,
            tts_api_key=own,
            tts_base_url=OWN,
            fallback_api_key=own,
            fallback_base_url=OWN,
            fallback_llm_model="a",
            fallback_tts_model="b",
        )
    )
    assert (llm.address_setting, llm.key_setting) == ("OPENAI_LLM_BASE_URL", "OPENAI_LLM_API_KEY")
    assert (tts.address_setting, tts.key_setting) == ("OPENAI_TTS_BASE_URL", "OPENAI_TTS_API_KEY")
    assert fallback.address_setting == "OPENAI_FALLBACK_BASE_URL"
    assert fallback.key_setting == "OPENAI_FALLBACK_API_KEY"
    assert fallback.models == ("a", "b")


def test_a_fallback_model_of_the_same_account_is_asked_there() -> None:
    *_, fallback = roles(OpenAISettings(api_key=SecretStr("sk-x"), fallback_llm_model="a"))
    assert fallback.account == Account(OPENAI, SecretStr("sk-x"))
    assert (fallback.address_setting, fallback.key_setting) == ("OPENAI_BASE_URL", "OPENAI_API_KEY")
