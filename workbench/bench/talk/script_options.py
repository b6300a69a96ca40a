"""The options of every command that plays the benchmark's scripts."""

import argparse

from workbench.arguments import command, positive
from workbench.bench.talk.stimuli import SEEDS, most_overlaps

__all__ = ["parse", "script_parser"]


def script_parser(
    name: str, description: str | None, *, turns: int, overlaps: int, seed: str
) -> argparse.ArgumentParser:
    """A parser for `python -m NAME` with these defaults."""
    parser = command(name, description)
    add = parser.add_argument
    add("--turns", type=positive, default=turns, help="said into the agent's silence")
    add("--overlaps", type=positive, default=overlaps, help="heard over its replies")
    add("--seed", choices=list(SEEDS), default=seed, help="what is heard when")
    return parser


def parse(
    parser: argparse.ArgumentParser, arguments: list[str] | None = None
) -> argparse.Namespace:
    """The options. More overlaps than fit end the program with a sentence."""
    options = parser.parse_args(arguments)
    most = most_overlaps(options.turns)
    if options.overlaps > most:
        parser.error(
            f"--overlaps {options.overlaps}: over the replies to {options.turns} turns there is"
            f" room for {most}; give more --turns or fewer --overlaps"
        )
    return options
