"""The local stand-ins for AssemblyAI and OpenAI, usually as a process of their own."""

import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import aiohttp
from pydantic import BaseModel, ConfigDict, Field

from workbench.local.livekit_server import free_port
from workbench.local.processes import Command, Process
from workbench.local.running import PROJECT
from workbench.standins.assemblyai_v3.server import LOCAL_KEY as ASSEMBLYAI_KEY
from workbench.standins.assemblyai_v3.server import AssemblyAIStandIn
from workbench.standins.openai_v1.server import LOCAL_KEY as OPENAI_KEY
from workbench.standins.openai_v1.server import OpenAIStandIn

# The first time, the recogniser's weights are converted: 20 s alone on 2 cores.
_READY_SECONDS = 120.0


class StandIns(BaseModel):
    """Where the stand-ins listen and which keys they take, as they print it when they are ready."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    assemblyai_base_url: str
    openai_base_url: str
    control_url: str
    assemblyai_api_key: Annotated[str, Field(repr=False)]
    openai_api_key: Annotated[str, Field(repr=False)]

    async def received(self, what: str) -> list[dict[str, Any]]:
        """What they were sent so far: `openai/requests` or `assemblyai/sessions`."""
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"{self.control_url}/{what}") as response,
        ):
            found: list[dict[str, Any]] = await response.json()
            return found


def at_free_ports() -> tuple[StandIns, list[str]]:
    """Where stand-ins will be that are started with these options: a worker may start meanwhile."""
    ports = [free_port() for _ in range(3)]
    names = ("--port", "--openai-port", "--control-port")
    planned = StandIns(
        assemblyai_base_url=f"ws://127.0.0.1:{ports[0]}",
        openai_base_url=f"http://127.0.0.1:{ports[1]}/v1",
        control_url=f"http://127.0.0.1:{ports[2]}",
        assemblyai_api_key=ASSEMBLYAI_KEY,
        openai_api_key=OPENAI_KEY,
    )
    return planned, [str(each) for pair in zip(names, ports, strict=True) for each in pair]


def in_this_process(assemblyai: AssemblyAIStandIn, openai: OpenAIStandIn) -> StandIns:
    """Two that serve already, with their usual keys, as a worker is told of them."""
    return StandIns(
        assemblyai_base_url=assemblyai.url,
        openai_base_url=openai.url,
        control_url="",
        assemblyai_api_key=ASSEMBLYAI_KEY,
        openai_api_key=OPENAI_KEY,
    )


@asynccontextmanager
async def stand_ins(
    log: Path, environment: Mapping[str, str] | None = None, options: Sequence[str] = ()
) -> AsyncIterator[tuple[StandIns, Process]]:
    """Run the stand-ins until the context is left; they answer when it is entered.

    `options` are those of `python -m workbench.standins`.

    Raises ProcessDiedError with their last words, or WaitedTooLongError.
    """
    command = Command(
        "stand-ins",
        [sys.executable, "-m", "workbench.standins", *options],
        log,
        dict(os.environ) if environment is None else environment,
        cwd=PROJECT,
        grace_seconds=2.0,
    )
    async with Process(command) as process:
        line = await process.wait_for_line(
            lambda line: line.startswith("{") and "assemblyai_base_url" in line,
            timeout_seconds=_READY_SECONDS,
        )
        yield StandIns.model_validate_json(line), process
