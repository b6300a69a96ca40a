"""`calls`: the calls that were recorded, with what was odd in each."""

import json as jsons
import re
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agent.cli.faults import USAGE, give_up

if TYPE_CHECKING:
    from agent.records.listing import Summary

Folder = Annotated[
    Path | None, typer.Option(help="Folder of the records; none: AGENT_RECORD_DIR, or calls.")
]
Room = Annotated[str, typer.Option(help="A room's name or SID; * stands for anything.")]
Caller = Annotated[str, typer.Option(help="The caller's identity; * stands for anything.")]
Since = Annotated[str, typer.Option(help="2026-11-28, 2026-11-28T14:05, or 30m, 6h, 7d ago.")]
Until = Annotated[str, typer.Option(help="The same, for the latest beginning of a call.")]
Ending = Annotated[str, typer.Option(help="An ending's code, such as cannot_hear; none: no end.")]
Slower = Annotated[float, typer.Option(min=0, help="Seconds that the slowest reply took at least.")]
Odd = Annotated[bool, typer.Option("--odd", help="Only calls in which something was odd.")]
Sort = Annotated[Literal["newest", "slowest"], typer.Option(help="Which come first.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
AGO = {"m": 60, "h": 3600, "d": 86_400}


def calls(  # noqa: PLR0913  each option of the command
    *,
    room: Room = "*",
    caller: Caller = "*",
    since: Since = "",
    until: Until = "",
    ending: Ending = "*",
    slower: Slower = 0.0,
    odd: Odd = False,
    sort: Sort = "newest",
    json: Json = False,
    folder: Folder = None,
) -> None:
    """List the recorded calls, newest first, with what was odd in each.

    `python agent.py show NAME` makes a page of one.
    """
    from agent.records.find import calls_of
    from agent.records.listing import Wanted, listed

    _check_ending(ending)
    earliest = _moment(since, "--since") if since else 0.0
    latest = _moment(until, "--until") if until else float("inf")
    where = folder or records_folder()
    if not where.is_dir():
        give_up(
            f"There is no folder {where}: nothing was recorded there. AGENT_RECORD_DIR names it.",
            code=USAGE,
        )
    wanted = Wanted(room, caller, ending, earliest, latest, slower, odd)
    found = listed(
        calls_of(where, since=earliest, with_words=False), wanted, by_slowest=sort == "slowest"
    )
    lines = [jsons.dumps(each.as_json()) for each in found] if json else _table(found)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text stream
    print(*lines, sep="\n", flush=True)


def records_folder() -> Path:
    """Where records are: in AGENT_RECORD_DIR, or where `dev` and `make run` put them."""
    from agent.records.folder import DEVELOPERS
    from config.load import texts
    from config.values import ROOT

    return ROOT / (texts().get("AGENT_RECORD_DIR") or DEVELOPERS)


def _check_ending(ending: str) -> None:
    """End the program if there is no such ending."""
    from agent.records.words import ENDINGS

    if "*" not in ending and ending not in (*ENDINGS, "none"):
        give_up(f"--ending is one of none, {', '.join(ENDINGS)}.", code=USAGE)


def _moment(text: str, option: str) -> float:
    """A time as unix seconds. Ends the program if it is none."""
    if ago := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return time.time() - int(ago[1]) * AGO[ago[2]]
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError):
        give_up(f"{option} is a time such as 2026-11-28T14:05, or 30m, 6h, 7d ago.", code=USAGE)


def _table(found: Sequence["Summary"]) -> list[str]:
    """A line for each call, and one for each thing that was odd in it."""
    if not found:
        return ["No call fits."]
    lines: list[str] = []
    for each in found:
        first = each.first
        at = datetime.fromtimestamp(first.at).astimezone()
        slowest = "" if each.slowest_ms is None else f"{each.slowest_ms / 1000:.1f} s"
        lines.append(
            f"{at:%Y-%m-%d %H:%M:%S}  {_plain(each.name):<18} {_plain(first.room):<20} "
            f"{_plain(first.caller or ''):<16} {round(each.seconds):>5} s  slowest {slowest:>6}  "
            f"{_plain(each.end.ending) if each.end else 'no end'}"
        )
        lines += [f"    {_plain(odd.sentence)}" for odd in each.oddities]
    return lines


def _plain(text: str) -> str:
    """A text without anything that moves the cursor."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
