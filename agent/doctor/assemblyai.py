"""Judges AssemblyAI: address, key, clock. A temporary token proves a key and opens no session."""

import re
from urllib.parse import urlsplit

from agent.doctor.answers import Answer, Failure, Result, expected_tls, place, unreachable
from agent.doctor.check import Check, Name, fault, ok, skipped, warning
from agent.doctor.livekit import CLOCK_SECONDS, SET_CLOCK, skew

_FORMAT = re.compile(r"[0-9a-f]{32}")
_REGIONS = {
    "streaming.assemblyai.com": "nearest region",
    "streaming.eu.assemblyai.com": "EU",
    "streaming.us.assemblyai.com": "US",
}
_ADDRESSES = "wss://streaming.assemblyai.com, or wss://streaming.eu.assemblyai.com for the EU"


def judge(url: str, key: str, result: Result) -> list[Check]:
    """The checks of address, key and clock, from the answer to a request for a token."""
    key_name, clock_name = Name.ASSEMBLYAI_KEY, Name.ASSEMBLYAI_CLOCK
    address = _address(Name.ASSEMBLYAI_ADDRESS, "ASSEMBLYAI_BASE_URL", url, result)
    if isinstance(result, Failure):
        why = "AssemblyAI does not answer"
        return [address, skipped(key_name, why), skipped(clock_name, why)]
    if (found := _key(key, result)) is None:
        why = "no streaming service answers"
        return [address, skipped(key_name, why), skipped(clock_name, why)]
    return [address, found, _clock(result)]


def judge_fallback(url: str | None, result: Result | None) -> Check:
    """The check of the second region, which gets the same key."""
    name, setting = Name.ASSEMBLYAI_FALLBACK, "ASSEMBLYAI_FALLBACK_BASE_URL"
    if url is None or result is None:
        return skipped(name, f"{setting} is not set")
    address = _address(name, setting, url, result)
    if isinstance(result, Answer) and result.status in (401, 403):
        mend = f"name a region of the same account in {setting}"
        return fault(name, f"{place(url)} refuses the key", mend)
    return address


def _address(name: Name, setting: str, url: str, result: Result) -> Check:
    if isinstance(result, Failure):
        return unreachable(name, url, setting, result)
    at = place(url)
    if expected_tls(result):
        return fault(name, f"{at} wants TLS", f"write wss:// instead of ws:// in {setting}")
    if _is_token(result) or result.status in (401, 402, 403, 422, 429):
        region = _REGIONS.get(urlsplit(url).hostname or "", "an address of your own")
        return ok(name, f"the streaming service answers at {at} ({region})")
    if result.status >= 500:
        mend = "wait, or set ASSEMBLYAI_FALLBACK_BASE_URL: the service is in trouble"
        return fault(name, f"{at} answers with HTTP {result.status}", mend)
    return fault(
        name,
        f"{at} answers, but not as the streaming service (HTTP {result.status})",
        f"correct {setting}: it is {_ADDRESSES}",
    )


def _key(key: str, answer: Answer) -> Check | None:
    """The check of the key; None if the answer is not the service's."""
    name = Name.ASSEMBLYAI_KEY
    match answer.status:
        case 200 if _is_token(answer):
            return ok(name, "the key is accepted (a temporary token was given, no session opened)")
        case 401 | 403 if key.startswith("sk-"):
            mend = "exchange it with the value of ASSEMBLYAI_API_KEY: this is a key of OpenAI"
            return fault(name, "refused: it starts with sk-, as keys of OpenAI do", mend)
        case 401 | 403:
            shape = "" if _FORMAT.fullmatch(key) else "; a key has 32 digits 0-9 and a-f"
            return fault(
                name,
                f"refused (HTTP {answer.status}){shape}",
                "copy ASSEMBLYAI_API_KEY again from the dashboard of AssemblyAI",
            )
        case 402:
            return fault(name, "the account has no balance", "top up the account at AssemblyAI")
        case 422 | 429:
            seen = f"the service answers with HTTP {answer.status}: the key was not judged"
            return warning(name, seen, "ask again in a minute")
        case _:
            return None


def _is_token(answer: Answer) -> bool:
    return answer.status == 200 and isinstance(answer.json, dict) and "token" in answer.json


def _clock(answer: Answer) -> Check:
    name, ahead_seconds = Name.ASSEMBLYAI_CLOCK, answer.clock_ahead_seconds
    if ahead_seconds is None:
        return skipped(name, "the service's answers have no date")
    if abs(ahead_seconds) <= CLOCK_SECONDS:
        return ok(name, f"within {CLOCK_SECONDS} s of AssemblyAI's")
    return warning(name, skew(ahead_seconds, "AssemblyAI's"), SET_CLOCK)
