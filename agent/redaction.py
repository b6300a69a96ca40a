"""What no log line may hold, wherever it stands: secrets, and what was sent to a model.

A provider's error may repeat the key or the request, and with it the instructions and the caller's
words; LiveKit logs such errors with their stacks. So every record is rewritten before a handler
sees it, in each process, by the secrets in force, by what secrets look like, and by the requests
that were sent last.
"""

import functools
import json
import logging
import re
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from config.secrets import MASKED

PERSONAL = "lk.pii."
"""LiveKit marks fields that hold what people said with this prefix, and so do we."""

PLAIN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_SHORTEST_SECRET = 8  # characters; a shorter one may be a word
_LONGEST_LINE, _LONGEST_FIELD, _LONGEST_STACK = 500, 2000, 16_000
_RUN = 4  # so many words on end, both in a text and in a request, are a quotation

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

# LiveKit's error holds the words for which a voice gave no sound.
_UNSPOKEN = re.compile(r"(no audio frames were pushed for text: ).*", re.DOTALL)

# A process holds one call, and logging has no place of its own for what belongs to it.
_sent: deque[bytes] = deque(maxlen=8)


def remember_sent(body: bytes) -> None:
    """Let no log line of this process repeat what this request (JSON) says."""
    _sent.append(body)


class Redaction(logging.Filter):
    """Rewrites each record: message, stack and fields hold no secret, and nothing overlong.

    With `transcripts`, what was said may stay.
    """

    def __init__(self, secrets: Iterable[str] = (), *, transcripts: bool = False) -> None:
        super().__init__()
        long = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
        forms = {form for secret in long for form in _spellings(secret)}
        pattern = "|".join(map(_pattern, sorted(forms, key=len, reverse=True)))
        self._secrets = re.compile(pattern) if pattern else None
        self._transcripts = transcripts

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.text(_message(record), _LONGEST_STACK), None
        if record.exc_info:
            stack = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            record.exc_info, record.exc_text = None, stack
        if record.exc_text:
            record.exc_text = self.text(record.exc_text, _LONGEST_STACK)
        if record.stack_info:
            record.stack_info = self.text(record.stack_info, _LONGEST_STACK)
        record.name = self.text(record.name)
        for name in vars(record).keys() - PLAIN_FIELDS:
            value = vars(record).pop(name)
            if name.startswith(PERSONAL):
                setattr(record, name, self._shortened(self._without_secrets(str(value))))
            else:
                setattr(record, self.text(name), self.value(value))
        return True

    def text(self, text: str, longest: int = _LONGEST_FIELD) -> str:
        """A text without secrets, quotations and overlong lines."""
        text = self._without_secrets(text)
        if not self._transcripts:
            text = _without_quotations(_UNSPOKEN.sub(r"\1...", text), tuple(_sent))
        return self._shortened(text, longest)

    def value(self, value: object) -> Any:
        """Any value, as JSON has it and as `text` has texts."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(part) for name, part in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(part) for part in value]
        spelt = _spelt(value)
        shown = self.text(spelt)
        return value if isinstance(value, int | float) and shown == spelt else shown

    def _without_secrets(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.sub(MASKED, text)
        return _SHAPES.sub(lambda found: (found["before"] or "") + MASKED, text)

    @staticmethod
    def _shortened(text: str, longest: int = _LONGEST_FIELD) -> str:
        lines = (_cut(line, _LONGEST_LINE) for line in text.split("\n"))
        return _cut("\n".join(lines), longest)


def _message(record: logging.LogRecord) -> str:
    """The message; that of a job's process ends in its stack, which is a field of its own."""
    try:
        message = record.getMessage()
    except Exception:  # a stranger's arguments do not fit: logging must not raise in its caller
        message = f"{_spelt(record.msg)} (with other arguments)"
    stack = record.exc_text
    return message.removesuffix(stack).rstrip("\n") if stack else message


def _spelt(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # a stranger's object
        return f"<{type(value).__name__}: {type(error).__name__}>"


def _spellings(secret: str) -> set[str]:
    """A secret as it is, and as it stands in an address."""
    return {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}


def _pattern(secret: str) -> str:
    """The secret, and how JSON and representations spell it, within one another if need be."""
    return "".join(
        r"\\+" if char == "\\" else rf"\\*{char}" if char in "\"'" else re.escape(char)
        for char in secret
    )


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "..."


def _without_quotations(text: str, requests: tuple[bytes, ...]) -> str:
    """A text in which whatever it quotes of the requests is three dots."""
    runs, short = _quotable(requests)
    for quotation in short:
        text = re.sub(re.escape(quotation), "...", text, flags=re.IGNORECASE)
    if not runs:
        return text
    words = list(_WORD.finditer(_ESCAPE.sub("  ", text)))
    spelt = [word[0].casefold() for word in words]
    kept, end = [], 0
    for first in range(len(words) - _RUN + 1):
        if tuple(spelt[first : first + _RUN]) in runs:
            begin = words[first].start()
            if begin > end or not end:
                kept += [text[end:begin], "..."]
            end = words[first + _RUN - 1].end()
    return "".join(kept) + text[end:]


@functools.lru_cache(maxsize=1)
def _quotable(requests: tuple[bytes, ...]) -> tuple[frozenset[tuple[str, ...]], tuple[str, ...]]:
    """The runs of words of what was sent, and texts that are too short for one."""
    runs: set[tuple[str, ...]] = set()
    short: set[str] = set()
    for request in requests:
        for text in _texts(_parsed(request)):
            for form in {text, json.dumps(text)[1:-1]}:
                words = _WORD.findall(_ESCAPE.sub("  ", form).casefold())
                runs.update(zip(*(words[start:] for start in range(_RUN)), strict=False))
                if len(words) < _RUN and len(form.strip()) >= _SHORTEST_SECRET:
                    short.add(form.strip())
    return frozenset(runs), tuple(sorted(short, key=len, reverse=True))


def _parsed(request: bytes) -> object:
    try:
        return json.loads(request)
    except (ValueError, RecursionError):
        return None


def _texts(request: object) -> Iterator[str]:
    """What a request to a model that thinks, or speaks, has been told to say or to think about."""
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
