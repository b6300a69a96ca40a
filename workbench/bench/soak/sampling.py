"""What a worker holds at one moment: its memory, files, threads, tasks and rooms."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import aiohttp
import psutil
from livekit import api

from workbench.local.livekit_server import Access
from workbench.local.workers import Worker

__all__ = ["KEPT", "Kept", "Sample", "Sampler"]

_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """One figure of a sample: its name for people, and by how much it may grow in a run."""

    field: str
    name: str
    tolerance: float
    """In its own unit, or as a share of its median where that is more."""
    share: float = 0.0


KEPT = (
    Kept("main_mb", "worker's main process, MB of its own (USS)", 3.0, 0.03),
    Kept("all_mb", "all of the worker's processes, MB (PSS)", 10.0, 0.04),
    Kept("call_mb", "a call's process, MB (PSS)", 3.0, 0.04),
    Kept("main_files", "main process: open files", 2.0),
    Kept("all_files", "all processes: open files", 6.0, 0.05),
    Kept("main_threads", "main process: threads", 1.0),
    Kept("main_tasks", "main process: tasks of asyncio", 2.0),
    Kept("processes", "processes", 1.0),
    Kept("rooms", "rooms on the server", 1.0),
    Kept("leftovers", "files left in the temporary folder", 2.0),
    Kept("record_kb", "the records of one call, kB", 5.0, 0.05),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """All figures at one moment; `seconds` since the first."""

    seconds: float
    main_mb: float
    all_mb: float
    call_mb: float
    main_files: int
    all_files: int
    main_threads: int
    main_tasks: int
    processes: int
    rooms: int
    leftovers: int
    record_kb: float


class Sampler:
    """Samples one worker. `tasks` is the file of `inside/sitecustomize.py`."""

    def __init__(self, worker: Worker, access: Access, folder: Path, tasks: Path) -> None:
        self._worker = worker
        self._access = access
        self._folder = folder
        self._tasks = tasks
        self._began = time.monotonic()

    async def sample(self) -> Sample:
        """How it is now. Raises psutil.NoSuchProcess if the worker has died."""
        (main,) = psutil.Process(self._worker.process.pid).children()
        # The main process's children are helpers; those of the fork server hold calls.
        helpers = {each.pid for each in main.children()}
        found = [(each.pid, _held(each)) for each in main.children(recursive=True)]
        family = [held for _, held in found if held]
        calls = [held[0] for pid, held in found if held and pid not in helpers]
        own = _held(main)
        assert own
        return Sample(
            seconds=time.monotonic() - self._began,
            main_mb=main.memory_full_info().uss / _MB,  # what other programs share does not count
            all_mb=own[0] + sum(mb for mb, _ in family),
            call_mb=median(calls) if calls else 0.0,
            main_files=own[1],
            all_files=own[1] + sum(files for _, files in family),
            main_threads=main.num_threads(),
            main_tasks=_number(self._tasks),
            processes=1 + len(family),
            rooms=await self._rooms(),
            leftovers=sum(1 for _ in (self._folder / "tmp").rglob("*")),
            record_kb=_mean_kb(self._folder / "records"),
        )

    async def _rooms(self) -> int:
        url, key, secret = self._access.url, self._access.api_key, self._access.api_secret
        try:
            async with api.LiveKitAPI(url, key, secret) as server:
                return len((await server.room.list_rooms(api.ListRoomsRequest())).rooms)
        except (aiohttp.ClientError, TimeoutError, api.TwirpError):
            return 0  # it is being restarted


def _held(process: psutil.Process) -> tuple[float, int] | None:
    """Its memory in MB and its open files; None if it has ended."""
    try:
        return process.memory_full_info().pss / _MB, process.num_fds()
    except psutil.Error:
        return None


def _number(path: Path) -> int:
    try:
        return int(path.read_text("utf-8"))
    except (OSError, ValueError):
        return 0


def _mean_kb(folder: Path) -> float:
    """How much is kept of one call, on average."""
    sizes = [each.stat().st_size for each in folder.rglob("*") if each.is_file()]
    calls = len({each.name.split(".")[0] for each in folder.rglob("*.jsonl")})
    return sum(sizes) / 1024 / calls if calls else 0.0
