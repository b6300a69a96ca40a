"""The figures of the house are counted as a reader counts, and traced on the running program."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from workbench.bench.house import crossing
from workbench.bench.house.__main__ import details, figures_table, measured
from workbench.bench.house.counting import Class, Tree, read_tree
from workbench.bench.house.crossing import Crossing, Tracer
from workbench.local.running import PROJECT

SOURCE = '''
from collections.abc import Callable
from dataclasses import dataclass

Hook = Callable[[], None]


class Machine:
    """Two attributes."""

    kind = "no attribute of an object"

    def __init__(self, name: str, on_end: Hook, *, clock: "Callable[[], float]", **x: int) -> None:
        self.name, self._clock = name, clock

    def start(self, hook: int) -> None:
        self.name = "again"
        print(self._clock, self.never_assigned)


@dataclass(frozen=True)
class Value:
    first: int
    second: int


@dataclass
class State:
    count: int
    on_change: Callable[[int], None]
'''


def tree(root: Path, **texts: str) -> Tree:
    """The sizes of a package with modules of these names and texts."""
    for name, text in texts.items():
        path = root / "package" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return read_tree(root, ("package",))


def test_attributes_and_arguments_of_classes(tmp_path: Path) -> None:
    found = tree(tmp_path, a=SOURCE)
    assert found.largest(2) == [
        Class("package/a.py Machine", 2, 3),
        Class("package/a.py State", 2, 2),
    ]
    assert Class("package/a.py Value", 0, 0) in found.classes


def test_callbacks_are_parameters_and_fields_and_go_by_the_name_of_their_type_too(
    tmp_path: Path,
) -> None:
    assert tree(tmp_path, a=SOURCE, b="def f(hook: Hook) -> None: ...").callbacks == (
        "package/a.py Machine.__init__(on_end)",
        "package/a.py Machine.__init__(clock)",
        "package/a.py State(on_change)",
        "package/b.py f(hook)",
    )


@pytest.mark.parametrize(("lines", "is_long"), [(40, False), (41, True)])
def test_a_function_is_long_from_its_41st_line_on(
    tmp_path: Path, lines: int, is_long: bool
) -> None:
    text = "@decorator\n" * 3 + "def f():\n" + "    pass\n" * (lines - 1)
    assert tree(tmp_path, a=text).long_functions == ("package/a.py f",) * is_long


@pytest.mark.parametrize(("lines", "is_long"), [(300, False), (301, True)])
def test_a_file_is_long_from_its_301st_line_on(tmp_path: Path, lines: int, is_long: bool) -> None:
    found = tree(tmp_path, a="pass\n" * lines)
    assert found.long_files == ("package/a.py",) * is_long
    assert found.lines == {"package/a.py": lines}


def test_modules_are_counted_in_the_folder_that_holds_them(tmp_path: Path) -> None:
    tree(tmp_path / "package", inner="")
    assert tree(tmp_path, a="", b="", __init__="").modules == {"package": 2, "package/package": 1}


def run_as(module: str, source: str, **names: Any) -> dict[str, Any]:
    """The names of a module of that name."""
    space = {"__name__": module, **names}
    exec(source, space)
    return space


def test_a_call_of_another_module_is_a_change_and_a_return_is_none() -> None:
    inner = run_as("house.inner", "def work(): helper()\ndef helper(): pass")
    others = run_as("elsewhere", "def through(work): work()")
    outer = run_as(
        "house.outer",
        "def start():\n    work()\n    through(work)\n    own()\ndef own(): pass",
        work=inner["work"],
        through=others["through"],
    )
    with Tracer("house") as tracer:
        outer["start"]()
        outer["start"]()
    assert tracer.crossing == Crossing(["outer", "inner"], Counter({"outer -> inner": 4}))


def test_what_an_event_crosses_is_traced_on_this_tree() -> None:
    figures = measured(PROJECT)
    usual, busiest, interim, final = figures.crossings.values()
    assert 3 <= len(usual[0]) <= len(busiest[0])
    assert 3 <= len(interim[0]) <= len(final[0])
    assert all(
        sum(calls.values()) >= len(modules) - 1 for modules, calls in figures.crossings.values()
    )
    lines = "\n".join([*figures_table({"Here": figures}), *details("Here", figures)])
    assert f"| one final Turn: modules | {len(final[0])} |" in lines
    largest = figures.shipped.largest(1)[0]
    assert f"| {largest.name} | {largest.attributes} | {largest.arguments} |" in lines
    assert (
        f"| workbench: modules | {sum(figures.packages['workbench'].modules.values())} |" in lines
    )


def test_a_tree_without_the_speech_module_is_said_to_be_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", str(crossing.__file__)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "stt_assemblyai is not on the path of imports\n"
    with pytest.raises(json.JSONDecodeError):
        json.loads(done.stdout)


def test_a_class_that_is_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="no class Transcriber"):
        crossing.found("Transcriber", tmp_path)
