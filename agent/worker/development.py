"""The developer's loop: a worker for each state of the code, and calls end with the code they began
with.

A supervisor watches the files and starts the workers. A worker whose code has changed is retired:
its input closes, it takes no more calls, and it ends when its last call has ended. The new one
takes calls meanwhile. It is ready soon: a spare worker, which has imported all but our own code,
waits beside the one that takes calls (`spare`). If the supervisor dies, its workers retire as well.
"""

import asyncio
import contextlib
import logging
import os
import sys
import warnings
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from agent.needed_settings import load_needed
from agent.tasks import Tasks, first_of
from agent.worker import signals
from agent.worker.changes import Effect, Watched, in_words, syntax_fault
from config.load import SettingsError

log = logging.getLogger(__name__)

FAULTY_CODE = 70
"""Exit code of a worker whose code raised an exception: another state of the code may run."""

# Editors write a file in several steps, and somebody who saves all saves several files.
SETTLED_SECONDS = 0.25

# The spare worker must not take the processor from the one that is beginning.
SPARE_SECONDS = 8.0
_SPARE = Path(__file__).with_name("spare.py")


async def develop(command: Sequence[str], watched: Watched) -> int:
    """Run `command` as the worker until a signal, with a new worker for each change of the code.

    Returns the exit code: 0 after a signal. A worker that ends by itself before any change ends
    this too, with its own code, unless its code is faulty.
    """
    with signals.listening() as (stop, _):
        workers = Workers(command)
        async with Tasks() as tasks:
            changed: asyncio.Queue[set[Path]] = asyncio.Queue()
            for folders, recursive in ((watched.folders(), True), (watched.beside(), False)):
                watch = _watch(folders, watched, changed.put_nowait, recursive=recursive)
                tasks.start(watch, name="files")
            try:
                await workers.replace()
                await first_of(_follow(changed, watched, workers), workers.over(), stop.wait())
            finally:
                await workers.end()
    return 0 if stop.is_set() else workers.exit_code


async def retired() -> None:
    """Return when the supervisor closes the input of this worker, or is gone."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            over.set()

    loop.add_reader(sys.stdin.fileno(), read)
    try:
        await over.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())


class Workers:
    """The worker with the code of now, and former ones that still have calls."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._waits = Tasks()
        self._making_spare = Tasks()
        self._spare: Process | None = None
        self._running: set[Process] = set()
        self._current: Process | None = None
        self._started = 0
        self._is_ending = False
        self._over = asyncio.Event()
        self.exit_code = 0
        """That of the last worker that ended by itself."""

    async def replace(self) -> None:
        """Retire the current worker, and start another."""
        if self._current and self._current.stdin:
            self._current.stdin.close()
        self._started += 1
        process = self._take_spare() or await self._begin(*self._command)
        self._current = process
        self._running.add(process)
        self._waits.start(self._note_end(process), name="worker")
        self._making_spare.cancel()
        self._making_spare.start(self._make_spare(), name="spare worker")

    async def _begin(self, *command: str) -> Process:
        return await asyncio.create_subprocess_exec(*command, stdin=PIPE)

    def _take_spare(self) -> Process | None:
        """The spare worker, told to begin; None if there is none."""
        process, self._spare = self._spare, None
        if process is None or process.returncode is not None or process.stdin is None:
            return None
        process.stdin.write(b"\n")
        return process

    async def _make_spare(self) -> None:
        await asyncio.sleep(SPARE_SECONDS)
        python, *program = self._command
        self._spare = await self._begin(python, str(_SPARE), *program)

    async def over(self) -> None:
        """Return when the first worker has ended for a reason that no change of the code mends."""
        await self._over.wait()

    async def end(self) -> None:
        """End all of them at once, with their calls, and return when they have ended."""
        self._is_ending = True
        await self._making_spare.aclose()
        if self._spare and self._spare.returncode is None:
            self._spare.kill()  # it has nothing to lose
            await self._spare.wait()
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await self._waits.ended()

    async def _note_end(self, process: Process) -> None:
        code = await process.wait()
        self._running.discard(process)
        if self._is_ending:
            return
        if process is not self._current:
            log.info("a former worker has ended, with its last call")
            return
        self._current = None
        self.exit_code = code if code >= 0 else 128 - code
        if self._started == 1 and code != FAULTY_CODE:
            self._over.set()
        else:
            log.error("no worker runs: waiting for a changed file", extra={"exit_code": code})


async def _watch(
    folders: Sequence[Path],
    watched: Watched,
    tell: Callable[[set[Path]], None],
    *,
    recursive: bool,
) -> None:
    from watchfiles import Change, awatch

    def means_something(_: Change, path: str) -> bool:
        return watched.effect(Path(path)) is not Effect.NONE

    changes = awatch(*folders, watch_filter=means_something, recursive=recursive, debounce=100)
    async for found in changes:
        tell({Path(path) for _, path in found})


async def _follow(changed: asyncio.Queue[set[Path]], watched: Watched, workers: Workers) -> None:
    """Replace the worker after each change of its code that can run."""
    waiting: set[Path] = set()
    while True:
        found = watched.sorted_out(await _settled(changed))
        if texts := found.get(Effect.NEXT_TURN):
            files = in_words(texts, watched.project)
            log.info("calls go by the changed file at their next turn", extra={"files": files})
        if not (code := found.get(Effect.NEW_WORKER)):
            continue
        waiting |= set(code)
        if faults := _faults_in(sorted(waiting), watched):
            for fault in faults:
                log.error("waiting until this is mended", extra={"fault": fault})
            continue
        files = in_words(sorted(waiting), watched.project)
        log.info("starting a worker with the changed file", extra={"files": files})
        waiting.clear()
        await workers.replace()


async def _settled(changed: asyncio.Queue[set[Path]]) -> set[Path]:
    """What has changed, once nothing more does."""
    found = await changed.get()
    with contextlib.suppress(TimeoutError):
        while True:
            found |= await asyncio.wait_for(changed.get(), SETTLED_SECONDS)
    return found


def _faults_in(paths: Iterable[Path], watched: Watched) -> list[str]:
    """What keeps these changed files from running, a line each; a removed file may do so."""
    faults: list[str] = []
    for path in paths:
        if path == watched.dotenv:
            faults += _faults_in_settings(path)
        elif path.suffix == ".py":
            with contextlib.suppress(OSError):  # removed
                name = in_words([path], watched.project)
                fault = syntax_fault(path.read_bytes(), name)
                faults += [fault] if fault else []
    return faults


def _faults_in_settings(dotenv: Path) -> list[str]:
    with warnings.catch_warnings(action="ignore"):  # the worker gives them
        try:
            load_needed(dotenv)
        except SettingsError as error:
            return error.faults
    return []
