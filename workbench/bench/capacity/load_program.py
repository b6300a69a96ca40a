"""The program of `load/`: how it is built, started, and told whom to call."""

import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from livekit import api

from workbench.local.livekit_binary import run_to_end, usable_go
from workbench.local.livekit_server import Access
from workbench.local.processes import Command, Process

__all__ = ["CALLER", "Callers", "Load", "build", "running"]

CALLER = "caller"
"""The identity of each caller in its room."""
_SOURCES = Path(__file__).parent / "load"
_READY_SECONDS = 20.0


async def build(cache: Path, say: Callable[[str], None]) -> Path:
    """The program, built first if its sources have changed (about a minute and a half).

    Raises NoLiveKitServerError with what went wrong.
    """
    sources = sorted(each for each in _SOURCES.iterdir() if each.suffix in (".go", ".mod", ".sum"))
    digest = hashlib.sha256(b"".join(each.read_bytes() for each in sources)).hexdigest()[:16]
    folder = cache / "capacity-load" / digest
    program = folder / "load"
    if program.exists():
        return program
    say("Building the callers and the stand-ins: a minute and a half on 2 cores, this once.")
    folder.mkdir(parents=True, exist_ok=True)
    go, environment = await usable_go(folder / "scratch", say)
    environment |= {"GOTOOLCHAIN": "local"}
    fresh = folder / f"load-{os.getpid()}"
    what: list[str | Path] = [go, "build", "-C", _SOURCES, "-ldflags=-s -w", "-o", fresh, "."]
    await run_to_end("go build", what, environment, folder)
    fresh.rename(program)
    return program


class Load:
    """A running part of the program. `address` is host:port."""

    def __init__(self, process: Process, address: str) -> None:
        self.process = process
        self.address = address

    def events(self) -> list[dict[str, Any]]:
        """Everything that it told so far, in order."""
        lines = self.process.command.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@asynccontextmanager
async def running(program: Path, part: str, script: Path, log: Path) -> AsyncIterator[Load]:
    """Run `callers`, `providers` or `both` until the context is left; it is ready when entered.

    Raises ProcessDiedError with its last words, or WaitedTooLongError.
    """
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    command = Command(part, [str(program), part, str(script)], log, environment, grace_seconds=2.0)
    async with Process(command) as process:
        line = await process.wait_for_line(
            lambda line: line.startswith("{"), timeout_seconds=_READY_SECONDS
        )
        yield Load(process, json.loads(line)["address"])


class Callers:
    """Sends callers into rooms."""

    def __init__(self, load: Load, access: Access, http: aiohttp.ClientSession) -> None:
        self.load = load
        self.http = http
        self._access = access

    async def join(
        self, room: str, *, timed: bool, asks_for: api.RoomAgentDispatch | None = None
    ) -> None:
        """One more call. `timed` if no agent will answer; `asks_for` an agent by its name."""
        grants = api.VideoGrants(room_join=True, room=room)
        token = api.AccessToken(self._access.api_key, self._access.api_secret)
        token = token.with_identity(CALLER).with_grants(grants)
        if asks_for:
            token = token.with_room_config(api.RoomConfiguration(agents=[asks_for]))
        told = {
            "url": self._access.url,
            "room": room,
            "token": token.to_jwt(),
            "timed": timed,
        }
        await self._post("join", told)

    async def leave(self) -> None:
        """End all calls."""
        await self._post("leave", {})

    async def _post(self, what: str, told: dict[str, Any]) -> None:
        address = f"http://{self.load.address}/{what}"
        async with self.http.post(address, json=told) as response:
            response.raise_for_status()
