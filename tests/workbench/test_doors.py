"""Every command of the project: `--help` helps, and does nothing else."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.local.running import PROJECT

# LiveKit's runner, which needs the name of a command first; `--help` is its own.
GUARD = re.compile(r'^if __name__ == "__main__":', re.MULTILINE)


def doors() -> list[str]:
    """Every module that can be run, by name."""
    return sorted(
        ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__main__")
        for package in ("workbench", "config", "stt_assemblyai")
        for path in (PROJECT / package).rglob("*.py")
        if GUARD.search(path.read_text("utf-8"))
    )


def state() -> dict[Path, int]:
    """When each file of the project's sources was written."""
    return {
        path: path.stat().st_mtime_ns
        for folder in ("agent", "config", "docs", "stt_assemblyai", "tests", "workbench", "calls")
        for path in (PROJECT / folder).rglob("*")
        if path.suffix != ".pyc" and path.is_file()
    }


@pytest.mark.parametrize("door", doors())
def test_help_is_shown_and_nothing_is_done(door: str, tmp_path: Path) -> None:
    before = state()
    done = subprocess.run(
        [sys.executable, "-m", door, "--help"],
        cwd=PROJECT,
        env={"HOME": str(tmp_path), "PATH": "", "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().lower().startswith("usage:"), done.stdout
    assert state() == before
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_commands_of_the_pages_are_there() -> None:
    pages = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md"), PROJECT / "Makefile"]
    named = {
        name
        for page in pages
        for name in re.findall(
            r"python3? -m ((?:workbench|config|stt_assemblyai)[\w.]*)", page.read_text("utf-8")
        )
    }
    assert named
    assert named <= set(doors())
