"""Judges the model that thinks, the voice and the fallback: address, key, whether they exist."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.doctor.answers import Answer, Failure, Result, expected_tls, place, unreachable
from agent.doctor.check import Check, Name, fault, ok, skipped, warning
from config.services import Account, OpenAISettings

_HEX = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Role:
    """Models that are asked at one account, and the settings that name all this."""

    name: Name
    account: Account
    models: tuple[str, ...]
    model_setting: str
    address_setting: str
    key_setting: str


def roles(openai: OpenAISettings) -> list[Role]:
    """What is asked of whom. The fallback is missing if none is set."""
    llm, tts = openai.llm_base_url, openai.tts_base_url
    found = [
        Role(
            Name.OPENAI_LLM,
            openai.llm,
            (openai.llm_model,),
            "OPENAI_LLM_MODEL",
            "OPENAI_LLM_BASE_URL" if llm else "OPENAI_BASE_URL",
            "OPENAI_LLM_API_KEY" if openai.llm_api_key else "OPENAI_API_KEY",
        ),
        Role(
            Name.OPENAI_TTS,
            openai.tts,
            (openai.tts_model,),
            "OPENAI_TTS_MODEL",
            "OPENAI_TTS_BASE_URL" if tts else "OPENAI_BASE_URL",
            "OPENAI_TTS_API_KEY" if openai.tts_api_key else "OPENAI_API_KEY",
        ),
    ]
    return found + _fallback(openai)


def _fallback(openai: OpenAISettings) -> list[Role]:
    """The fallbacks with an account of their own, or on the account of OPENAI_API_KEY."""
    models = tuple(each for each in (openai.fallback_llm_model, openai.fallback_tts_model) if each)
    if not models:
        return []
    account = openai.fallback or Account(openai.base_url, openai.api_key)
    return [
        Role(
            Name.OPENAI_FALLBACK,
            account,
            models,
            "OPENAI_FALLBACK_LLM_MODEL or OPENAI_FALLBACK_TTS_MODEL",
            "OPENAI_FALLBACK_BASE_URL" if openai.fallback_base_url else "OPENAI_BASE_URL",
            "OPENAI_FALLBACK_API_KEY" if openai.fallback_api_key else "OPENAI_API_KEY",
        )
    ]


def judge(role: Role, result: Result) -> Check:
    """The check of one role, from the answer to a request for the list of models."""
    url, at = role.account.base_url, place(role.account.base_url)
    if isinstance(result, Failure):
        return unreachable(role.name, url, role.address_setting, result)
    if expected_tls(result):
        mend = f"write https:// instead of http:// in {role.address_setting}"
        return fault(role.name, f"{at} wants TLS", mend)
    match result.status:
        case 200 if (names := _names(result)) is not None:
            return _models(role, names)
        case 401 | 403:
            return _refused(role, result)
        case 429:
            return _busy(role, result)
        case status if status >= 500:
            seen = f"{at} answers with HTTP {status}"
            return fault(role.name, seen, "wait, or set a fallback: the provider is in trouble")
        case 404 | 405 if "api.openai.com" not in at:
            seen = f"{at} has no list of models: key and model were not judged"
            mend = f"nothing, if calls are answered; else check {role.address_setting}"
            return warning(role.name, seen, mend)
        case status:
            return fault(
                role.name,
                f"{at} answers, but not as OpenAI's API (HTTP {status})",
                f"correct {role.address_setting}: the address ends in /v1, and below it is /models",
            )


def unset_fallback() -> Check:
    """The check of a fallback that is not set."""
    return skipped(Name.OPENAI_FALLBACK, "no fallback model is set")


def _names(answer: Answer) -> list[str] | None:
    """The models' names; None if the answer is no list of models."""
    document = answer.json
    if not isinstance(document, dict) or not isinstance(document.get("data"), list):
        return None
    return [str(each["id"]) for each in document["data"] if isinstance(each, dict) and "id" in each]


def _models(role: Role, names: Sequence[str]) -> Check:
    at = place(role.account.base_url)
    wanted = " and ".join(role.models)
    if not names:
        mend = f"nothing, if calls are answered; else check {role.model_setting}"
        return warning(role.name, f"the key is accepted, but {at} lists no model", mend)
    for model in role.models:
        if model in names or f"{model}:latest" in names:  # as Ollama writes them
            continue
        close = difflib.get_close_matches(model, names, n=1)
        advice = f"did you mean {close[0]}?" if close else f"it has, for one, {names[0]}"
        return fault(
            role.name,
            f"{at} has no model {model!r} for this key",
            f"correct {role.model_setting}: {advice}",
        )
    return ok(role.name, f"{at} accepts the key and has {wanted}")


def _refused(role: Role, answer: Answer) -> Check:
    key = role.account.api_key.get_secret_value()
    at = place(role.account.base_url)
    if _HEX.fullmatch(key) and "openai.com" in at:
        mend = f"put OpenAI's key into {role.key_setting}: this is a key of AssemblyAI"
        return fault(role.name, f"{at} refuses the key: it looks like AssemblyAI's", mend)
    if answer.status == 403:
        return fault(
            role.name,
            f"{at} does not allow this key to list models (HTTP 403)",
            f"allow the key of {role.key_setting} to read models and to use them, or leave the "
            "country or the network that the provider does not serve",
        )
    return fault(
        role.name,
        f"{at} refuses the key (HTTP 401)",
        f"copy {role.key_setting} again, and check that it is of the provider that "
        f"{role.address_setting} names",
    )


def _busy(role: Role, answer: Answer) -> Check:
    if "insufficient_quota" in answer.text:
        mend = "add credit to the account, or use another one"
        return fault(role.name, "the account has no quota left", mend)
    seen = f"{place(role.account.base_url)} is busy (HTTP 429): the key was not judged"
    return warning(role.name, seen, "ask again in a minute")
