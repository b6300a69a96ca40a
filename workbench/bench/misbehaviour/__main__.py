"""`python -m workbench.bench.misbehaviour`: providers that misbehave, on a virtual clock."""

import asyncio
import logging
import os
import sys
import time
from collections import Counter

import looptime

from agent.call.output.canned_prompts import CannedPrompt
from workbench.arguments import command
from workbench.bench.misbehaviour.calls import Story, call


async def decode() -> None:
    """A thread decodes the canned prompts, and no virtual clock waits for it."""
    for prompt in (CannedPrompt.APOLOGY, CannedPrompt.CUT_OFF):
        async for _ in prompt.recorded().frames():
            pass


def hold(seed: int) -> Story:
    """One call on a clock of its own."""
    asyncio.run(decode())
    loop = looptime.new_event_loop()
    try:
        return loop.run_until_complete(call(seed))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def main() -> int:
    """1 if something was not as it must be, with the seeds that show it."""
    parser = command("workbench.bench.misbehaviour", __doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first call")
    parser.add_argument("--cases", type=int, default=200, help="how many calls")
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began, ways, failed = time.monotonic(), Counter[str](), 0
    for seed in range(chosen.seed, chosen.seed + chosen.cases):
        story = hold(seed)
        ways[story.ended_by.partition(":")[0] or "went on"] += 1
        for fault in story.faults:
            failed += 1
            print(f"seed {seed}: {fault}", flush=True)
    seconds = time.monotonic() - began
    print(f"{chosen.cases} calls in {seconds:.0f} s, {failed} faults; {dict(ways)}")
    return 1 if failed else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # LiveKit's native library keeps the interpreter from ending by itself
