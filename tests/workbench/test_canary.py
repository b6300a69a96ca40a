"""What the canary makes of what it sees; `make canary` itself installs and runs for minutes."""

import subprocess
import sys
from pathlib import Path

from workbench.bench.canary import (
    GROUPS,
    Outcome,
    changes,
    check_commands,
    group_of,
    raised,
    report,
    versions,
)

ROOT = Path(__file__).parents[2]
LOCKED = {"livekit": "1.1.21", "livekit-agents": "1.8.9", "openai": "3.0.1", "numpy": "2.4.0"}
NEWEST = {**LOCKED, "livekit-agents": "1.8.13", "openai": "4.0.0", "brand-new": "0.1"}
BROKEN = Outcome("pytest -q", passed=False, seconds=90, tail="1 failed")


def lines(changed: list[tuple[str, str, str]], *outcomes: Outcome, **alone: list[Outcome]) -> str:
    return "\n".join(report(changed, outcomes, alone))


def test_the_packages_are_those_that_are_pinned() -> None:
    frozen = "openai==3.0.1\n-e file:///work\nLiveKit==1.1.21\n"
    assert versions(frozen) == {"openai": "3.0.1", "livekit": "1.1.21"}


def test_the_packages_that_are_raised_are_those_of_the_groups() -> None:
    assert raised(LOCKED, ["LiveKit"]) == ["livekit", "livekit-agents"]
    assert raised(LOCKED, list(GROUPS)) == ["livekit", "livekit-agents", "openai"]
    assert group_of("pydantic-core") == "pydantic"
    assert group_of("numpy") is None


def test_a_group_has_packages_in_the_lock() -> None:
    locked = (ROOT / "requirements" / "dev.lock").read_text("utf-8").replace(" \\", "")
    assert {group_of(name) for name in raised(versions(locked), list(GROUPS))} == GROUPS.keys()


def test_only_what_differs_has_changed() -> None:
    assert changes(LOCKED, NEWEST) == [
        ("brand-new", "-", "0.1"),
        ("livekit-agents", "1.8.9", "1.8.13"),
        ("openai", "3.0.1", "4.0.0"),
    ]


def test_the_commands_are_those_of_make_check() -> None:
    commands = check_commands((ROOT / "Makefile").read_text("utf-8"))
    assert commands[0] == "ruff format --check ."
    assert commands[-1].startswith("pytest ")
    assert len(commands) >= 6


def test_the_report_tells_package_by_package_what_changed() -> None:
    told = lines(changes(LOCKED, NEWEST), Outcome("mypy", passed=True, seconds=12))
    assert " ".join(told.split()) == (
        "LiveKit livekit-agents 1.8.9 -> 1.8.13 openai openai 3.0.1 -> 4.0.0 "
        "came along brand-new - -> 0.1 passed 12 s mypy"
    )


def test_the_report_tells_which_group_broke_what() -> None:
    fine = Outcome("pytest -q", passed=True, seconds=80)
    told = lines(changes(LOCKED, NEWEST), BROKEN, LiveKit=[fine], openai=[BROKEN])
    assert "BROKE       90 s  pytest -q" in told
    assert "pytest -q: breaks with the newest openai, raised alone. It ended with:" in told
    assert told.endswith("1 failed")
    told = lines(changes(LOCKED, NEWEST), BROKEN, LiveKit=[fine], openai=[fine])
    assert "breaks only with several of them raised together" in told


def test_the_report_tells_when_there_is_nothing_new() -> None:
    assert lines([]).strip() == "No package has a newer release than the lock."


def test_a_group_that_there_is_not_is_refused_in_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workbench.bench.canary", "pytest"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.endswith("there is no group pytest\n")
