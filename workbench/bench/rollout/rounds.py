"""The rollout: a worker is started, and the one before it is told to stop, again and again."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from livekit import api

from agent.caller.waiting import WaitedTooLongError
from workbench.bench.capacity.load_program import CALLER, Callers, running
from workbench.bench.rollout.conversation import Call, read
from workbench.bench.rollout.judgement import Stop
from workbench.local.livekit_binary import run_to_end
from workbench.local.running import PROJECT
from workbench.local.standins_process import StandIns
from workbench.local.workers import Places, Worker, own_livekit

__all__ = ["NAME", "Rollout", "Version", "at_commit", "roll_out"]

NAME = "rollout"
_JOIN_EVERY_SECONDS = 0.7
_TALK_SECONDS = 12.0
_LAST_REPLY_SECONDS = 12.0
_SETTLE_SECONDS = (3.0, 9.0)
_BEYOND_SECONDS = 10.0
"""A worker that has not ended so long after the time to hand over keeps its calls."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of this project."""

    name: str
    program: Path


@dataclass(frozen=True, slots=True)
class Rollout:
    """How much of it, and between which versions."""

    versions: Sequence[Version]
    """The workers are started from these in turn."""
    calls: int = 8
    rounds: int = 4
    hand_over_seconds: float = 30.0
    seed: int = 0


@asynccontextmanager
async def at_commit(commit: str, folder: Path) -> AsyncIterator[Version]:
    """This project as it was at a commit, checked out below `folder` until the context is left.

    Raises NoLiveKitServerError with git's last words if there is no such commit.
    """
    place = folder / "from"
    git = ["git", "-C", str(PROJECT), "worktree"]
    await run_to_end("git worktree", [*git, "add", "--detach", place, commit], {}, folder)
    try:
        yield Version(commit[:12], place / "agent.py")
    finally:
        await run_to_end("git worktree", [*git, "remove", "--force", place], {}, folder)


async def roll_out(
    rollout: Rollout, program: Path, script: Path, logs: Path, say: Callable[[str], None]
) -> tuple[Mapping[str, Call], list[Stop]]:
    """Hold the calls through all rounds: what the callers told, and the workers that stopped.

    `program` and `script` are those of the callers and the stand-ins. Raises
    NoLiveKitServerError, ProcessDiedError with last words, WaitedTooLongError.
    """
    chance = random.Random(rollout.seed)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        http = await enter(aiohttp.ClientSession())
        server = await enter(own_livekit(logs))
        load = await enter(running(program, "both", script, logs / "load.log"))
        fleet = _Fleet(rollout, Places(server.access, _at(load.address), logs), stack)
        callers = Callers(load, server.access, http)
        worker = await fleet.next()
        for number in range(1, rollout.calls + 1):
            await callers.join(f"call-{number}", timed=False, asks_for=_asks(f"call-{number}"))
            await asyncio.sleep(_JOIN_EVERY_SECONDS)
        await asyncio.sleep(_TALK_SECONDS)
        stops: list[Stop] = []
        for number in range(1, rollout.rounds + 1):
            began_at = time.time()
            following = await fleet.next()
            await asyncio.sleep(chance.uniform(*_SETTLE_SECONDS))
            stops.append(await _stopped(worker, began_at, rollout))
            say(f"round {number}: {_how(stops[-1])}")
            if stops[-1].seconds is None:
                break
            worker = following
        await asyncio.sleep(_LAST_REPLY_SECONDS)
        await callers.leave()
        await asyncio.sleep(1)
        return read(load.events(), CALLER), stops


class _Fleet:
    """Starts one worker after the other, from the versions in turn."""

    def __init__(self, rollout: Rollout, places: Places, stack: AsyncExitStack) -> None:
        self._rollout = rollout
        self._places = places
        self._stack = stack
        self._started = 0

    async def next(self) -> Worker:
        """Returns once it takes calls."""
        versions = self._rollout.versions
        version = versions[self._started % len(versions)]
        self._started += 1
        settings = {
            "AGENT_NAME": NAME,
            "AGENT_MAX_CALLS": str(self._rollout.calls),
            "AGENT_RECORD_DIR": str(self._places.logs / "records"),
            "AGENT_HAND_OVER_SECONDS": f"{self._rollout.hand_over_seconds:g}",
        }
        name = f"worker-{self._started}-{version.name}"
        worker = Worker(self._places, name, settings, "start", program=version.program)
        return await self._stack.enter_async_context(worker.taking_calls())


async def _stopped(worker: Worker, began_at: float, rollout: Rollout) -> Stop:
    """Tell it to stop, and wait until it is gone."""
    told_at = time.time()
    worker.terminate()
    gone_at = None
    with contextlib.suppress(WaitedTooLongError):
        await worker.process.wait(timeout_seconds=rollout.hand_over_seconds + _BEYOND_SECONDS)
        gone_at = time.time()
    return Stop(worker.process.command.name, began_at, told_at, gone_at)


def _asks(room: str) -> api.RoomAgentDispatch:
    """The stand-in for AssemblyAI knows by the key term whose sound it hears."""
    metadata = json.dumps({"ASSEMBLYAI_KEYTERMS_PROMPT": [room]})
    return api.RoomAgentDispatch(agent_name=NAME, metadata=metadata)


def _at(address: str) -> StandIns:
    return StandIns(
        assemblyai_base_url=f"ws://{address}",
        openai_base_url=f"http://{address}/v1",
        control_url="",
        assemblyai_api_key="anything",
        openai_api_key="anything",
    )


def _how(stop: Stop) -> str:
    if stop.seconds is None:
        return f"{stop.worker} has not ended"
    return f"{stop.worker} was gone after {stop.seconds:.1f} s"
