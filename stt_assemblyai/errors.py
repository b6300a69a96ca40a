"""What can go wrong with a session, with the answer to "may I try again?" for each.

    AssemblyAIError              again?  what it means
    ├── AuthenticationError      no      the key or the account is refused
    │   └── TokenExpiredError    no      a temporary token is too old: fetch a new one, once
    ├── ConfigurationError       no      something has to be changed before it can work
    │   └── MissingKeyError      no      there is neither key nor token (a ValueError, too)
    ├── QuotaError               yes     too many new sessions a minute: wait, then go on
    ├── RenewalError             yes     the session reached its end: open a new one now
    └── TransientError           yes     the service is in trouble for the moment
        └── NetworkError         yes     name look-up, connection, TLS, or a deadline passed

`classify_close` and `classify_http` are the tables of protocol notes, section 13. Close codes and
HTTP statuses have different classes, so that nothing can take 1008 for a status.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Mapping
from pathlib import PurePath
from typing import ClassVar, NamedTuple

from stt_assemblyai.service import CHUNK_LIMITS, DEFAULT_BASE_URL

__all__ = [
    "AssemblyAIError",
    "AuthenticationError",
    "CloseCode",
    "ConfigurationError",
    "HttpStatus",
    "MissingKeyError",
    "NetworkError",
    "QuotaError",
    "RenewalError",
    "TokenExpiredError",
    "TransientError",
    "classify_close",
    "classify_http",
    "fault_of",
    "readable",
]


class CloseCode(int):
    """A WebSocket close code, or the `error_code` of an Error message, which equals it."""

    def __str__(self) -> str:
        return f"close code {int(self)}"


class HttpStatus(int):
    """The status of an HTTP answer that came instead of the upgrade."""

    def __str__(self) -> str:
        return f"HTTP {int(self)}"


class AssemblyAIError(Exception):
    """A session could not be opened, or ended before it was asked to.

    `summary` says what happened, `remedy` what to change, each in one sentence; `server_text` is
    the service's own sentence, if it gave one. None of them ever holds a key or a caller's words.
    """

    retryable: ClassVar[bool] = False

    def __init__(
        self,
        summary: str,
        *,
        remedy: str = "",
        code: CloseCode | HttpStatus | None = None,
        server_text: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        self.summary = summary
        self.remedy = remedy
        self.code = code
        self.server_text = server_text
        self.retry_after_seconds = retry_after_seconds
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        cause = self.server_text and f' The service says: "{self.server_text}".'
        code = "" if self.code is None else f" ({self.code})"
        return f"{self.summary}{code}.{cause}{self.remedy and ' ' + self.remedy}"


class AuthenticationError(AssemblyAIError):
    """The API key, the token or the account is refused. Trying again cannot help."""


class TokenExpiredError(AuthenticationError):
    """A temporary token was redeemed too late. A new one may be fetched, once."""


class ConfigurationError(AssemblyAIError):
    """An option, an address or the audio is wrong. Trying again without a change cannot help."""


class MissingKeyError(ConfigurationError, ValueError):
    """Neither an API key nor a token was given. Also a ValueError, as in LiveKit's own plugin."""


class QuotaError(AssemblyAIError):
    """The account opens too many sessions a minute. `retry_after_seconds` is the least wait."""

    retryable = True


class RenewalError(AssemblyAIError):
    """The session reached its end (expired, idle). A new one may be opened at once."""

    retryable = True


class TransientError(AssemblyAIError):
    """The service is in trouble for the moment. Try again, with growing pauses and a limit."""

    retryable = True


class NetworkError(TransientError):
    """The service could not be reached, or stopped answering."""


class _Row(NamedTuple):
    codes: range | tuple[int, ...]
    text: str  # a regular expression, found anywhere in the server's sentence, case ignored
    kind: type[AssemblyAIError]
    summary: str
    remedy: str
    retry_after_seconds: float | None = None


_QUOTA_SECONDS = 12.0  # the least wait that frees a place on a 5-a-minute account (section 12.5)
_ANY = range(65536)
_SLOW_DOWN = "Wait before opening another session, or raise the account's limit."
_CHECK_KEY = "Check ASSEMBLYAI_API_KEY, and that the account may stream."

_NAMES_OF_SENTENCES = ("message", "msg", "error", "detail", "details", "description")
_LONGEST_SERVER_TEXT = 300

# Read from the top; the first row whose code and text fit decides.
_CLOSES = (
    _Row(_ANY, "too many (concurrent )?(sessions|streams)", QuotaError,
         "Too many new sessions on this account", _SLOW_DOWN, _QUOTA_SECONDS),
    _Row((3009, 4102), "", QuotaError,
         "Too many new sessions on this account", _SLOW_DOWN, _QUOTA_SECONDS),
    _Row((4029,), "", QuotaError,
         "Audio was sent too fast", "Send audio at the pace at which it is spoken."),
    _Row((1008,), "(signature|token).* expired", TokenExpiredError,
         "The temporary token has expired", "Fetch a new token right before connecting."),
    _Row((1008, 4001, 4002, 4003), "", AuthenticationError,
         "The service refuses this key or account", _CHECK_KEY),
    _Row((3006,), "inactivity", RenewalError,
         "The session was idle for too long", "A new session opens when audio resumes."),
    _Row((3008, 4008), "", RenewalError,
         "The session reached its longest duration", "A new session can be opened at once."),
    _Row((1000, 4010, 4030, 4031, 4103), "", RenewalError,
         "The service ended the session", "A new session can be opened at once."),
    _Row((3007,), "rate", TransientError,
         "Audio was sent too fast", "Send audio at the pace at which it is spoken."),
    _Row((3007,), "", ConfigurationError,
         "The service refuses the length of an audio message", f"Send chunks of {CHUNK_LIMITS}."),
    _Row((1009,), "", ConfigurationError,
         "A message was too large", "Keep each message below 128 KB."),
    _Row((410,), "", ConfigurationError,
         "This address belongs to a retired version", f"Use {DEFAULT_BASE_URL}."),
    _Row((3006, 4000, 4100, 4101), "", ConfigurationError,
         "The service refuses a session option or message", "Change what it names."),
)  # fmt: skip

_STATUSES = (
    _Row((408, 425), "", TransientError, "The service asks to try later", ""),
    _Row((429,), "", QuotaError,
         "Too many new sessions on this account", _SLOW_DOWN, _QUOTA_SECONDS),
    _Row((401, 402, 403), "", AuthenticationError,
         "The service refuses this key or account", _CHECK_KEY),
    _Row((410,), "", ConfigurationError,
         "This address belongs to a retired version", f"Use {DEFAULT_BASE_URL}."),
    _Row(range(500, 600), "", TransientError, "The service is unavailable", ""),
    _Row(_ANY, "", ConfigurationError,
         "The address does not answer as a streaming service", "Check the base URL."),
)  # fmt: skip


def classify_close(code: int, text: str) -> AssemblyAIError:
    """The error for a close code (or an Error message's `error_code`) and the server's sentence.

    The text decides where a code is ambiguous: 1008 and 3006 each have two meanings. An unknown
    code, and 1005/1006 (no close frame came), give `TransientError`.
    """
    for row in _CLOSES:
        if code in row.codes and re.search(row.text, text, re.IGNORECASE):
            return _build(row, CloseCode(code), text)
    lost = "The connection was lost" if code in (1005, 1006) else "The session broke off"
    return TransientError(lost, code=CloseCode(code), server_text=_sentence_in(text))


def classify_http(status: int, body: str = "") -> AssemblyAIError:
    """The error for an HTTP status that came instead of `101 Switching Protocols`."""
    row = next(row for row in _STATUSES if status in row.codes)
    return _build(row, HttpStatus(status), body)


def readable(said: object) -> str:
    """The sentence in an error text, which may be a JSON object or the text of one."""
    try:
        return _innermost(said)
    except RecursionError:
        return "the error text is nested too deeply"


def _innermost(said: object) -> str:
    if isinstance(said, Mapping):
        found = [said[name] for name in _NAMES_OF_SENTENCES if said.get(name)]
        return _innermost(found[0]) if found else json.dumps(said, default=str)
    if isinstance(said, list):
        return "; ".join(map(_innermost, said))
    if isinstance(said, str) and said.lstrip()[:1] in ("{", "["):
        try:
            return _innermost(json.loads(said))
        except ValueError:
            return said
    return str(said)


def fault_of(error: BaseException) -> str:
    """A program's fault in a few words: its type and place. Never its text, which may repeat what a
    caller said."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def _build(row: _Row, code: CloseCode | HttpStatus, text: str) -> AssemblyAIError:
    return row.kind(
        row.summary,
        remedy=row.remedy,
        code=code,
        server_text=_sentence_in(text),
        retry_after_seconds=row.retry_after_seconds,
    )


def _sentence_in(text: str) -> str:
    return " ".join(readable(text).split())[:_LONGEST_SERVER_TEXT]
