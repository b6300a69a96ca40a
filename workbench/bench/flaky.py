"""`make flaky`: which tests of real time needed a further try in the last runs.

Those are the spoken tests, the slow ones, and the image's. Each run with one of them in it adds one
line to a small file in `.cache/`. A test that needed a further try in two of its last ten runs is a
fault to mend.
"""

import fcntl
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.arguments import command
from workbench.local.running import CACHE

FILE = CACHE / "spoken-runs.jsonl"
KEPT_RUNS = 50
COUNTED_RUNS = 10
FAULT_FROM = 2
"""Further tries in this many of a test's counted runs are a fault."""


class Run(BaseModel):
    """The tests of one run that may be tried again, by pytest's names."""

    model_config = ConfigDict(frozen=True)

    revision: str
    """Git's short name of the commit."""
    ended_at: datetime
    ran: tuple[str, ...]
    tried_again: tuple[str, ...]
    """Those which needed a further try, whether they passed at it or not."""


@dataclass(frozen=True, slots=True)
class Count:
    """How often a test needed a further try in its last runs, ten at most."""

    test: str
    tried_again: int
    runs: int
    revisions: tuple[str, ...]
    """Where it did, the oldest first."""

    @property
    def is_fault(self) -> bool:
        """Whether chance no longer explains it."""
        return self.tried_again >= FAULT_FROM

    def __str__(self) -> str:
        verdict = ": a fault to mend" if self.is_fault else ""
        return f"{self.test}: in {self.tried_again} of {self.runs} runs{verdict}"


def counts(runs: Sequence[Run]) -> list[Count]:
    """Every test that needed a further try, the most frequent first. `runs`: the oldest first."""
    tests = dict.fromkeys(test for run in runs for test in run.tried_again)
    found = [_count(test, [run for run in runs if test in run.ran]) for test in tests]
    return sorted(
        (each for each in found if each.tried_again),
        key=lambda each: (-each.tried_again, each.test),
    )


def _count(test: str, its_runs: Sequence[Run]) -> Count:
    counted = its_runs[-COUNTED_RUNS:]
    again = tuple(run.revision for run in counted if test in run.tried_again)
    return Count(test, len(again), len(counted), again)


def runs_in(lines: Iterable[str]) -> list[Run]:
    """What the lines of the file tell; a line that is no run is left out."""
    found = []
    for line in lines:
        try:
            found.append(Run.model_validate_json(line))
        except ValidationError:
            continue
    return found


def read(path: Path = FILE) -> list[Run]:
    """The runs in the file, the oldest first; without a file, none."""
    try:
        return runs_in(path.read_text("utf-8", errors="replace").splitlines())
    except FileNotFoundError:
        return []


def add(run: Run, path: Path = FILE) -> list[Run]:
    """Write a run into the file, which keeps the last 50. Returns what is in it now.

    Runs that end at the same time wait for each other.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8", errors="replace") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        file.seek(0)
        kept = [*runs_in(file), run][-KEPT_RUNS:]
        file.truncate(0)
        file.writelines(f"{each.model_dump_json()}\n" for each in kept)
    return kept


def summary(run: Run, runs: Sequence[Run]) -> list[str]:
    """What the end of this run says about those of its tests that needed a further try."""
    lines = [str(each) for each in counts(runs) if each.test in run.tried_again]
    return [*lines, "`make flaky` shows all of the last runs"] if lines else []


def table(runs: Sequence[Run]) -> list[str]:
    """The lines that `make flaky` prints."""
    if not runs:
        return ["No run with a spoken test is known here: `make test` makes one."]
    found = counts(runs)
    spoken = sum(len(run.ran) for run in runs)
    period = f"{runs[0].ended_at:%Y-%m-%d %H:%M} to {runs[-1].ended_at:%Y-%m-%d %H:%M}"
    lines = [f"{len(runs)} runs with {spoken} spoken tests, {period}"]
    lines += [f"{each} ({', '.join(each.revisions)})" for each in found]
    faults = sum(each.is_fault for each in found)
    return [*lines, f"needed a further try: {len(found)}; faults to mend among them: {faults}"]


def main() -> int:
    """Print the table. Exits with 1 when there is a fault to mend."""
    parser = command("make flaky", __doc__)
    parser.add_argument("--file", type=Path, default=FILE, help="the file of the last runs")
    runs = read(parser.parse_args().file)
    print("\n".join(table(runs)))
    return int(any(each.is_fault for each in counts(runs)))


if __name__ == "__main__":
    sys.exit(main())
