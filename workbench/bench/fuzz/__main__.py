"""`python -m workbench.bench.fuzz [STREAMS] [SEED]`: hostile messages for the speech module.

Real messages are cut, twisted, reordered, doubled and blown up: first for protocol and mapper
alone, then for whole streams, with closes, refusals, odd audio, updates and jumps of time. Last
come calls over a service that really hears, in which each word must be said once whatever breaks.
Whatever is wrong is printed with the seed that makes it again, and the exit code is 1.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable

from workbench.arguments import positive
from workbench.bench.figures import Figure, add_json_option, write
from workbench.bench.fuzz import mapper, stream, words


def fuzz(play: Callable[[int], int], count: int, seed: int) -> int:
    """Play this many seeds; gives the number of those that broke something."""
    started, steps, broken = time.monotonic(), 0, 0
    for number in range(seed, seed + count):
        try:
            steps += play(number)
        except Exception as error:  # whatever it is, it is the find
            print(f"{play.__module__} {number}: {type(error).__name__}: {error}", file=sys.stderr)
            broken += 1
    seconds = time.monotonic() - started
    name = play.__module__.rpartition(".")[2]
    print(f"{name}: {count} streams, {steps} steps in {seconds:.1f} s, {broken} broken")
    return broken


def main() -> int:
    """Parse, throw, print; 1 if anything broke."""
    parser = argparse.ArgumentParser(prog="python -m workbench.bench.fuzz", description=__doc__)
    parser.add_argument("streams", type=positive, nargs="?", default=20_000)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--quick", action="store_true", help="400 streams")
    add_json_option(parser)
    arguments = parser.parse_args()
    logging.getLogger("stt_assemblyai").addHandler(logging.NullHandler())  # no line for each drop
    logging.getLogger("stt_assemblyai").propagate = False
    streams = 400 if arguments.quick else arguments.streams
    broken = fuzz(mapper.play, streams, arguments.seed)
    broken += fuzz(stream.play, -(-streams // 4), arguments.seed)
    broken += fuzz(words.play, -(-streams // 40), arguments.seed)
    write(arguments.json, [Figure(name="hostile streams that broke it", unit="", ours=broken)])
    return broken > 0


if __name__ == "__main__":
    sys.exit(main())
