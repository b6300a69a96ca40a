"""What `make bench` found, run by run: a line of JSON for each, the oldest first."""

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.bench.figures import Figure
from workbench.bench.together.running import Outcome
from workbench.local.running import PROJECT

__all__ = ["FILE", "Found", "Machine", "Run", "add", "last_on", "read", "revision"]

FILE = Path(__file__).with_name("history.jsonl")
_CPU_NAME = "model name"


class Machine(BaseModel):
    """Where it was measured."""

    model_config = ConfigDict(frozen=True)

    cpu: str
    cores: int
    memory_gb: int
    python: str

    @classmethod
    def here(cls) -> Self:
        """This one."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return cls(
            cpu=_cpu_name(),
            cores=os.cpu_count() or 1,
            memory_gb=round(memory / 2**30),
            python=platform.python_version(),
        )

    def __str__(self) -> str:
        return f"{self.cores} cores of {self.cpu}, {self.memory_gb} GB, Python {self.python}"


class Found(BaseModel):
    """What one benchmark came to in a run."""

    model_config = ConfigDict(frozen=True)

    seconds: float
    figures: tuple[Figure, ...] = ()
    fault: str = ""

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """As it is kept."""
        seconds = round(outcome.seconds, 1)
        return cls(seconds=seconds, figures=tuple(outcome.figures), fault=outcome.fault)


class Run(BaseModel):
    """One run of `make bench`."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    revision: str
    """Git's short name of the commit; with `+` behind it where files had been changed."""
    machine: Machine
    load: float
    """The load average when it began: what else ran on the machine."""
    found: dict[str, Found] = Field(min_length=1)
    """By the benchmark's name."""

    def figures(self, benchmark: str) -> Sequence[Figure]:
        """What one benchmark found; nothing, if it was not run."""
        return self.found[benchmark].figures if benchmark in self.found else ()


def read(path: Path = FILE) -> list[Run]:
    """All runs, the oldest first; without a file, none. A line that is no run is left out."""
    found = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            found.append(Run.model_validate_json(line))
        except ValidationError:
            continue
    return found


def add(run: Run, path: Path = FILE) -> None:
    """Append a run."""
    with path.open("a", encoding="utf-8") as file:
        file.write(run.model_dump_json(exclude_defaults=True) + "\n")


def last_on(machine: Machine, runs: Iterable[Run], benchmark: str) -> Sequence[Figure]:
    """What this benchmark found on such a machine last; nothing, where it never ran."""
    there = [run.figures(benchmark) for run in runs if run.machine == machine]
    return next((figures for figures in reversed(there) if figures), ())


def revision(folder: Path = PROJECT) -> str:
    """Of this checkout; `unknown` where git knows none."""
    name = _git(folder, "rev-parse", "--short", "HEAD")
    if not name:
        return "unknown"
    return f"{name}+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else name


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith(_CPU_NAME)]
    return named[0] if named else platform.machine()
