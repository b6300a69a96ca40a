"""A command that runs beside us: its log, its death noticed, and its end certain."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.caller.waiting import Changes

_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
_SWEEP_SECONDS = 2.0
_LAST_WORDS_SECONDS = 1.0
_LINES_KEPT = 5000
_LONGEST_LINE_BYTES = 1 << 20


class ProcessDiedError(RuntimeError):
    """A process ended although it was still needed."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and how long it may take to end when asked to."""

    name: str
    argv: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: Path | None = None
    grace_seconds: float = 5.0


class Process:
    """One running command, as an async context manager, in a process group of its own.

    Leaving the context ends the whole group. If this interpreter is killed, `die_with_parent` does.
    """

    def __init__(self, command: Command) -> None:
        self.command = command
        self.lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._written = 0
        self._changes = Changes()
        self._code: int | None = None

    async def __aenter__(self) -> Self:
        command = self.command
        command.log.parent.mkdir(parents=True, exist_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", str(_DIE_WITH_PARENT), f"{command.grace_seconds:g}", *command.argv),
            env=command.environment,
            cwd=command.cwd,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            process_group=0,
            limit=_LONGEST_LINE_BYTES,
        )
        self._reading = asyncio.create_task(self._keep_log(), name=f"log of {command.name}")
        self._watching = asyncio.create_task(self._watch(), name=f"end of {command.name}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int:
        """Of `die_with_parent`, which is also the id of the group; the command is its child."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code (128 + n after signal n), or None while the command runs."""
        return self._code

    def tail(self, count: int = 8) -> str:
        """The last lines that it wrote."""
        return "\n".join(list(self.lines)[-count:])

    async def wait_for_line(self, holds: Callable[[str], bool], *, timeout_seconds: float) -> str:
        """The first line, past or future, for which `holds` is true.

        Raises ProcessDiedError if the command ends before it wrote one, WaitedTooLongError.
        """
        seen = 0

        def look() -> str | None:
            nonlocal seen
            fresh = list(self.lines)[-(self._written - seen) :] if self._written > seen else []
            seen = self._written
            found = next((line for line in fresh if holds(line)), None)
            if found is None and self._code is not None:
                raise ProcessDiedError(self.obituary())
            return found

        return await self._changes.until(
            look, timeout_seconds=timeout_seconds, what=f"{self.command.name} to be ready"
        )

    async def wait(self, *, timeout_seconds: float) -> int:
        """The exit code, once the command has ended by itself."""
        (code,) = await self._changes.until(
            lambda: None if self._code is None else (self._code,),
            timeout_seconds=timeout_seconds,
            what=f"{self.command.name} to end",
        )
        return code

    async def ended(self) -> Self:
        """Return once the command has ended, for whatever reason."""
        await asyncio.shield(self._watching)
        return self

    def obituary(self) -> str:
        """One sentence and the last log lines: what to print when it has died."""
        return f"{self.command.name} ended with code {self._code}; its last lines:\n{self.tail()}"

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to all its processes, as a terminal does with Ctrl-C."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def stop(self) -> None:
        """End the command and everything it started; returns when nothing of it is left."""
        try:
            if self._code is None:
                assert self._process.stdin is not None
                self._process.stdin.close()
                await asyncio.wait(
                    [self._watching], timeout=self.command.grace_seconds + _SWEEP_SECONDS
                )
        finally:
            self.signal_group(signal.SIGKILL)
        # A process that left the group keeps the pipe open; the log is not worth that wait.
        await asyncio.wait([self._watching, self._reading], timeout=_SWEEP_SECONDS)
        self._reading.cancel()

    async def _watch(self) -> None:
        code = await self._process.wait()
        # Its last words first; a descendant may hold the pipe open for longer.
        await asyncio.wait([self._reading], timeout=_LAST_WORDS_SECONDS)
        self._code = code
        self._changes.tell()

    async def _keep_log(self) -> None:
        assert self._process.stdout is not None
        with self.command.log.open("w", encoding="utf-8") as log:
            async for raw in self._process.stdout:
                line = raw.decode(errors="replace").rstrip("\n")
                log.write(line + "\n")
                log.flush()
                self.lines.append(line)
                self._written += 1
                self._changes.tell()
