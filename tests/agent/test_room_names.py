"""The names by which others know our agents: once in the code, and once for operators."""

import ast
import re
from pathlib import Path

import pytest

from agent.room_names import HOLD_IDENTITY, Attribute, Method, Topic

ROOT = Path(__file__).parents[2]
NAMES = [*Attribute, *Topic, *Method, HOLD_IDENTITY]
SOURCES = [
    path for package in ("agent", "workbench") for path in sorted((ROOT / package).rglob("*.py"))
]


def listed() -> str:
    """The part of the page for operators that lists the names."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    return page.partition("## What a page sees of an agent")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", NAMES)
def test_operators_can_look_each_name_up(name: str) -> None:
    assert f"`{name}`" in listed()


def test_operators_look_up_no_name_that_is_gone() -> None:
    rows = re.findall(r"^- `([^`]+)`: ", listed(), re.MULTILINE)
    assert set(rows) == {*Attribute, *Topic, *Method}


def test_each_name_is_spelt_in_one_place() -> None:
    spelt = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in NAMES
    }
    assert spelt == {"agent/room_names.py"}
