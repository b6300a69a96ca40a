"""Every module that ships has its own tests, and what decides is covered by them alone."""

import ast
import functools
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import Coverage

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "config", "stt_assemblyai")
COMMANDS = "tests/agent/cli/test_commands.py types the command"
CALLS = "only a whole call runs it: tests/calls"
WITHOUT_TESTS = {
    "agent.py": COMMANDS,
    "agent/__init__.py": COMMANDS,
    "agent/caller/calling.py": CALLS,
    "agent/capacity/load.py": "tests/agent/capacity/test_trial.py has it hold calls",
    "agent/capacity/talk.py": "tests/agent/capacity/test_trial.py holds its calls",
    "agent/cli/__init__.py": COMMANDS,
    "agent/cli/download_files.py": COMMANDS,
    "agent/cli/serve.py": COMMANDS,
    "agent/cli/transcribe.py": COMMANDS,
    "agent/worker/hold_announcement.py": CALLS,
    "agent/worker/left_overs.py": CALLS,
    "agent/worker/run.py": CALLS,
    "stt_assemblyai/__main__.py": "a door: tests/stt_assemblyai/cli/test_main.py goes through it",
    "stt_assemblyai/stt.py": "a door: tests/stt_assemblyai/livekit/test_stt.py goes through it",
}
NOT_MEASURED = {
    "agent/caller/conversation.py": "it waits for sound: whole conversations are in tests/calls",
    "agent/fleet/lease.py": "its tests start a server",
    "agent/records/object_store.py": "its tests start a server",
    "agent/cli/token.py": "its tests type the command: it runs in another process",
    "agent/worker/ignored_signals.py": "its tests import it in another process",
    "agent/worker/spare.py": "its tests run it as another process",
    "stt_assemblyai/__init__.py": "its tests import it in another process",
}
IMPURE = {
    "aiohttp",
    "anyio",
    "asyncio",
    "concurrent",
    "httpx2",
    "livekit",
    "multiprocessing",
    "onnxruntime",
    "openai",
    "random",
    "secrets",
    "select",
    "selectors",
    "signal",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "websockets",
}
"""What imports one of these waits, reads a clock, throws dice or knows LiveKit."""


def imported(tree: ast.AST) -> Iterator[str]:
    """What a module imports, wherever it does, but for type checkers."""
    if isinstance(tree, ast.If) and ast.unparse(tree.test) == "TYPE_CHECKING":
        return
    if isinstance(tree, ast.Import):
        yield from (alias.name for alias in tree.names)
    elif isinstance(tree, ast.ImportFrom):
        yield tree.module or ""
    for each in ast.iter_child_nodes(tree):
        yield from imported(each)


@functools.cache
def tree_of(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"))


def says_something(path: str) -> bool:
    """Whether there is more than a docstring in a file."""
    return len(tree_of(path).body) > 1


def edges(tree: ast.AST) -> set[str]:
    """What a module imports of `IMPURE`. If it is nothing, the module only decides."""
    return IMPURE & {name.partition(".")[0] for name in imported(tree)}


def own_tests(path: str) -> str:
    """Where the tests of a module are: of a package in `test_package.py`."""
    folder, name = os.path.split(path)
    stem = "package" if name == "__init__.py" else name.removesuffix(".py").strip("_")
    return f"tests/{folder}/test_{stem}.py"


SHIPPED = ["agent.py"] + [
    path
    for package in PACKAGES
    for path in sorted(each.relative_to(ROOT).as_posix() for each in (ROOT / package).rglob("*.py"))
    if says_something(path)
]
TESTED = [path for path in SHIPPED if path not in WITHOUT_TESTS]
PURE = [path for path in TESTED if not edges(tree_of(path)) and path not in NOT_MEASURED]


@pytest.mark.parametrize("path", TESTED)
def test_a_module_has_its_own_tests(path: str) -> None:
    tests = ROOT / own_tests(path)
    assert tests.exists(), f"write {own_tests(path)}"
    assert "def test_" in tests.read_text("utf-8")


def test_the_exceptions_are_needed() -> None:
    assert set(SHIPPED) >= WITHOUT_TESTS.keys()
    assert not [path for path in WITHOUT_TESTS if (ROOT / own_tests(path)).exists()]
    assert set(TESTED) >= NOT_MEASURED.keys()
    assert not [path for path in NOT_MEASURED if edges(tree_of(path))]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Coverage | str:
    """Which test ran which branch: the tests of all these modules in one run. If one failed, what
    it printed: a fixture that fails is made again, for a minute, for each test and each try."""
    data_file = str(tmp_path_factory.mktemp("coverage") / "data")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--tb=native",
        "-m",
        "not slow and not hypothesis",
    ]
    command += [each for each in map(own_tests, PURE) if (ROOT / each).exists()]
    command += [*(f"--cov={package}" for package in PACKAGES)]
    command += ["--cov-branch", "--cov-context=test", "--cov-report=", "--cov-config=/dev/null"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": os.defpath, "COVERAGE_FILE": data_file},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        return done.stdout.decode()[-2000:]
    measured = Coverage(data_file=data_file, config_file=False)
    measured.load()
    measured.exclude('if __name__ == "__main__":')
    return measured


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", PURE)
def test_what_decides_is_covered_by_its_own_tests_alone(
    path: str, measured: Coverage | str
) -> None:
    assert isinstance(measured, Coverage), measured
    own, table = [r"^$", rf"^{own_tests(path)}::"], io.StringIO()
    percent = measured.report([str(ROOT / path)], contexts=own, show_missing=True, file=table)
    assert percent == 100, table.getvalue()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import json, math", set()),
        ("import time", {"time"}),
        ("def late():\n    from asyncio import sleep", {"asyncio"}),
        ("from livekit.agents import stt", {"livekit"}),
        ("if TYPE_CHECKING:\n    import socket", set()),
        ("from stt_assemblyai import turns", set()),
    ],
)
def test_what_waits_is_found_by_its_imports(text: str, found: set[str]) -> None:
    assert edges(ast.parse(text)) == found
