"""Log lines: JSON for machines, text for people. What callers say is left out unless wanted."""

import hashlib
import json
import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from agent.livekit_private import CONNECTING_LINE, HARMLESS_LINES, REGISTERED_LINE
from agent.personal_data import CARDS, Rules
from agent.redaction import PERSONAL, PLAIN_FIELDS, Redaction
from agent.repeated_lines import OnceInAWhile

# Characters that end a line, move a terminal's cursor, change the direction of writing, or have no
# encoding.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

# The lowest level of these loggers, except with the level debug. An error of LiveKit's native
# library is often just a caller who has left.
_RETICENT = {
    "aiohttp.access": logging.WARNING,  # a line of 500 bytes for each probe of the health page
    "asyncio": logging.WARNING,
    "av": logging.ERROR,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "livekit": logging.CRITICAL,
    "mcp": logging.WARNING,  # it tells the server's number for this session, which opens it
    "openai": logging.WARNING,
    "watchfiles": logging.WARNING,  # a line for each change, where the log itself may be a file
    "websockets": logging.WARNING,
}


GLANCE = "glance"
"""A field that stands for all others where people read, and is not there for machines."""


def configure(
    level: str,
    style: Literal["auto", "json", "text"],
    *,
    transcripts: bool = False,
    secrets: Iterable[str] = (),
    rules: Rules = CARDS,
    stream: TextIO | None = None,
) -> None:
    """Send all log lines of this process and its job processes to `stream`, by default stderr.

    No line holds one of the `secrets`. Uncaught exceptions become log lines as well.
    """
    stream = stream or sys.stderr
    text = style == "text" or (style == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.addFilter(OnceInAWhile(but=CONNECTING_LINE))
    handler.addFilter(Redaction(secrets, transcripts=transcripts, rules=rules))
    handler.addFilter(lambda record: not record.getMessage().startswith(HARMLESS_LINES))
    handler.addFilter(OneOutage())
    handler.setFormatter(TextLine(transcripts) if text else JsonLine(transcripts))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    _catch_all()
    logging.getLogger("asyncio").addFilter(_in_one_sentence)
    warnings.filterwarnings(
        "ignore", message="The HMAC key"
    )  # LiveKit's own `--dev` has a short one
    for name, least in _RETICENT.items():
        logging.getLogger(name).setLevel(root.level if level == "debug" else least)
    for name in ("livekit.agents", "livekit.plugins"):
        logging.getLogger(name).setLevel(root.level)


def guard(secrets: Iterable[str], *, transcripts: bool = False, rules: Rules = CARDS) -> None:
    """Keep secrets out of the log of a process that has its handlers already."""
    redaction = Redaction(secrets, transcripts=transcripts, rules=rules)
    for handler in logging.getLogger().handlers:
        handler.filters[:0] = [OnceInAWhile(), redaction]
    logging.getLogger("asyncio").addFilter(_in_one_sentence)
    _catch_all()


def _catch_all() -> None:
    """Log uncaught exceptions, which would otherwise be printed with everything in them."""
    logging.raiseExceptions = False  # or a line that cannot be written is printed unredacted

    def log_it(error: BaseException | None, message: str) -> None:
        if not isinstance(error, KeyboardInterrupt | SystemExit):
            logging.getLogger("agent").critical(message, exc_info=error)

    sys.excepthook = lambda _, error, __: log_it(error, "the program has a fault")
    threading.excepthook = lambda args: log_it(args.exc_value, "a thread has a fault")
    sys.unraisablehook = lambda args: log_it(args.exc_value, "an object has a fault")


def _in_one_sentence(record: logging.LogRecord) -> bool:
    """Shorten the error of a lost speech, which LiveKit leaves in a task that nobody awaits: its
    stack says nothing, and other lines say what was done about it."""
    error = record.exc_info[1] if record.exc_info else None
    is_apis = any(each.__name__ == "APIError" for each in type(error).__mro__)
    if is_apis and record.getMessage().startswith("Task exception was never retrieved"):
        record.msg, record.args, record.exc_info = "a speech was lost", (), None
        record.error = getattr(error, "message", type(error).__name__)
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def pseudonym(identity: str) -> str:
    """A participant in log lines: the first 12 digits of `printf %s IDENTITY | sha256sum`."""
    return hashlib.sha256(identity.encode(errors="replace")).hexdigest()[:12]


class OneOutage(logging.Filter):
    """Lets only the first failed attempt to reach LiveKit's server through, in each outage."""

    def __init__(self) -> None:
        super().__init__()
        self._is_told = False

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if message == REGISTERED_LINE:
            self._is_told = False
        if not message.startswith(CONNECTING_LINE):
            return True
        is_new, self._is_told = not self._is_told, True
        return is_new


class _Line(logging.Formatter):
    def __init__(self, transcripts: bool) -> None:
        super().__init__()
        self._transcripts = transcripts

    def fields(self, record: logging.LogRecord) -> Mapping[str, Any]:
        """The fields from `extra`; personal ones only with `transcripts`."""
        return {
            name: value
            for name, value in vars(record).items()
            if name not in PLAIN_FIELDS
            and name != GLANCE
            and not name.startswith("_")
            and (self._transcripts or not name.startswith(PERSONAL))
        }


class JsonLine(_Line):
    """One JSON object for each line: time, level, logger, message, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self.fields(record),
        }
        if record.exc_text:
            line["stack"] = record.exc_text
        return _visible(json.dumps(line, default=str, ensure_ascii=False))


class TextLine(_Line):
    """Time, level, message and fields for a person. A stack is indented below."""

    def format(self, record: logging.LogRecord) -> str:
        clock = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S.%f")[:-3]
        if shown := vars(record).get(GLANCE):
            return f"{clock} {record.levelname:<7} {_visible(shown)}"
        message = _visible(record.getMessage())
        fields = " ".join(
            f"{name}={json.dumps(value, default=str)}"
            for name, value in self.fields(record).items()
        )
        lines = (record.exc_text or "").split("\n")
        stack = "".join(f"\n    {_visible(line)}" for line in lines if line)
        return f"{clock} {record.levelname:<7} {message}  {fields}".rstrip() + stack


def _visible(text: str) -> str:
    """The text with each character of `_UNSEEN` as its JSON escape, so that JSON stays the same."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
