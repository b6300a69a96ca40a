"""`make canary`: the newest releases over the lock, in a folder of their own: what broke?

The packages that this project stands on are raised to their newest release, whatever the lock and
pyproject.toml say, and `make check`'s commands and a spoken call are run with them. Where something
breaks, each group of packages is then raised alone, to tell which of them did it. Nothing but
`.cache/canary` is written. Ends with 0 when all passed, 1 when something broke, 2 when the releases
cannot be installed.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.arguments import command
from workbench.local.running import CACHE, PROJECT

__all__ = ["Outcome", "changes", "check_commands", "group_of", "raised", "report", "versions"]

HOME = CACHE / "canary"
LOCKS = ("requirements/dev.lock", "requirements/uv.lock")
CALL = "pytest -q -p no:cacheprovider tests/calls/test_conversation.py"
LONGEST_SECONDS = 1800.0
TAIL_LINES = 15

# By group, how its packages' names begin: those of a group are released to fit one another.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "LiveKit": ("livekit",),
    "websockets": ("websockets",),
    "openai": ("openai",),
    "pydantic": ("pydantic",),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to. `tail` is the end of what it said, `seconds` how long it took."""

    command: str
    passed: bool
    seconds: float
    tail: str = ""


class CannotInstallError(Exception):
    """The releases do not go together, or cannot be fetched; the text is what uv says."""


def versions(freeze: str) -> dict[str, str]:
    """The packages of `uv pip freeze`, by name."""
    pairs = (line.partition("==") for line in freeze.splitlines())
    return {name.strip().lower(): version.strip() for name, found, version in pairs if found}


def group_of(package: str) -> str | None:
    """The group that a package belongs to, if it is one of those that are raised."""
    return next((group for group, begins in GROUPS.items() if package.startswith(begins)), None)


def raised(packages: Mapping[str, str], groups: Sequence[str]) -> list[str]:
    """Of these packages, the names of those that belong to one of these groups."""
    return sorted(name for name in packages if group_of(name) in groups)


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Each package whose version differs, with both versions; `-` where it is not installed."""
    names = sorted(before.keys() | after.keys())
    pairs = ((name, before.get(name, "-"), after.get(name, "-")) for name in names)
    return [(name, old, new) for name, old, new in pairs if old != new]


def check_commands(makefile: str) -> list[str]:
    """The commands of `make check`, without the folder that they stand in."""
    recipes = dict(re.findall(r"^(static|check):.*\n((?:\t.*\n)+)", makefile, re.MULTILINE))
    lines = (recipes["static"] + recipes["check"]).splitlines()
    return [line.strip().removeprefix("$(BIN)/") for line in lines]


def report(
    changed: Sequence[tuple[str, str, str]],
    outcomes: Sequence[Outcome],
    alone: Mapping[str, Sequence[Outcome]],
) -> Iterator[str]:
    """Lines that say package by package what changed, then what broke, and which group did it."""
    yield "" if changed else "No package has a newer release than the lock."
    for group in [*GROUPS, None]:
        for name, old, new in changed:
            if group_of(name) == group:
                yield f"{group or 'came along':<12} {name:<34} {old:>12} -> {new}"
    yield ""
    yield from map(_verdict, outcomes)
    for outcome in outcomes:
        if not outcome.passed:
            yield f"\n{outcome.command}: {_blamed(outcome.command, alone)}. It ended with:"
            yield outcome.tail


def _verdict(outcome: Outcome) -> str:
    verdict = "passed" if outcome.passed else "BROKE"
    return f"{verdict:<7} {outcome.seconds:6.0f} s  {outcome.command}"


def _blamed(command: str, alone: Mapping[str, Sequence[Outcome]]) -> str:
    guilty = [
        group
        for group, outcomes in alone.items()
        if any(each.command == command and not each.passed for each in outcomes)
    ]
    if guilty:
        return f"breaks with the newest {' and with the newest '.join(guilty)}, raised alone"
    return "breaks only with several of them raised together" if alone else "broke"


class Venv:
    """A folder of installed packages, made from the lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, groups: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Install the lock, then the newest of these groups; the packages before and after.

        Raises CannotInstallError.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        self._uv("venv", "--quiet", "--python", sys.executable, str(self._folder))
        self._uv("pip", "sync", "--quiet", "--require-hashes", *LOCKS)
        before = self._installed()
        names = raised(before, groups)
        only = [f"--upgrade-package={name}" for name in names]  # what they need stays, if it may
        self._uv("pip", "install", "--quiet", *only, *names)
        return before, self._installed()

    def run(self, command: str) -> Outcome:
        """Run a command of this folder, in the project's."""
        paths = os.pathsep.join([str(self._folder / "bin"), os.environ.get("PATH", "")])
        own = {
            "PATH": paths,
            "VIRTUAL_ENV": str(self._folder),
            "MYPY_CACHE_DIR": str(HOME / "mypy"),
            "RUFF_CACHE_DIR": str(HOME / "ruff"),
        }
        began = time.monotonic()
        try:
            done = subprocess.run(
                [self._folder / "bin" / command.split()[0], *_words(command)[1:]],
                cwd=PROJECT,
                env={**os.environ, **own},
                capture_output=True,
                text=True,
                timeout=LONGEST_SECONDS,
                check=False,
            )
            code, said = done.returncode, done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            code, said = 1, f"not done after {LONGEST_SECONDS:.0f} s"
        tail = "\n".join(said.splitlines()[-TAIL_LINES:])
        outcome = Outcome(command, code == 0, time.monotonic() - began, tail)
        print(f"  {_verdict(outcome)}", flush=True)
        return outcome

    def _installed(self) -> dict[str, str]:
        return versions(self._uv("pip", "freeze"))

    def _uv(self, *words: str) -> str:
        python = () if words[0] == "venv" else ("--python", str(self._folder / "bin" / "python"))
        command = [str(PROJECT / ".venv" / "bin" / "uv"), *words, *python]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotInstallError(done.stderr.strip() or f"uv ended with {done.returncode}")
        return done.stdout


def _words(command: str) -> list[str]:
    return [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command)]


def canary(commands: Sequence[str], groups: Sequence[str]) -> int:
    """Raise these groups together, run the commands, and find who broke what; the exit code."""
    print("Installing the lock, and the newest releases over it ...", flush=True)
    venv = Venv(HOME / "together")
    before, after = venv.make(groups)
    changed = changes(before, after)
    outcomes = [venv.run(command) for command in commands] if changed else []
    broken = [outcome.command for outcome in outcomes if not outcome.passed]
    alone: dict[str, list[Outcome]] = {}
    for group in groups if broken and len(groups) > 1 else ():
        if any(group_of(name) == group for name, _, _ in changed):
            print(f"Raising {group} alone ...", flush=True)
            single = Venv(HOME / "alone")
            single.make([group])
            alone[group] = [single.run(command) for command in broken]
    print(*report(changed, outcomes, alone), sep="\n")
    return 1 if broken else 0


def main() -> int:
    """Run the canary that the arguments ask for."""
    parser = command("workbench.bench.canary", __doc__)
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"what to raise: {', '.join(GROUPS)} (all)"
    )
    groups = parser.parse_args().groups or list(GROUPS)
    if unknown := set(groups) - GROUPS.keys():
        parser.error(f"there is no group {', '.join(sorted(unknown))}")
    commands = [*check_commands((PROJECT / "Makefile").read_text("utf-8")), CALL]
    try:
        return canary(commands, groups)
    except CannotInstallError as error:
        print(f"The newest releases cannot be installed: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
