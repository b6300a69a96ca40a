"""Functions and files stay short: the linter counts arguments and branches, but no lines."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FUNCTION_LINES, FILE_LINES = 40, 300

LONG_FILES = {
    "agent/livekit_private/__init__.py": "a table: each of LiveKit's private parts, once, and why",
    "agent/records/schema.py": "a table: each line of a record, declared once",
    "agent/worker/metrics.py": "a table: each metric, declared once",
    "config/behaviour.py": "a table: each setting of the agent, declared once",
    "stt_assemblyai/options.py": "a table: each parameter of a session, declared once",
    "stt_assemblyai/stream.py": "the verbs of one object, which its shell calls",
    "stt_assemblyai/turns.py": "one state machine, which two files would have to share",
    "workbench/bench/compare/scenarios.py": "a table: each scenario of the comparison",
}
LONG_FUNCTIONS = {
    "stt_assemblyai/livekit/stt.py STT.__init__": "keywords: it can stand in for LiveKit's plugin",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST, outer: str = "") -> Iterator[tuple[str, Function]]:
    """Every function below `tree` with its name, behind the names of what it stands in."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef):
            name = f"{outer}.{node.name}".lstrip(".")
            if isinstance(node, Function):
                yield name, node
            yield from functions(node, name)
        else:
            yield from functions(node, outer)


def lines(node: Function) -> int:
    """From `def` on: decorators are declarations."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    packages = ("agent", "config", "stt_assemblyai", "workbench")
    paths = (path for package in packages for path in (ROOT / package).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}


@pytest.fixture(scope="module")
def found(sources: dict[str, str]) -> list[tuple[str, Function]]:
    return [
        (f"{path} {name}", node)
        for path, text in sources.items()
        for name, node in functions(ast.parse(text))
    ]


def test_files_are_short(sources: dict[str, str]) -> None:
    long = {path for path, text in sources.items() if len(text.splitlines()) > FILE_LINES}
    assert not long - LONG_FILES.keys(), "split these"
    assert not LONG_FILES.keys() - long, "these are exceptions no more: remove them from the list"


def test_functions_are_short(found: list[tuple[str, Function]]) -> None:
    long = {name for name, node in found if lines(node) > FUNCTION_LINES}
    assert not long - LONG_FUNCTIONS.keys(), "split these"
    assert not LONG_FUNCTIONS.keys() - long, "exceptions no more: remove them from the list"


def test_each_exception_from_a_rule_of_the_linter_has_its_reason(sources: dict[str, str]) -> None:
    bare = [
        f"{path}: {line.strip()}"
        for path, text in sources.items()
        for line in text.splitlines()
        if re.search(r"# noqa(: [A-Z0-9, ]+)?$", line)
    ]
    assert not bare, "say why, behind the rule's number"


def test_sizes_are_counted_as_a_reader_does() -> None:
    text = """
class A:
    @staticmethod
    async def b(self, x, /, y, *rest, z=1, **others):
        def c():
            pass
"""
    (outer, b), (inner, c) = functions(ast.parse(text))
    assert (outer, lines(b)) == ("A.b", 3)
    assert (inner, lines(c)) == ("A.b.c", 2)
