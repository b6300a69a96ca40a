"""`make bench-latency`: how soon the caller hears an answer, ours and stock; docs/latency.md."""

import argparse
import asyncio
import logging
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from workbench.arguments import positive
from workbench.latency.contestants import CONTESTANTS, STOCK
from workbench.latency.dialogue import DIALOGUE, Line
from workbench.latency.measurement import Summary
from workbench.latency.process import measure_in_process
from workbench.latency.providers import Delays
from workbench.latency.report import introduction, rows, sweep_rows, table
from workbench.latency.room import measure_in_room
from workbench.latency.sweep import sweep
from workbench.latency.waterfall import captions, waterfall
from workbench.pages import markdown_table, write_section

_DOCS = Path(__file__).parents[2] / "docs"
_PARTS = ("process", "room", "late", "delays")
_NAMES = [contestant.name for contestant in CONTESTANTS]
_SETTINGS = ("AGENT_", "ASSEMBLYAI_", "LIVEKIT_", "OPENAI_")


def main() -> int:
    """The exit status."""
    options = _options()
    for name in [name for name in os.environ if name.startswith(_SETTINGS)]:
        del os.environ[name]  # the defaults are measured, not this machine's settings
    logging.basicConfig(level=logging.ERROR)
    delays, lines = _delays(options), (DIALOGUE * options.rounds)[: options.turns]
    console = Console()
    for part in options.parts or _PARTS:
        match part:
            case "process":
                found = asyncio.run(measure_in_process(CONTESTANTS, lines, delays, 1.6))
                heading, picture = "Inside one process", "latency.svg"
            case "room":
                found = asyncio.run(measure_in_room(CONTESTANTS, lines, delays, 1.6))
                heading, picture = "In a room, heard by a WebRTC caller", "latency-room.svg"
            case "late":
                late = replace(delays, tells_late=True)
                found = asyncio.run(measure_in_room(CONTESTANTS, lines, late, 1.6))
                heading, picture = "In a room, by a service that tells late", "latency-late.svg"
            case _:
                _show_sweep(console, delays, write=not options.dry)
                continue
        _show(console, heading, picture, found, lines, write=not options.dry)
    return 0


def _show(
    console: Console,
    heading: str,
    picture: str,
    found: Mapping[str, Summary],
    lines: Sequence[Line],
    *,
    write: bool,
) -> None:
    figures = rows(found, STOCK.name)
    console.print(table(f"{heading}: {_mix(lines)}", list(found), figures))
    if not write:
        return
    medians = {name: marks for name, each in found.items() if (marks := each.median_marks)}
    title = f"{heading}: where a median turn's time goes, from the end of speech"
    (_DOCS / picture).write_text(waterfall(title, medians), encoding="utf-8")
    text = [
        f"{_mix(lines)}. {_where()}",
        "",
        *markdown_table(["", *found], figures),
        "",
        f"![{title}]({picture})",
        "",
        "The median turns in figures, in milliseconds from the end of speech:",
        "",
        *captions(medians),
    ]
    _write(heading, text)


def _show_sweep(console: Console, delays: Delays, *, write: bool) -> None:
    heading = "How the advantage moves with the delays"
    found = asyncio.run(sweep(CONTESTANTS, DIALOGUE[:5], delays))
    figures = sweep_rows(found, STOCK.name)
    console.print(table(heading, _NAMES, figures))
    if write:
        said = (
            "Inside one process, the first five turns of the dialogue: the median, and its share of"
            " stock's."
        )
        _write(heading, [f"{said} {_where()}", "", *markdown_table(["", *_NAMES], figures)])


def _write(heading: str, text: Sequence[str]) -> None:
    page = _DOCS / "latency.md"
    write_section(page, heading, text, introduction=introduction(Delays(), DIALOGUE))


def _mix(lines: Sequence[Line]) -> str:
    paused = sum(line.pauses for line in lines)
    return f"{len(lines)} turns each, {paused} of them with a pause in mid-sentence"


def _where() -> str:
    agents, stock = version("livekit-agents"), version("livekit-plugins-assemblyai")
    return (
        f"livekit-agents {agents}, livekit-plugins-assemblyai {stock}, Python"
        f" {platform.python_version()}, {os.cpu_count()} cores."
    )


def _delays(options: argparse.Namespace) -> Delays:
    return Delays(
        transcript_ms=options.transcript_ms,
        jitter_ms=options.jitter_ms,
        twin_ms=None if options.twin_ms < 0 else options.twin_ms,
        first_token_ms=options.first_token_ms,
        token_ms=options.token_ms,
        first_sound_ms=options.first_sound_ms,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m workbench.latency",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    usual = Delays()
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"{', '.join(_PARTS)}; none: all of them")
    add("--transcript-ms", type=int, default=usual.transcript_ms, help="a transcript's delay")
    add("--jitter-ms", type=int, default=usual.jitter_ms, help="and up to so much more")
    add("--twin-ms", type=int, default=usual.twin_ms, help="the formatted twin; -1: it never comes")
    add("--first-token-ms", type=int, default=usual.first_token_ms, help="the LLM's first token")
    add("--token-ms", type=int, default=usual.token_ms, help="each token after it")
    add("--first-sound-ms", type=int, default=usual.first_sound_ms, help="the first byte of speech")
    add("--rounds", type=positive, default=2, help="how often the dialogue is held")
    add("--turns", type=positive, help="stop after so many turns")
    add("--dry", action="store_true", help="write no page")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(_PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(_PARTS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
