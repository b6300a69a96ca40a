"""Keeps secrets, and what was sent to a model, out of every part of a log line.

A provider's error may repeat the key or the request, and so the instructions and the caller's
words. LiveKit logs such errors with their stacks. So each process rewrites every record before a
handler sees it: it removes the secrets in force, anything that looks like a secret, and quotations
from the latest requests.
"""

import functools
import json
import logging
import re
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, quote_plus
from weakref import WeakSet

from agent.card_numbers import masked
from agent.personal_data import CARDS, Rules
from config.secrets import MASKED

PERSONAL = "lk.pii."
"""The prefix of fields that hold what people said. It is LiveKit's, and we use it too."""

PLAIN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_SHORTEST_SECRET = 8  # characters; a shorter one may be a word
_LONGEST_LINE, _LONGEST_FIELD, _LONGEST_STACK = 500, 2000, 16_000
_RUN = 4  # this many words in a row that are also in a request are a quotation

_SHAPES = re.compile(
    r"(?P<before>(?i:\b(?:Bearer|Basic)\s+|://[^/\s:@]+:(?=[^/\s@]+@)"
    r"|(?:api[_-]?key|authorization|secret|password|token)[\"']?\s*[:=]\s*[\"']?(?=\S{12})))"
    r"[^\s\"',;&}@]{6,}"
    r"|\b(?:sk|pk|rk|gsk|xai|hf|ghp|xox[abp])[-_][\w-]{16,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]+)?"
    r"|(?<![\w-])[0-9a-f]{32}(?![\w-])"  # AssemblyAI's keys
    r"|\bAPI(?=[A-Za-z]*\d)[A-Za-z0-9]{10,}\b"  # LiveKit's
)
_WORD = re.compile(r"\w+")
_ESCAPE = re.compile(r"\\[ntr\"'\\]")

# LiveKit's error repeats the words for which a voice gave no sound.
_UNSPOKEN = re.compile(r"(no audio frames were pushed for text: ).*", re.DOTALL)


class _Sent:
    """The latest requests of one call, or of a process with one call."""

    def __init__(self) -> None:
        self.bodies: deque[bytes] = deque(maxlen=8)
        _each_sent.add(self)


# Global, because logging has no place for the data of a call.
_each_sent: WeakSet[_Sent] = WeakSet()
_of_process = _Sent()
_of_call: ContextVar[_Sent | None] = ContextVar("sent", default=None)


def remember_sent(body: bytes) -> None:
    """Keep what this request (JSON) says out of all log lines of its call, and out of those that
    belong to no call."""
    (_of_call.get() or _of_process).bodies.append(body)


def remember_apart() -> None:
    """Remember what this context sends apart from what other calls of this process send."""
    _of_call.set(_Sent())


def _sent_here() -> tuple[bytes, ...]:
    own = _of_call.get()
    return tuple(body for each in ([own] if own else _each_sent) for body in each.bodies)


class Redaction(logging.Filter):
    """Rewrites each record: no secrets and nothing overlong in its message, stack and fields.

    With `transcripts`, what people said may stay, but for what the rules mask.
    """

    def __init__(
        self, secrets: Iterable[str] = (), *, transcripts: bool = False, rules: Rules = CARDS
    ) -> None:
        super().__init__()
        self._rules = rules
        long = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
        self._forms = sorted({form for each in long for form in _spellings(each)}, key=len)[::-1]
        pattern = "|".join(map(_pattern, self._forms))
        self._secrets = re.compile(pattern) if pattern else None
        self._transcripts = transcripts

    def filter(self, record: logging.LogRecord) -> bool:
        # Only errors and debug dumps quote requests, and the search for quotations takes
        # milliseconds: skip it for the level INFO.
        may_quote = not logging.INFO <= record.levelno < logging.WARNING
        text = partial(self.text, longest=_LONGEST_STACK, may_quote=may_quote)
        record.msg, record.args = text(_message(record)), None
        if record.exc_info:
            stack = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            record.exc_info, record.exc_text = None, stack
        if record.exc_text:
            record.exc_text = text(record.exc_text)
        if record.stack_info:
            record.stack_info = text(record.stack_info)
        record.name = text(record.name)
        for name in vars(record).keys() - PLAIN_FIELDS:
            value = vars(record).pop(name)
            is_personal = name.startswith(PERSONAL)
            kept = self.value(value, may_quote=may_quote and not is_personal)
            setattr(record, text(name), self._rules.masked_in(kept) if is_personal else kept)
        return True

    def text(self, text: str, *, longest: int = _LONGEST_FIELD, may_quote: bool = True) -> str:
        """The text without secrets, quotations and overlong lines."""
        if len(text) < _SHORTEST_SECRET:
            return text
        text = self.without_secrets(self._beginning(text, 2 * longest))
        if not self._transcripts:
            text = _UNSPOKEN.sub(r"\1...", text)
            if may_quote:
                text = _without_quotations(text, _sent_here())
        return self._shortened(text, longest)

    def value(self, value: object, *, may_quote: bool = True) -> Any:
        """Any value as JSON types, with every text in it cleaned by `text`."""
        if value is None or isinstance(value, bool):
            return value
        clean = partial(self.value, may_quote=may_quote)
        if isinstance(value, Mapping):
            names = (self.text(_spelt(name), may_quote=may_quote) for name in value)
            return dict(zip(names, map(clean, value.values()), strict=True))
        if isinstance(value, list | tuple | set | frozenset):
            return [clean(part) for part in value]
        spelt = _spelt(value)
        shown = self.text(spelt, may_quote=may_quote)
        return value if isinstance(value, int | float) and shown == spelt else shown

    def without_secrets(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.sub(MASKED, text)
        text = masked(text)
        return _SHAPES.sub(lambda found: (found["before"] or "") + MASKED, text)

    def _beginning(self, text: str, longest: int) -> str:
        """The beginning of a text that may have megabytes, without half a secret at its end."""
        if len(text) <= longest:
            return text
        text = text[:longest]
        for secret in self._forms:
            for length in range(len(secret) - 1, _SHORTEST_SECRET // 2, -1):
                if text.endswith(secret[:length]):
                    return text[:-length]
        return text

    @staticmethod
    def _shortened(text: str, longest: int = _LONGEST_FIELD) -> str:
        lines = (_cut(line, _LONGEST_LINE) for line in text.split("\n"))
        return _cut("\n".join(lines), longest)


def _message(record: logging.LogRecord) -> str:
    """The message without its stack, which a job's process adds and which has its own field."""
    try:
        message = record.getMessage()
    except Exception:  # other people's arguments may not fit, and logging must never raise
        message = f"{_spelt(record.msg)} (with other arguments)"
    stack = record.exc_text
    return message.removesuffix(stack).rstrip("\n") if stack else message


def _spelt(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # other people's objects may raise anything
        return f"<{type(value).__name__}: {type(error).__name__}>"


def _spellings(secret: str) -> set[str]:
    """A secret as it is, and as it is written in a URL."""
    return {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}


def _pattern(secret: str) -> str:
    """A pattern for the secret, and for how JSON and `repr` escape it, nested up to three times.

    Each level doubles backslashes, and puts one before a quote.
    """
    return "".join(
        rf"\\{{{len(part)},{8 * len(part)}}}+"
        if part[0] == "\\"
        else rf"\\{{0,7}}+{part}"
        if part in "\"'"
        else re.escape(part)
        for part in re.findall(r"\\+|[\"']|[^\\\"']+", secret)
    )


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "..."


def _without_quotations(text: str, requests: tuple[bytes, ...]) -> str:
    """The text with three dots in the place of each quotation from the requests."""
    found = [_quotable(request) for request in requests]
    for short in sorted({each for quotable in found for each in quotable.short}, key=len)[::-1]:
        text = re.sub(re.escape(short), "...", text, flags=re.IGNORECASE)
    runs = [quotable.runs for quotable in found if quotable.runs]
    words = list(_WORD.finditer(_ESCAPE.sub("  ", text))) if runs else []
    spelt = [word[0].casefold() for word in words]
    kept, end = [], 0
    for first in range(len(words) - _RUN + 1):
        run = tuple(spelt[first : first + _RUN])
        if any(run in each for each in runs):
            begin = words[first].start()
            if begin > end or not end:
                kept += [text[end:begin], "..."]
            end = words[first + _RUN - 1].end()
    return "".join(kept) + text[end:]


@dataclass(frozen=True, slots=True)
class _Quotable:
    """The texts of one request, in a form to search for."""

    runs: frozenset[tuple[str, ...]]
    """All runs of `_RUN` words."""
    short: frozenset[str]
    """Texts with fewer words."""


@functools.lru_cache(maxsize=16)
def _quotable(request: bytes) -> _Quotable:
    runs: set[tuple[str, ...]] = set()
    short: set[str] = set()
    for text in _texts(_parsed(request)):
        for form in {text, json.dumps(text)[1:-1]}:
            words = _WORD.findall(_ESCAPE.sub("  ", form).casefold())
            runs.update(zip(*(words[start:] for start in range(_RUN)), strict=False))
            if len(words) < _RUN and len(form.strip()) >= _SHORTEST_SECRET:
                short.add(form.strip())
    return _Quotable(frozenset(runs), frozenset(short))


def _parsed(request: bytes) -> object:
    try:
        return json.loads(request)
    except (ValueError, RecursionError):
        return None


def _texts(request: object) -> Iterator[str]:
    """The texts in a request to an LLM or a TTS: instructions, messages, words to speak."""
    if not isinstance(request, dict):
        return
    for name in ("input", "instructions"):
        if isinstance(text := request.get(name), str):
            yield text
    for message in request.get("messages") or ():
        content = message.get("content") if isinstance(message, dict) else None
        parts = content if isinstance(content, list) else [content]
        for part in parts:
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, str):
                yield text
