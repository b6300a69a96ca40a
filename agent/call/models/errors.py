"""What a failed request to a model means: may it be tried again, and does it end the call?

ModelError
  UnavailableError      no answer within the whole patience: down, slow, or limiting the rate
  RefusedError          the key, the quota, the model or the address: an operator has to act
  ContentRefusedError   only this text is refused, or has no sound; the next one may be fine
  BrokenOffError        words or sound came, and then the answer ended in the middle
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

import httpx2
from livekit.agents import APIError, APIStatusError, APITimeoutError

LONGEST_DETAIL = 200
RETRY_AFTER = "retry_after_seconds"
QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
CONTENT_CODES = frozenset(
    {"content_filter", "content_policy_violation", "invalid_prompt", "safety", "moderation"}
)
KEY_CODES = frozenset({"invalid_api_key", "account_deactivated", "model_not_found"})
# Statuses that blame the text, once the rest of a request is known to be right.
TEXT_STATUSES = frozenset({HTTPStatus.BAD_REQUEST, 413, 422})
# Statuses after which an operator has to act. All others are tried again: gateways have many of
# their own (421, 424, 498).
REFUSAL_STATUSES = TEXT_STATUSES | {401, 402, 403, 404, 405, 406, 410, 411, 414, 415, 426, 431, 451}
TOO_MANY_REQUESTS = 429
# Groq's code for a malformed tool call: another try may write a better one.
UNLUCKY_CODES = frozenset({"tool_use_failed"})


class ModelError(APIError):
    """A request failed for good. LiveKit must not retry it: we have done that already."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


class UnavailableError(ModelError):
    """Nobody answered within the whole patience."""


class RefusedError(ModelError):
    """Nobody will answer until an operator changes something."""


class ContentRefusedError(ModelError):
    """The LLM does not answer this text, or the TTS does not speak it."""

    def __init__(self, message: str, *, has_begun: bool) -> None:
        """`has_begun`: a part of the answer was passed on before."""
        super().__init__(message)
        self.has_begun = has_begun


class BrokenOffError(ModelError):
    """A part was passed on, but the rest did not come."""


class ResponseError(httpx2.TransportError):
    """A response, or its stream, is not what the request asked for. Raised in the HTTP client."""


class EventError(ResponseError):
    """The stream carries an error, in OpenAI's shape or another."""

    def __init__(self, body: object) -> None:
        self.code, message = described(body)
        super().__init__(message or self.code or "an error without a message")


class RedirectError(ResponseError):
    """The server redirects. Neither the key nor the conversation is sent there."""


class RefusalError(ResponseError):
    """The model refuses this content."""


class EmptyError(ResponseError):
    """The response is in order, but empty."""


class CutError(ResponseError):
    """The stream ended without its end marker."""


class Kind(Enum):
    """What one failed try says about the next one."""

    BUSY = auto()
    """Down, slow, broken or overloaded: worth another try."""
    EMPTY = auto()
    """Empty: worth one more try."""
    CONTENT = auto()
    """This provider refuses this content."""
    REFUSED = auto()
    """This provider refuses everything."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One try that failed."""

    kind: Kind
    detail: str
    """A few words: the provider's own, if it has any."""
    retry_after_seconds: float = 0.0
    reason: str = field(default="unavailable", compare=False)
    """The class of the failure: `timeout`, `rate_limit`, `unavailable`, `broken`, `empty`,
    `content` or `refused`."""


def failure_of(error: APIError, *, is_speech: bool, has_answered: bool = False) -> Failure:
    """What an error of a provider's plugin means. `has_answered`: the provider has answered another
    request, so key, address and model are right."""
    failure = _failure_of(error, is_speech=is_speech, has_answered=has_answered)
    return replace(failure, reason=_reason(error, failure.kind))


def _reason(error: APIError, kind: Kind) -> str:
    causes = [*_causes(error)]
    if kind is not Kind.BUSY:
        return kind.name.lower()
    if isinstance(error, APIStatusError) and error.status_code == TOO_MANY_REQUESTS:
        return "rate_limit"
    if any(isinstance(each, APITimeoutError | httpx2.TimeoutException) for each in causes):
        return "timeout"
    return "broken" if any(isinstance(each, ResponseError) for each in causes) else "unavailable"


def _failure_of(error: APIError, *, is_speech: bool, has_answered: bool) -> Failure:
    for cause in _causes(error):
        match cause:
            case RedirectError():
                return Failure(Kind.REFUSED, str(cause))
            case RefusalError():
                return Failure(Kind.CONTENT, str(cause))
            case EmptyError():
                return Failure(Kind.EMPTY, str(cause))
            case EventError():
                return Failure(_kind_of_code(cause.code), _cut(str(cause)))
            case ResponseError() | httpx2.TransportError():
                return Failure(Kind.BUSY, _cut(str(cause)) or type(cause).__name__)
            case _:
                pass
    if isinstance(error, APITimeoutError):
        return Failure(Kind.BUSY, "it took too long")
    if isinstance(error, APIStatusError):
        return _of_status(error, is_text_alone=is_speech or has_answered)
    if is_speech and type(error) is APIError:
        # LiveKit's own error, which repeats the text: there was no sound to decode.
        return Failure(Kind.EMPTY, "it has no sound for this text")
    return Failure(Kind.BUSY, _cut(error.message))


def described(body: object) -> tuple[str, str]:
    """The code and the message of an error's body, each empty if it has none."""
    for name in ("error", "detail"):
        if isinstance(body, dict) and isinstance(body.get(name), (dict, str)):
            body = body[name]
    if isinstance(body, str):
        return "", body
    if not isinstance(body, dict):
        return "", ""
    code = body.get("code") or body.get("type") or ""
    message = body.get("message") or body.get("detail") or ""
    words = message if isinstance(message, str) else _broken_rules(message)
    return "content_filter" if _is_moderation(body, words) else str(code), words


def _broken_rules(message: object) -> str:
    """What FastAPI says about a request, without the request's own words."""
    found = message.get("detail") if isinstance(message, dict) else message
    rules = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    return "; ".join(f"{each.get('loc')}: {each.get('msg')}" for each in rules)


def _is_moderation(body: dict[str, Any], words: str) -> bool:
    """Whether a text was flagged. OpenRouter says so by a status, LiteLLM by a name in its message;
    neither has a code."""
    metadata = body.get("metadata")
    is_flagged = isinstance(metadata, dict) and "flagged_input" in metadata
    return is_flagged or "ContentPolicyViolation" in words


def shown_error(text: str, headers: httpx2.Headers) -> dict[str, object]:
    """An error's body for the plugins: cut short, with the one header that matters, since their
    own errors have no headers."""
    try:
        body = json.loads(text)
    except ValueError:
        body = {}
    code, message = described(body)
    error = {"code": code, "message": _cut(message), RETRY_AFTER: _retry_after_seconds(headers)}
    return {"error": error}


def _retry_after_seconds(headers: httpx2.Headers) -> float:
    """How many seconds the provider asks to be left alone; 0 if it does not say."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:  # a date: it would need two clocks that agree
            continue
        if 0 < seconds < float("inf"):
            return seconds
    return 0.0


def _of_status(error: APIStatusError, *, is_text_alone: bool) -> Failure:
    code, message = described(error.body)
    status = error.status_code
    wait = error.body.get(RETRY_AFTER, 0.0) if isinstance(error.body, dict) else 0.0
    words = f"HTTP {status}: {message}" if message else f"HTTP {status}"
    return Failure(_kind_of_status(status, code, is_text_alone=is_text_alone), words, wait)


def _kind_of_status(status: int, code: str, *, is_text_alone: bool) -> Kind:
    if code in QUOTA_CODES:
        return Kind.REFUSED
    if status not in REFUSAL_STATUSES:
        return Kind.BUSY
    if code in UNLUCKY_CODES:
        return Kind.EMPTY
    is_text = is_text_alone and status in TEXT_STATUSES and code not in KEY_CODES
    return Kind.CONTENT if is_text or code in CONTENT_CODES else Kind.REFUSED


def _kind_of_code(code: str) -> Kind:
    """The kind of an error that comes with status 200."""
    if code in QUOTA_CODES | KEY_CODES:
        return Kind.REFUSED
    return Kind.CONTENT if code in CONTENT_CODES else Kind.BUSY


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The plugin's error and its causes, down to the first one."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _cut(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= LONGEST_DETAIL else one_line[: LONGEST_DETAIL - 3] + "..."
