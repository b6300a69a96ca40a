"""`make bench-latency`: how soon the caller hears an answer, ours and stock; docs/latency.md.

A whole run, of all parts, writes the page; a run of some parts only shows them.
"""

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import Mapping

from rich.console import Console

from workbench.arguments import command, one_of, positive
from workbench.bench import figures
from workbench.bench.latency.contestants import OURS, STOCK
from workbench.bench.latency.dialogue import DIALOGUE, say
from workbench.bench.latency.page import page, pictures, write
from workbench.bench.latency.parts import PARTS, SWEEP, TOTAL_SECONDS, Fault, Figures, bounded
from workbench.bench.latency.providers import Delays
from workbench.bench.latency.report import figures as found_figures
from workbench.bench.latency.report import rows, sweep_rows
from workbench.bench.pages import made_with, terminal_table
from workbench.local.livekit_binary import find_or_build
from workbench.local.running import CACHE, PROJECT

_DOCS = PROJECT / "docs"
_NAMES = (*(part.name for part in PARTS), SWEEP.name)
_SETTINGS = ("AGENT_", "ASSEMBLYAI_", "LIVEKIT_", "OPENAI_")
_SWEPT_LINES = 5
_QUICK_PARTS, _QUICK_TURNS = ("process", "room"), 4


def main() -> int:
    """The exit status: 1 where a part has no figures."""
    options = _options()
    if options.quick:
        options.parts, options.turns = list(_QUICK_PARTS), _QUICK_TURNS
    delays, lines = _delays(options), (DIALOGUE * options.rounds)[: options.turns]
    chosen = [part for part in PARTS if not options.parts or part.name in options.parts]
    is_swept = not options.parts or SWEEP.name in options.parts
    logging.basicConfig(level=logging.ERROR)
    for line in lines:
        say(line)
    if any("room" in part.name for part in chosen):
        asyncio.run(find_or_build(CACHE, print))
    _forget_settings()
    console, results, cases = Console(), dict[str, Figures | Fault](), None
    ends_at = time.monotonic() + TOTAL_SECONDS
    began = _machine()
    for part in chosen:
        limit_seconds = min(part.limit_seconds, ends_at - time.monotonic())
        found = asyncio.run(bounded(part.run(lines, delays), limit_seconds))
        results[part.name] = found
        _show(console, part.heading, found)
    if is_swept:
        limit_seconds = min(SWEEP.limit_seconds, ends_at - time.monotonic())
        cases = asyncio.run(bounded(SWEEP.run(DIALOGUE[:_SWEPT_LINES], delays), limit_seconds))
        _show_sweep(console, cases)
    figures.write(options.json, found_figures(results, OURS.name, STOCK.name))
    if not (options.parts or options.dry):
        made = f"{began} It was {_load()} when it ended."
        write(_DOCS, page(results, cases, DIALOGUE, delays, made), pictures(results))
    return int(any(isinstance(each, Fault) for each in (*results.values(), cases)))


def _show(console: Console, heading: str, found: Figures | Fault) -> None:
    if isinstance(found, Fault):
        console.print(f"{heading}: no figures: {found.text}", style="red")
    else:
        console.print(terminal_table(heading, ["", *found], rows(found, STOCK.name)))


def _show_sweep(console: Console, cases: Mapping[str, Figures] | Fault) -> None:
    if isinstance(cases, Fault):
        _show(console, SWEEP.heading, cases)
    else:
        heads = ["", *next(iter(cases.values()))]
        console.print(terminal_table(SWEEP.heading, heads, sweep_rows(cases, STOCK.name)))


def _forget_settings() -> None:
    """The defaults are measured, not this machine's settings."""
    for name in [name for name in os.environ if name.startswith(_SETTINGS)]:
        if name != "LIVEKIT_SERVER":  # where the server's program is
            del os.environ[name]


def _machine() -> str:
    return (
        f"{time.strftime('%Y-%m-%d', time.gmtime())}: {made_with()}."
        f" The load average was {_load()} when the run began."
    )


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


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
    parser = command("workbench.bench.latency", __doc__)
    usual = Delays()
    add = parser.add_argument
    parts = f"{', '.join(_NAMES)}; none: all, and the page"
    add("parts", nargs="*", type=one_of(_NAMES), metavar="PART", help=parts)
    add("--transcript-ms", type=int, default=usual.transcript_ms, help="a transcript's delay")
    add("--jitter-ms", type=int, default=usual.jitter_ms, help="and up to so much more")
    add("--twin-ms", type=int, default=usual.twin_ms, help="the formatted twin; -1: it never comes")
    add("--first-token-ms", type=int, default=usual.first_token_ms, help="the LLM's first token")
    add("--token-ms", type=int, default=usual.token_ms, help="each token after it")
    add("--first-sound-ms", type=int, default=usual.first_sound_ms, help="the first byte of speech")
    add("--rounds", type=positive, default=2, help="how often the dialogue is held")
    add("--turns", type=positive, help="stop after this many turns")
    add("--dry", action="store_true", help="write no page")
    add("--quick", action="store_true", help="four turns in a process and in a room, no page")
    figures.add_json_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
