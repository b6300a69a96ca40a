"""Programs that are built from the Go module proxy, once, below the ignored cache."""

import asyncio
import fcntl
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.arguments import expect_none
from workbench.local.livekit_binary import NoLiveKitServerError, run_to_end, usable_go


@dataclass(frozen=True, slots=True)
class GoProgram:
    """What `go install` makes of a module; `name` is that of the file it makes."""

    name: str
    module: str
    version: str
    folder: str
    """Where it is kept, below the cache."""

    def path(self, cache: Path) -> Path:
        """Where its build is, or will be."""
        return cache / self.folder / f"v{self.version}" / self.name

    async def build_once(self, say: Callable[[str], None], cache: Path) -> Path:
        """The program, built first if need be. Raises NoLiveKitServerError without a Go.

        Others that want it meanwhile wait. Cancelling it ends the build.
        """
        program = self.path(cache)
        program.parent.mkdir(parents=True, exist_ok=True)
        with (program.parent / "lock").open("w") as lock:
            await asyncio.to_thread(fcntl.flock, lock.fileno(), fcntl.LOCK_EX)
            if not program.exists():
                say(f"Building {self.name} {self.version}, this once.")
                await self._build(program, say)
        return program

    async def _build(self, program: Path, say: Callable[[str], None]) -> None:
        with tempfile.TemporaryDirectory(dir=program.parent, prefix="build-") as scratch:
            work = Path(scratch)
            go, environment = await usable_go(work, say)
            environment |= {"GOBIN": str(work / "bin"), "GOTOOLCHAIN": "local"}
            command: list[str | Path] = [go, "install", "-ldflags=-s -w"]
            command.append(f"{self.module}@v{self.version}")
            await run_to_end(f"go install {self.name}", command, environment, program.parent)
            (work / "bin" / self.name).rename(program)


def print_path(
    door: str, text: str | None, find: Callable[[Callable[[str], None]], Coroutine[Any, Any, Path]]
) -> int:
    """The command of a program: have it ready, and print its path. Returns the exit status."""
    expect_none(door, text)
    try:
        print(asyncio.run(find(lambda line: print(line, file=sys.stderr))))
    except NoLiveKitServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
