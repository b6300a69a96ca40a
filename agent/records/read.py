"""Reads records as calls. A record may be torn, older, or go on after the death of its agent.

A line that cannot be read is counted and skipped: what is left of a call is shown all the same.
"""

import contextlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from agent.records import schema
from agent.records.schema import LINE, AnyLine

SUFFIX = ".jsonl"
LATEST = 4e9
"""In unix seconds: the year 2096. A line of a later time is none."""
_INTERRUPTED = (b'"by": "', b'"by":"')
MOST = 10**12
"""No number of a record is larger or more negative: in milliseconds 31 years."""
_BEGINS = (schema.Call, schema.Said, schema.Turn)
_TURN = (b'{"kind": "turn"', b'{"kind":"turn"')
_SPOKEN = (b'{"kind": "said"', b'{"kind":"said"')
_WILD = re.compile(rb"(?<![\d.])\d{13}|\d[eE]\+?\d|NaN|Infinity")
"""What a number may look like that is too large, or none."""
_Kind = TypeVar("_Kind", bound=schema.Line)


@dataclass(frozen=True)
class RecordedCall:
    """One call, as its record tells it. Times in its lines count from `started_at`, also in those
    of a second agent that went on after the death of the first."""

    path: Path
    lines: tuple[AnyLine, ...]
    """In the order in which they were written. Turns are numbered from 1 through the whole call."""
    number: int = 1
    """The place of the call in its file, from 1: a room may be used again."""
    of: int = 1
    """How many calls the file holds."""
    unread: int = 0
    """Lines that could not be read."""

    def every(self, kind: type[_Kind]) -> list[_Kind]:
        """Its lines of one kind."""
        return [line for line in self.lines if isinstance(line, kind)]

    @cached_property
    def agents(self) -> list[schema.Call]:
        """The first lines of the agents that were in the call; none in an older record."""
        return self.every(schema.Call)

    @cached_property
    def first(self) -> schema.Call:
        """Which call it is; without names and settings in an older record."""
        return self.agents[0] if self.agents else schema.Call(at=self.lines[0].at)

    @cached_property
    def turns(self) -> list[schema.Turn]:
        """Its turns, in order."""
        return self.every(schema.Turn)

    @cached_property
    def end(self) -> schema.End | None:
        """Its end. None: the agent died, or the call goes on."""
        return next(iter(self.every(schema.End)), None)

    @property
    def started_at(self) -> float:
        """When it began, in unix seconds."""
        return self.first.at

    @property
    def seconds(self) -> float:
        """How long it lasted, or has lasted until its last line."""
        told = self.end.seconds if self.end else None
        return told if told is not None else max(self.lines[-1].at - self.started_at, 0.0)

    @property
    def name(self) -> str:
        """What `show` takes for it: the file's name, and the call's number if it has several."""
        return self.path.stem if self.of == 1 else f"{self.path.stem}#{self.number}"


def read_calls(path: Path, *, with_words: bool = True) -> list[RecordedCall]:
    """The calls of a file, oldest first. Raises OSError.

    Without `with_words`, which takes half the time, lines of what was said are left out, and so are
    the words of turns, but for calls with an interruption.
    """
    return calls_in(path.read_bytes(), path, with_words=with_words)


def calls_in(data: bytes, path: Path, *, with_words: bool = True) -> list[RecordedCall]:
    """The same for what a file holds."""
    if any(each in data for each in _INTERRUPTED):  # by which words decides what it was
        with_words = True
    calls: list[_Lines] = []
    is_over = True
    for text in data.splitlines():
        if not with_words and text.startswith(_SPOKEN):
            continue
        line = _line(text, with_words=with_words)
        if line is None:
            if calls:
                calls[-1].unread += bool(text.strip())
            continue
        if is_over and (not calls or isinstance(line, _BEGINS)):
            calls.append(_Lines())
            is_over = False
        calls[-1].add(line)
        is_over = is_over or isinstance(line, schema.End)
    if not with_words and any(each.agents > 1 for each in calls):
        # What was said numbers the turns of the second agent.
        return calls_in(data, path)
    return [
        RecordedCall(path, tuple(each.whole()), number, len(calls), each.unread)
        for number, each in enumerate(calls, 1)
    ]


class _Lines:
    """The lines of one call, while they are read."""

    def __init__(self) -> None:
        self.lines: list[AnyLine] = []
        self.agents = self.unread = self._shift_ms = 0

    def add(self, line: AnyLine) -> None:
        """The next line. Its times count from the last agent's beginning: now from the first's."""
        if isinstance(line, schema.Call):
            self.agents += 1
            self._shift_ms = round((line.at - self.lines[0].at) * 1000) if self.lines else 0
        self.lines.append(_shifted(line, self._shift_ms) if self._shift_ms else line)

    def whole(self) -> list[AnyLine]:
        """All of them, when the call has been read."""
        return _formatted(_numbered(self.lines))


def files_in(folder: Path, *, since: float = 0.0) -> list[Path]:
    """The records in a folder that were written to since then, in unix seconds; newest last."""
    found: list[tuple[float, Path]] = []
    for path in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError):  # a link to nothing, or somebody has just removed it
            found.append((path.stat().st_mtime, path))
    return [path for written_at, path in sorted(found) if written_at >= since]


def _line(text: bytes, *, with_words: bool) -> AnyLine | None:
    """What a line says; None if it says nothing that is known."""
    line: AnyLine | None
    try:
        if _WILD.search(text):
            line = _mended(text)
        elif not with_words and text.startswith(_TURN):
            line = _WORDLESS.validate_json(text, strict=True)
        else:
            line = LINE.validate_json(text, strict=True)
    except ValidationError:
        line = _mended(text)
    return line if line and 0 <= line.at <= LATEST else None


def _mended(text: bytes) -> AnyLine | None:
    """The same for a line of another version, or with numbers that cannot be: without the values
    that nobody knows here. In the oldest records what was said was of the kind `turn`."""
    try:
        raw = json.loads(text, parse_int=_small, parse_float=_small, parse_constant=_small)
        if raw.get("at", 0) is None:
            return None
        if raw["kind"] == "turn" and "role" in raw:
            return schema.Said.model_validate({**raw, "kind": "said"})
        try:
            return LINE.validate_python(raw, strict=True)
        except ValidationError as error:
            for each in error.errors():
                place = each["loc"]
                _drop(raw, place[1:] if place[:1] == (raw["kind"],) else place)
        return LINE.validate_python(raw, strict=True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _small(digits: str) -> int | float | None:
    """A number of JSON; None if no record can have it."""
    number = float(digits)
    if not abs(number) <= MOST:
        return None
    return int(digits) if digits.lstrip("-").isdecimal() else number


def _drop(value: dict[str, Any], place: Sequence[int | str]) -> None:
    """Take away what is at this place in a line; a part of a list with the whole list."""
    for key in map(str, place):
        if isinstance(value.get(key), dict):
            value = value[key]
        else:
            value.pop(key, None)
            return


def _shifted(line: AnyLine, by_ms: int) -> AnyLine:
    """A line with its times counted from a moment so much earlier."""
    return LINE.validate_python(_later(line.model_dump(), by_ms))


def _later(value: Any, by_ms: int) -> Any:
    if isinstance(value, dict):
        return {
            key: each + by_ms
            if isinstance(each, int) and key.endswith("_ms") and not key.endswith("_for_ms")
            else _later(each, by_ms)
            for key, each in value.items()
        }
    return [_later(each, by_ms) for each in value] if isinstance(value, list) else value


def _numbered(lines: list[AnyLine]) -> list[AnyLine]:
    """The lines with turns numbered through the whole call: a second agent may begin at 1 again."""
    last = offset = 0
    numbered: list[AnyLine] = []
    for line in lines:
        if isinstance(line, schema.Call):
            offset = last
        elif isinstance(line, schema.Said) and line.turn is not None:
            line = line.model_copy(update={"turn": line.turn + offset})
            last = max(last, line.turn or 0)
        elif isinstance(line, schema.Turn):
            line = line.model_copy(update={"index": line.index + offset}) if offset else line
            last = max(last, line.index)
        numbered.append(line)
    return numbered


def _formatted(lines: list[AnyLine]) -> list[AnyLine]:
    """The lines, with the time of a formatted text in its turn also where it came when the turn's
    line was written already: it belongs to the turn that had ended last."""
    ended = [
        (line.caller_part.decided_ms, at)
        for at, line in enumerate(lines)
        if isinstance(line, schema.Turn) and line.caller_part.decided_ms is not None
    ]
    for line in lines:
        if not isinstance(line, schema.Formatted):
            continue
        at_ms = round((line.at - lines[0].at) * 1000)
        _, at = max((each for each in ended if each[0] <= at_ms), default=(0, -1))
        turn = lines[at]
        if at >= 0 and isinstance(turn, schema.Turn) and turn.caller_part.formatted_ms is None:
            part = turn.caller_part.model_copy(update={"formatted_ms": at_ms})
            lines[at] = turn.model_copy(update={"caller_part": part})
    return lines


class _WordlessReply(schema.Reply):
    words: list[schema.Word] = Field(default_factory=list, validation_alias="\0")


class _WordlessPart(schema.CallersPart):
    words: list[schema.Word] = Field(default_factory=list, validation_alias="\0")


class _WordlessTurn(schema.Turn):
    caller_part: _WordlessPart = _WordlessPart()
    reply: _WordlessReply | None = None


_WORDLESS = TypeAdapter(_WordlessTurn)
