"""`python -m workbench.bench.house`: the figures of the house, here and at other revisions.

Sizes are counted by syntax tree. What an audio frame and a Turn cross is traced on the running
program: a stream whose socket is a script.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workbench.arguments import command
from workbench.bench.house.counting import Tree, read_tree
from workbench.bench.pages import markdown_table
from workbench.local.running import PROJECT

SHIPPED = ("agent", "config", "stt_assemblyai")
PACKAGES = (*SHIPPED, "workbench")
LARGEST = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """What one tree has: counted per package, and traced."""

    packages: dict[str, Tree]
    shipped: Tree
    crossings: dict[str, tuple[list[str], dict[str, int]]]
    """By event: the modules, and how often one called another, `from -> to`."""


def measured(root: Path) -> Figures:
    """The figures of a tree. Raises CalledProcessError if its stream cannot be traced."""
    done = subprocess.run(
        [sys.executable, "-P", str(Path(__file__).with_name("crossing.py"))],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    crossings = {
        event: (each["modules"], each["calls"]) for event, each in json.loads(done.stdout).items()
    }
    packages = {package: read_tree(root, (package,)) for package in PACKAGES}
    return Figures(packages, read_tree(root, SHIPPED), crossings)


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """A work tree of that revision, until the context is left. Raises CalledProcessError."""
    git = ["git", "-C", str(PROJECT), "worktree"]
    with tempfile.TemporaryDirectory(prefix="house-") as folder:
        tree = Path(folder) / "tree"
        subprocess.run([*git, "add", "-q", "--detach", str(tree), revision], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def figures_table(columns: dict[str, Figures]) -> list[str]:
    """A row for each figure, a column for each tree; a package has its own figures."""
    rows: dict[str, list[str]] = {}
    for figures in columns.values():
        for name, figure in _figures(figures):
            rows.setdefault(name, []).append(figure)
    return markdown_table(["Figure", *columns], [[name, *row] for name, row in rows.items()])


def _figures(figures: Figures) -> Iterator[tuple[str, str]]:
    for package, tree in figures.packages.items():
        yield f"{package}: lines", f"{sum(tree.lines.values()):,}"
        yield f"{package}: modules", str(sum(tree.modules.values()))
        yield f"{package}: folders", str(len(tree.modules))
        yield f"{package}: most modules in one folder", _most(tree)
        yield f"{package}: functions over 40 lines", str(len(tree.long_functions))
        yield f"{package}: files over 300 lines", str(len(tree.long_files))
        yield f"{package}: callbacks", str(len(tree.callbacks))
    shipped = figures.shipped
    yield "what ships: lines", f"{sum(shipped.lines.values()):,}"
    for place, each in enumerate(shipped.largest(LARGEST), 1):
        name = each.name.rpartition(" ")[2]
        size = f"{each.attributes}, {each.arguments} ({name})"
        yield f"what ships: attributes, and constructor's arguments, of class {place}", size
    yield (
        "what ships: most arguments of a constructor",
        str(max(each.arguments for each in shipped.classes)),
    )
    for event, (modules, calls) in figures.crossings.items():
        yield f"one {event}: modules", str(len(modules))
        yield f"one {event}: calls from module to module", str(sum(calls.values()))


def _most(tree: Tree) -> str:
    folder, count = tree.modules.most_common(1)[0]
    return f"{count} ({folder})"


def details(title: str, figures: Figures) -> list[str]:
    """The names behind the figures of one tree."""
    lines = [f"## {title}", "", "Modules per folder:"]
    for tree in figures.packages.values():
        lines += [f"- {folder}: {count}" for folder, count in sorted(tree.modules.items())]
    lines += ["", f"The {LARGEST} largest classes of what ships:", ""]
    lines += markdown_table(
        ["Class", "Attributes", "Arguments of the constructor"],
        [
            [each.name, str(each.attributes), str(each.arguments)]
            for each in figures.shipped.largest(LARGEST)
        ],
    )
    for what, names in (
        ("Functions over 40 lines", [tree.long_functions for tree in figures.packages.values()]),
        ("Files over 300 lines", [tree.long_files for tree in figures.packages.values()]),
        ("Callbacks of what ships", [figures.shipped.callbacks]),
    ):
        lines += ["", f"{what}:"]
        lines += [f"- {name}" for each in names for name in each]
    for event, (modules, calls) in figures.crossings.items():
        lines += ["", f"One {event}: {', '.join(modules)}"]
        often = sorted(calls.items(), key=lambda each: -each[1])
        lines += [f"- {count} x {each}" for each, count in often]
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 1 if there is no such revision, or one cannot be traced."""
    parser = command("workbench.bench.house", __doc__)
    parser.add_argument(
        "--against", metavar="REV", nargs="+", default=[], help="print other revisions' beside"
    )
    parser.add_argument("--names", action="store_true", help="print the names behind the figures")
    given = parser.parse_args(arguments)
    try:
        columns = {}
        for revision in given.against:
            with checked_out(revision) as tree:
                columns[revision] = measured(tree)
        columns["Here"] = measured(PROJECT)
    except subprocess.CalledProcessError as error:
        print(f"`{' '.join(map(str, error.cmd))}` failed", file=sys.stderr)
        return 1
    print("\n".join(figures_table(columns)))
    for title, figures in columns.items() if given.names else ():
        print("", *details(title, figures), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
