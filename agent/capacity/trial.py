"""The calibration: more and more calls, until they are too many for this machine."""

import asyncio
import logging
import math
import multiprocessing
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import psutil

from agent.capacity.judgement import Advice, Limits, Step, advise, next_level
from agent.capacity.load import Load
from agent.capacity.one_turn import served
from agent.worker.load_shedding import cores
from agent.worker.server import calls_at_once, calls_each
from config.load import load_settings
from config.settings import Settings
from config.sources import DOTENV

LONGEST_SECONDS = 65.0
"""No step begins later."""
MEMORY_SHARE = 0.8
"""Of the memory that is free, calls may take this much."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was measured, and what follows from it."""

    steps: tuple[Step, ...]
    limits: Limits
    call_mb: float
    """Memory of one call; NaN if unknown."""
    advice: Advice


async def calibrate(tell: Callable[[Step], None]) -> Trial:
    """Measure this machine in about a minute; `tell` gets each step.

    Raises SettingsError, and RuntimeError if the calls do not go on.
    """
    began = time.monotonic()
    async with _providers() as port:
        settings = settings_for(port)
        agent = settings.agent
        limits = Limits(cores(), agent.max_loop_lag_ms / 1000, agent.max_cpu_percent / 100)
        most = calls_at_once(agent.max_calls, limits.cores)
        load = Load(settings, calls_each(agent.calls_per_process, most, limits.cores))
        steps: list[Step] = []
        level: int | None = max(2, math.ceil(limits.cores))
        try:
            while level and not (steps and time.monotonic() - began > LONGEST_SECONDS):
                await load.change_to(level)
                steps.append(await load.measure())
                tell(steps[-1])
                level = next_level(steps, limits)
            call_bytes = load.memory_bytes()
        finally:
            await load.stop()
    free = psutil.virtual_memory().available * MEMORY_SHARE
    fit = math.floor(free / call_bytes) if call_bytes > 0 else 10**6
    advice = advise(steps, limits, memory_calls=fit)
    return Trial(tuple(steps), limits, call_bytes / 1e6, advice)


def settings_for(port: int) -> Settings:
    """What the operator has set, but for the providers, which listen on this port of loopback."""
    key = {"api_key": "none"}
    url = f"http://127.0.0.1:{port}/v1"
    own = {"base_url": url, "llm_base_url": url, "tts_base_url": url}
    return load_settings(
        DOTENV,
        given={
            "livekit": {"url": "ws://127.0.0.1", "api_secret": "none", **key},
            "assemblyai": {
                "base_url": f"ws://127.0.0.1:{port}",
                "fallback_base_url": None,
                "new_sessions_per_minute": None,
                **key,
            },
            "openai": {**own, "llm_api_key": "none", "tts_api_key": "none", **key},
            "agent": {"mcp_url": None},
        },
    )


@asynccontextmanager
async def _providers() -> AsyncIterator[int]:
    """The providers in a process of their own: their time is not that of the calls."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield await asyncio.to_thread(ours.recv)
    finally:
        ours.close()
        await asyncio.to_thread(process.join, 5)
        process.kill()


def _serve(pipe: Connection) -> None:
    logging.disable(logging.CRITICAL)  # a call that ends breaks off what it was being told

    async def serve() -> None:
        async with served() as port:
            pipe.send(port)
            over = asyncio.Event()
            asyncio.get_running_loop().add_reader(pipe.fileno(), over.set)
            await over.wait()

    asyncio.run(serve())
