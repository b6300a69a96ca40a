"""Calls that are measured: a caller who asks one thing after the other, and one who is silent."""

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.caller.caller import Caller
from agent.caller.conversation import greeting, take_turn
from workbench.bench.profile.counts import Counts, read_counts
from workbench.bench.profile.sampler import sampling
from workbench.bench.profile.stacks import Stack, read_stacks, with_seconds
from workbench.bench.profile.threads import Thread, read_threads, used_between
from workbench.local.calling.corpus import synthesised
from workbench.local.workers import Places, Worker

__all__ = ["Call", "Measured", "counted", "greeted", "measured"]

QUESTIONS = ("What is seven plus five?", "What is two plus two?", "What is four plus five?")
GREETED_SECONDS = 60.0
ANSWER_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Call:
    """A caller whom an agent has greeted, and the process in which that agent is."""

    caller: Caller
    pid: int


@dataclass(slots=True)
class Measured:
    """What calls used while they were measured."""

    calls: int
    seconds: float
    turns: int = 0
    threads: dict[int, Thread] = field(default_factory=dict)
    """Of all the processes that held them."""
    stacks: list[Stack] = field(default_factory=list)
    """With seconds of CPU; of one process."""

    def per_call(self, seconds: float) -> float:
        """Seconds of CPU in all as those of one call in a minute."""
        return seconds / self.calls / self.seconds * 60


@asynccontextmanager
async def greeted(
    places: Places, worker: Worker, name: str, count: int
) -> AsyncIterator[list[Call]]:
    """So many callers, each in a room of its own; they hang up when the context is left."""
    async with AsyncExitStack() as stack:
        rooms = [f"{name} {number}" for number in range(count)]
        yield list(await asyncio.gather(*(_greeted(stack, places, worker, room) for room in rooms)))


async def _greeted(stack: AsyncExitStack, places: Places, worker: Worker, room: str) -> Call:
    joining = Caller.join(places.access, room, f"caller of {room}", worker.agent_name)
    caller = await stack.enter_async_context(joining)
    await greeting(caller, timeout_seconds=GREETED_SECONDS)
    line = await worker.log_line('"call started"', f'"{room}"')
    return Call(caller, json.loads(line)["pid"])


async def _talk(call: Call, seconds: float) -> int:
    """Ask for this many seconds. The number of answers: a busy machine may miss one."""
    until, turns, questions = time.monotonic() + seconds, 0, itertools.cycle(QUESTIONS)
    while time.monotonic() < until:
        asked = synthesised(next(questions))
        turn = await take_turn(call.caller, asked, timeout_seconds=ANSWER_SECONDS)
        turns += bool(turn.reply)
    return turns


async def _hold(calls: list[Call], seconds: float, talks: bool) -> int:
    if talks:
        return sum(await asyncio.gather(*(_talk(each, seconds) for each in calls)))
    await asyncio.sleep(seconds)
    return 0


async def measured(
    calls: list[Call], seconds: float, *, talks: bool, stacks: Path | None = None
) -> Measured:
    """Hold the calls and watch their processes; the sampler watches one of them, too.

    Raises NoSamplerError.
    """
    pids = sorted({each.pid for each in calls})
    async with AsyncExitStack() as watching:
        if stacks:
            await watching.enter_async_context(sampling(calls[0].pid, stacks, seconds))
        before, began = {pid: read_threads(pid) for pid in pids}, time.monotonic()
        turns = await _hold(calls, seconds, talks)
        took = time.monotonic() - began
        after = {pid: read_threads(pid) for pid in pids}
    found = Measured(len(calls), took, turns)
    for pid in pids:
        found.threads |= used_between(before[pid], after[pid])
    if stacks:
        text = await asyncio.to_thread(stacks.read_text, "utf-8")
        found.stacks = with_seconds(read_stacks(text), found.threads)
    return found


async def counted(
    call: Call, folder: Path, seconds: float, *, talks: bool
) -> tuple[Counts, Counts]:
    """What the call's process had counted before and after so many seconds."""
    before = await _counts(folder, call.pid)
    await _hold([call], seconds, talks)
    return before, await _counts(folder, call.pid)


async def _counts(folder: Path, pid: int) -> Counts:
    """The first ones that are newer than now."""
    now = time.monotonic()
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(FileNotFoundError):
                if (found := read_counts(folder, pid)).at_seconds > now:
                    return found
            await asyncio.sleep(0.2)
