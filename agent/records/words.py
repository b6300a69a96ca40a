"""Codes of a record as words: for sentences, pages and lists."""

import itertools

from agent.records.schema import Attempt, EndReason

ENDINGS = {
    "caller_left": "the caller hung up",
    "caller_lost": "the caller's network failed, and the caller did not come back in time",
    "another_caller": "somebody else became the caller",
    "caller_silent": "the caller said nothing for too long",
    "no_caller": "no caller came in time",
    "room_closed": "the room was closed",
    "cannot_hear": "the speech recognition failed",
    "cannot_think": "the language model failed",
    "cannot_speak": "the speech synthesis failed",
    "agent_ended": "the agent ended the call",
    "too_long": "the call reached its longest duration",
    "other_agent": "another agent was there already",
    "handed_over": "another agent went on with the call",
    "worker_stopped": "the worker was stopped",
    "hurried": "the worker could not wait for the call to end",
    "fault": "the agent has a fault",
}
"""Why a call is over, by its code."""

GOOD_ENDINGS = frozenset(
    {
        "caller_left",
        "agent_ended",
        "another_caller",
        "room_closed",
        "other_agent",
        "handed_over",
    }
)
"""After these nobody has to look."""

END_REASONS: dict[EndReason, str] = {
    "confidence": "AssemblyAI was sure that the turn was over",
    "silence": "AssemblyAI was not sure, and waited for the longest silence",
    "second_opinion": "the end-of-turn detector asked AssemblyAI to end it",
    "forced": "AssemblyAI did not end it for too long, and ended it when asked",
    "watchdog": "AssemblyAI did not end it when asked, so the agent did",
    "reconnect": "the connection to AssemblyAI broke off, and the next one found no more words",
    "typed": "the caller typed",
}
"""Why a caller's turn ended."""

PROVIDERS = {"stt": "AssemblyAI", "llm": "the language model", "tts": "the voice (TTS)"}

WORTH_TELLING_MS = 300
"""What a failed request, or the pauses between requests, took: less explains nothing."""
_ERRORS = {
    "rate_limit": "rate limit",
    "timeout": "no answer in time",
    "unavailable": "unavailable",
    "refused": "refused",
    "content": "refused for its content",
    "broken": "the answer broke off",
    "empty": "an empty answer",
    "NetworkError": "no network connection",
    "TransientError": "the session broke off",
    "QuotaError": "too many new sessions in a minute",
    "RenewalError": "the session reached its end",
    "AuthenticationError": "the key was refused",
    "TokenExpiredError": "the token had expired",
    "ConfigurationError": "an option was refused",
}


def error_in_words(error: str) -> str:
    """A class of error, such as `rate_limit`, as words."""
    return _ERRORS.get(error, error.replace("_", " "))


def duration(ms: float) -> str:
    """Milliseconds as a person reads them: 80 ms, 2.65 s, 23.0 s, 1 min 5 s. `took` in the page's
    script rounds in the same way."""
    if ms < 100:
        return f"{round(ms)} ms"
    if ms < 10_000:
        return f"{int(ms / 10 + 0.5) / 100:.2f} s"
    if ms < 60_000:
        return f"{int(ms / 100 + 0.5) / 10:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


def moment(ms: float) -> str:
    """A time in a call: 0:41, 1:02:03."""
    minutes, seconds = divmod(int(ms // 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def attempts_in_words(attempts: list[Attempt], whole_ms: int = 0) -> str:
    """What became of the requests to a provider, in order; empty if the first one succeeded.

    `whole_ms` is how long all of it took: what the requests did not take were pauses between them.
    """
    if not any(each.error for each in attempts):
        return ""
    parts: list[str] = []
    before = ""
    for (provider, error), group in itertools.groupby(attempts, _outcome):
        took = [each.took_for_ms for each in group]
        who = "it" if provider == before else provider
        if error:
            times = f" {len(took)} times" if len(took) > 1 else ""
            after = f" after {duration(sum(took))}" if sum(took) >= WORTH_TELLING_MS else ""
            parts.append(f"{error_in_words(error)} at {provider}{times}{after}")
        else:
            parts.append(f"{who} answered in {duration(took[0])}")
        before = provider
    pauses_ms = whole_ms - sum(each.took_for_ms for each in attempts)
    paused = f", with pauses of {duration(pauses_ms)}" if pauses_ms >= WORTH_TELLING_MS else ""
    return ", then ".join(parts) + paused


def _outcome(attempt: Attempt) -> tuple[str, str | None]:
    return attempt.provider, attempt.error
