"""Requests to a provider that failed before the reply came, as a clause: failures first."""

from agent.records.in_force import is_unset, setting, value
from agent.records.read import RecordedCall
from agent.records.schema import Attempt, Call, Provider, ProviderFailed, Reply, Turn
from agent.records.words import (
    PROVIDERS,
    WORTH_TELLING_MS,
    attempts_in_words,
    duration,
    error_in_words,
)

_VERBS = {"rate_limit": "refused", "refused": "refused", "timeout": "gave no answer in time"}
_TIMES = {1: "once", 2: "twice"}


def tries(turn: Turn, provider: Provider) -> list[Attempt]:
    """The requests to `llm` or `tts` for a turn's reply."""
    reply = turn.reply or Reply()
    return reply.llm if provider == "llm" else reply.tts


def have_failed(turn: Turn, provider: Provider) -> bool:
    """Whether one of them failed."""
    return any(each.error for each in tries(turn, provider))


def failures_first(turn: Turn, provider: Provider, whole_ms: int, call: RecordedCall) -> str:
    """What failed, how often, and how long the agent paused; then who answered. `whole_ms` is what
    all of it took."""
    attempts = tries(turn, provider)
    failed = [each for each in attempts if each.error]
    who, where = PROVIDERS[provider], failed[0].provider
    if len({(each.error, each.provider) for each in failed}) > 1 or attempts[0] is not failed[0]:
        return f"{who} failed ({attempts_in_words(attempts, whole_ms)})"
    error = failed[0].error or ""
    verb = _VERBS.get(error, "failed")
    why = "" if error == "timeout" else f"{error_in_words(error)} "
    times = _TIMES.get(len(failed), f"{len(failed)} times")
    said = f"{who} {verb} {times} ({why}at {where}){_paused(turn, provider, whole_ms, call)}"
    after = attempts[len(failed) :]
    if not after:
        return said
    other = "" if after[0].provider == where else f" at {after[0].provider}"
    return f"{said}; then it answered{other} in {duration(after[0].took_for_ms)}"


def _paused(turn: Turn, provider: Provider, whole_ms: int, call: RecordedCall) -> str:
    """The pauses before each further attempt: one by one if the record tells when each failed."""
    attempts = tries(turn, provider)
    in_all_ms = whole_ms - sum(each.took_for_ms for each in attempts)
    if in_all_ms < WORTH_TELLING_MS:
        return ""
    pauses = _pauses_ms(turn, provider, call)
    if not pauses:
        return f", and the agent paused {duration(in_all_ms)} in all"
    told = " and ".join(duration(each) for each in pauses)
    between = "between attempts" if len(pauses) > 1 else "before it asked again"
    return f", and the agent paused {told} {between}"


def _pauses_ms(turn: Turn, provider: Provider, call: RecordedCall) -> list[int]:
    attempts, reply = tries(turn, provider), turn.reply or Reply()
    ends = reply.first_token_ms if provider == "llm" else reply.first_audio_ms
    begins = reply.asked_ms if provider == "llm" else reply.first_token_ms
    if ends is None or begins is None:
        return []
    at = [
        each.at_ms
        for each in call.every(ProviderFailed)
        if each.provider == provider and begins <= each.at_ms <= ends
    ]
    if len(at) != len(attempts) - 1:
        return []
    ended = [*at, ends]
    pauses = [
        ended[number] - attempts[number].took_for_ms - ended[number - 1]
        for number in range(1, len(attempts))
    ]
    return pauses if all(each >= 0 for each in pauses) else []


def advice(turn: Turn, provider: Provider, call: Call) -> str:
    """The settings that bear on failed attempts of this kind, with their values in the call; of a
    provider that was only slow, that no other attempt was due."""
    kind = provider.upper()
    if not have_failed(turn, provider):
        return setting(
            call, f"OPENAI_{kind}_MODEL", "no attempt failed, so look at this model or its provider"
        )
    name = f"OPENAI_FALLBACK_{kind}_MODEL"
    said = (
        setting(call, name, "it names who takes over when the first one fails")
        if is_unset(call, name) or not value(call, name)
        else setting(call, name, "that is who takes over when the first one fails")
    )
    if any(each.error == "timeout" for each in tries(turn, provider)):
        patience = f"OPENAI_{kind}_PATIENCE_SECONDS"
        said += " " + setting(call, patience, "it is the time after which the next attempt begins")
    return said
