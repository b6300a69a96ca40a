"""`python -m workbench.bench.chaos.beside`: the same bursts and kills for us and a stock worker."""

import asyncio
import logging
import os
import signal
import sys
import tempfile
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

from agent.caller.caller import Caller
from workbench.arguments import expect_none
from workbench.bench.chaos.fleet import AGENT_NAME, Fleet, fleet
from workbench.local.running import PROJECT

PROGRAMS = {"ours": PROJECT / "agent.py", "stock": Path(__file__).with_name("stock.py")}
LISTEN_SECONDS = 30.0
BURSTS = (6, 12)
# Of ours; a stock worker takes calls by the load of the machine.
CAPACITY = 6
STALL_RESOLUTION_SECONDS = 0.05
SETTLE_SECONDS = 5.0


async def burst(made: Fleet, count: int) -> str:
    """Several callers at once: how many are greeted, are told to wait, or hear nothing."""
    async with (
        AsyncExitStack() as first_call
    ):  # a synthesiser is slow the first time it speaks a text
        caller = await _join(made, first_call, "the first call")
        await caller.hear_reply(after_seconds=0, timeout_seconds=LISTEN_SECONDS)
    await asyncio.sleep(SETTLE_SECONDS)
    async with AsyncExitStack() as stack:
        stalls: list[float] = []
        watching = asyncio.create_task(_watch_loop(stalls))
        stack.callback(watching.cancel)
        joining = [_join(made, stack, f"burst of {count}: {number}") for number in range(count)]
        callers = await asyncio.gather(*joining)
        waits = await asyncio.gather(*(_first_words(each) for each in callers))
        told = sum(each.was_told_to_wait and not each.agent_identity for each in callers)
        greeted = [
            wait for each, wait in zip(callers, waits, strict=True) if each.agent_identity and wait
        ]
        longest = f", the last after {max(greeted):.1f} s" if greeted else ""
        silent = sum(wait is None for wait in waits)
        return (
            f"{len(greeted)} greeted{longest}; {told} told to wait; {silent} heard nothing"
            f" (the callers' own longest stall: {max(stalls):.1f} s)"
        )


async def kill(made: Fleet, *, job_only: bool) -> str:
    """A call's process, or its worker with it, is killed: when the caller hears speech again."""
    async with AsyncExitStack() as stack:
        caller = await _join(made, stack, f"kill a {'job' if job_only else 'worker'}")
        await caller.hear_reply(after_seconds=0, timeout_seconds=LISTEN_SECONDS)
        (job,) = made.jobs()
        if job_only:
            os.kill(job, signal.SIGKILL)
        else:
            await made.add()
            made.workers.pop(0).process.signal_group(signal.SIGKILL)
        wait = await _first_words(caller, since_seconds=caller.now_seconds)
        return f"heard again after {wait:.1f} s" if wait else "silence"


async def _join(made: Fleet, stack: AsyncExitStack, room: str) -> Caller:
    joining = Caller.join(made.ground.access, room, "caller", AGENT_NAME)
    return await stack.enter_async_context(joining)


async def _first_words(caller: Caller, since_seconds: float = 0.0) -> float | None:
    """How long until somebody speaks to the caller; None if nobody does."""
    deadline = since_seconds + LISTEN_SECONDS
    while caller.now_seconds < deadline:
        for span in caller.heard_spans:
            if span.start_seconds >= since_seconds:
                return span.start_seconds - since_seconds
        await asyncio.sleep(0.1)
    return None


async def _watch_loop(stalls: list[float]) -> None:
    """Note how late this loop is: a caller who is not listening yet misses what is said."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + STALL_RESOLUTION_SECONDS
        await asyncio.sleep(STALL_RESOLUTION_SECONDS)
        stalls.append(loop.time() - due)


async def main() -> int:
    """Print a line for each."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    for name, program in PROGRAMS.items():
        for count in BURSTS:
            async with _alone(program) as made:
                print(f"{name}, {count} callers at once: {await burst(made, count)}", flush=True)
        async with _alone(program) as made:
            print(f"{name}, the call's process killed: {await kill(made, job_only=True)}")
        async with _alone(program) as made:
            print(f"{name}, the worker killed: {await kill(made, job_only=False)}", flush=True)
    return 0


def _alone(program: Path) -> AbstractAsyncContextManager[Fleet]:
    logs = Path(tempfile.mkdtemp(prefix="beside-"))
    return fleet(1, logs, {"AGENT_MAX_CALLS": str(CAPACITY)}, program)


if __name__ == "__main__":
    expect_none("workbench.bench.chaos.beside", __doc__)
    sys.exit(asyncio.run(main()))
