"""`make bench-latency`: how soon the caller hears an answer, ours and stock, in one run."""

import argparse
import asyncio
import logging
import os
import sys

from rich.console import Console

from workbench.latency.contestants import CONTESTANTS, STOCK
from workbench.latency.dialogue import DIALOGUE
from workbench.latency.process import measure_in_process
from workbench.latency.providers import Delays
from workbench.latency.report import rows, table

_OURS = ("AGENT_", "ASSEMBLYAI_", "LIVEKIT_", "OPENAI_")


def main() -> int:
    """The exit status."""
    options = _options()
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        del os.environ[name]  # the defaults are measured, not this machine's settings
    logging.basicConfig(level=logging.ERROR)
    delays = Delays(
        transcript_ms=options.transcript_ms,
        jitter_ms=options.jitter_ms,
        twin_ms=None if options.twin_ms < 0 else options.twin_ms,
        first_token_ms=options.first_token_ms,
        token_ms=options.token_ms,
        first_sound_ms=options.first_sound_ms,
    )
    lines = (DIALOGUE * options.rounds)[: options.turns]
    summaries = asyncio.run(measure_in_process(CONTESTANTS, lines, delays, options.slot_seconds))
    title = f"In one process: end of speech to first sound of the reply, {len(lines)} turns each"
    console = Console()
    console.print(table(title, list(summaries), rows(summaries, STOCK.name)))
    console.print(f"Sum of the parts: {delays.sum_of_parts_ms} ms", highlight=False)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m workbench.latency",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    usual = Delays()
    add = parser.add_argument
    add("--transcript-ms", type=int, default=usual.transcript_ms, help="a transcript's delay")
    add("--jitter-ms", type=int, default=usual.jitter_ms, help="and up to so much more")
    add("--twin-ms", type=int, default=usual.twin_ms, help="the formatted twin; -1: it never comes")
    add("--first-token-ms", type=int, default=usual.first_token_ms, help="the LLM's first token")
    add("--token-ms", type=int, default=usual.token_ms, help="each token after it")
    add("--first-sound-ms", type=int, default=usual.first_sound_ms, help="the first byte of speech")
    add("--rounds", type=int, default=2, help="how often the dialogue is held")
    add("--turns", type=int, help="stop after so many turns")
    add("--slot-seconds", type=float, default=1.6, help="from one contestant's turn to the next's")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
