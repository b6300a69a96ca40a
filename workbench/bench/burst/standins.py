"""`python -m workbench.bench.burst.standins`: scripted providers, which cost next to nothing.

One line of JSON tells their addresses and keys; then they serve until their input ends.
"""

import asyncio
import contextlib
import os
import sys

from workbench.arguments import expect_none
from workbench.bench.burst.lines import LINES
from workbench.bench.latency.dialogue import say
from workbench.bench.latency.providers import Delays, Providers
from workbench.local.standins_process import in_this_process

NICE = -5
"""Real providers run elsewhere: these shall not wait for a core."""


async def serve() -> None:
    """Serve every session with the same lines."""
    with contextlib.suppress(PermissionError):
        os.nice(NICE)
    async with Providers([say(line).cue for line in LINES], Delays()) as providers:
        print(in_this_process(providers.stt, providers.llm).model_dump_json(), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    expect_none("workbench.bench.burst.standins", __doc__)
    sys.exit(asyncio.run(serve()))
