"""Ours and stock side by side: one LiveKit server, and for each a worker and stand-ins."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from workbench.bench.programs import PROGRAMS
from workbench.bench.talk.replies import INSTRUCTIONS, scripted
from workbench.local.livekit_server import Access
from workbench.local.providers import Plan, PlanError, engines_missing, plan, settings_in_force
from workbench.local.running import PROJECT
from workbench.local.standins_process import StandIns, stand_ins
from workbench.local.workers import GREETING, Places, Worker, own_livekit

__all__ = ["Arena", "arena", "chosen_providers", "real_settings"]

LONGEST_PAUSE_MS = 120
"""Of the stand-in's voice: a longer gap is a stop of the agent."""
_STAND_INS_OPTIONS = (
    *("--longest-pause-ms", str(LONGEST_PAUSE_MS)),
    *("--first-token-ms", "300", "--first-sound-ms", "150"),
)
_ANSWERS = 3000
_REAL_ADDRESSES = {
    "ASSEMBLYAI_BASE_URL": "wss://streaming.assemblyai.com",
    "OPENAI_BASE_URL": "https://api.openai.com/v1",
}
_NO_STAND_INS = StandIns(
    assemblyai_base_url="",
    openai_base_url="",
    control_url="",
    assemblyai_api_key="",
    openai_api_key="",
)


@dataclass(frozen=True, slots=True)
class Arena:
    """Where the contestants' workers take calls, each under its own name."""

    access: Access
    workers: Mapping[str, Worker]


def chosen_providers() -> Plan:
    """What is real and what is a stand-in, by the environment and `.env`. Raises PlanError."""
    chosen = plan(settings_in_force(os.environ, PROJECT / ".env"))
    has_all = chosen.has_assemblyai_key and chosen.has_openai_key
    if not has_all and (missing := engines_missing()):
        raise PlanError(f"The stand-ins need speech engines: {', '.join(missing)} not found.")
    return chosen


@asynccontextmanager
async def arena(names: list[str], chosen: Plan, logs: Path) -> AsyncIterator[Arena]:
    """Start everything; it has ended when the context is left."""
    async with AsyncExitStack() as stack:
        access = chosen.livekit
        if access is None:
            access = (await stack.enter_async_context(own_livekit(logs))).access
        workers = {}
        for name in names:
            stood_in = _NO_STAND_INS
            if not (chosen.has_assemblyai_key and chosen.has_openai_key):
                running = stand_ins(logs / f"stand-ins of {name}.log", options=_STAND_INS_OPTIONS)
                stood_in, _ = await stack.enter_async_context(running)
                await _give_answers(stood_in)
            places = Places(access, stood_in, logs)
            worker = Worker(places, name, _settings(name, chosen, logs), program=PROGRAMS[name])
            workers[name] = await stack.enter_async_context(worker.taking_calls())
        yield Arena(access, workers)


def _settings(name: str, chosen: Plan, logs: Path) -> dict[str, str]:
    """What a worker is told beyond addresses and keys of stand-ins; what is real comes first."""
    instructions = logs / "instructions.md"
    instructions.write_text(INSTRUCTIONS + "\n", encoding="utf-8")
    return {
        **real_settings(settings_in_force(os.environ, PROJECT / ".env"), chosen),
        "AGENT_NAME": name,
        "AGENT_GREETING": GREETING,
        "AGENT_INSTRUCTIONS_FILE": str(instructions),
        "INSTRUCTIONS": INSTRUCTIONS,  # stock's
        "LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE": "0",
    }


def real_settings(values: Mapping[str, str], chosen: Plan) -> dict[str, str]:
    """Of the operator's settings those of the real providers; the agent's too where all are real.

    A worker that is told nothing of a provider is told of its stand-in.
    """
    prefixes = [
        prefix
        for prefix, is_real in (
            ("ASSEMBLYAI_", chosen.has_assemblyai_key),
            ("OPENAI_", chosen.has_openai_key),
            ("AGENT_", chosen.has_assemblyai_key and chosen.has_openai_key),
        )
        if is_real
    ]
    known = {**_REAL_ADDRESSES, **values}
    return {name: value for name, value in known.items() if name.startswith(tuple(prefixes))}


async def _give_answers(stood_in: StandIns) -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{stood_in.control_url}/openai/faults", json=scripted(_ANSWERS)) as answer,
    ):
        answer.raise_for_status()
