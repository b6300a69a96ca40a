"""Checks on paper: a table for people, at most 100 columns wide, and a document for programs."""

import json
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from agent.doctor.check import Check, State

WIDTH = 100
_MARK = {State.OK: "ok", State.WARNING: "WARNING", State.FAULT: "FAULT", State.SKIPPED: "skipped"}
_STATE, _NAME = 9, 21


def table(checks: Sequence[Check]) -> Iterator[str]:
    """The lines for a person: each check, and under what is wrong what it affects and the mend."""
    for check in checks:
        yield from _paragraph(f"{_MARK[check.state]:<{_STATE}}{check.name:<{_NAME}}", check.seen)
        if check.state in (State.WARNING, State.FAULT):
            yield from _paragraph(_label("affects"), check.affects)
        if check.mend:
            yield from _paragraph(_label("mend"), check.mend)
    yield ""
    yield _sum(checks)


def document(checks: Sequence[Check]) -> str:
    """The same as JSON: `ok`, and `checks` with name, state, affects, seen and mend."""
    rows = [
        {
            "name": check.name,
            "state": check.state,
            "affects": check.affects,
            "seen": check.seen,
            "mend": check.mend,
        }
        for check in checks
    ]
    is_ok = all(check.state is not State.FAULT for check in checks)
    return json.dumps({"ok": is_ok, "checks": rows}, indent=2)


def without(checks: Sequence[Check], clean: Callable[[str], str]) -> list[Check]:
    """The checks with `clean` applied to all that was seen: no secret may be among it."""
    return [
        Check(each.name, each.state, clean(each.seen), clean(each.mend) if each.mend else "")
        for each in checks
    ]


def _label(word: str) -> str:
    return f"{'':<{_STATE}}{word:>{_NAME - 2}}  "


def _paragraph(head: str, text: str) -> list[str]:
    line = "".join(char if char.isprintable() else " " for char in text)
    return textwrap.wrap(line, WIDTH, initial_indent=head, subsequent_indent=" " * len(head)) or [
        head.rstrip()
    ]


def _sum(checks: Sequence[Check]) -> str:
    count = Counter(check.state for check in checks)
    faults, warnings = count[State.FAULT], count[State.WARNING]
    if not faults and not warnings:
        return "Nothing is wrong."
    said = [_many(faults, "fault"), _many(warnings, "warning")]
    return f"{' and '.join(each for each in said if each)}. docs/troubleshooting.md explains each."


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}" if number else ""
