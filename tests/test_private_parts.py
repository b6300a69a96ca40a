"""Private parts of other packages are used in two modules, and each of them has a test."""

import ast
import functools
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("agent", "config", "stt_assemblyai")
PRIVATE_MODULES = (
    "agent/livekit_private/__init__.py",
    "agent/livekit_private/events.py",
    "agent/livekit_private/jobs.py",
    "stt_assemblyai/livekit/private.py",
)
ELSEWHERE = [
    path
    for package in OURS
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.relative_to(ROOT).as_posix() not in PRIVATE_MODULES
]
EXCEPTIONS = {"_exit": "os._exit: Python documents it under this name"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def is_private(name: str) -> bool:
    return bool(re.fullmatch(r"_(?!_)\w+", name))


def is_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def given_to_self(tree: ast.AST) -> set[str]:
    """What the methods below `tree` store in `self`."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node)
    }


def declared(tree: ast.AST) -> set[str]:
    """The functions, classes and annotated fields below `tree`."""
    names = {node.name for node in ast.walk(tree) if isinstance(node, Function | ast.ClassDef)}
    return names | {
        node.target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def imported(tree: ast.AST) -> Iterator[str]:
    """The private names in imports, of modules or of what is in them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            yield from filter(is_private, ".".join(names).split("."))


def reached(tree: ast.AST, own: set[str]) -> Iterator[str]:
    """The private attributes of other objects than `self`, also those named in a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if not is_self(node) and node.attr not in own:
                yield node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr"):
            yield from filter(is_private, map(ast.literal_eval, filter(is_text, node.args)))


def inherited(path: Path) -> Iterator[str]:
    """What classes of a module read, set or override of the private parts of other packages' base
    classes. Abstract methods are there to be overridden, and are none."""
    classes = [node for node in tree_of(path).body if isinstance(node, ast.ClassDef) and node.bases]
    if not classes:
        return
    module = importlib.import_module(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    )
    for node in classes:
        used = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
        used |= {each.name for each in ast.walk(node) if isinstance(each, Function)}
        family = getattr(module, node.name).__mro__
        used -= {name for each in family for name in getattr(each, "__abstractmethods__", ())}
        for base in family:
            if base.__module__.split(".")[0] not in (*OURS, "builtins"):
                yield from used & private_names(base)


@functools.cache
def private_names(base: type) -> set[str]:
    """The private names of a class, with those that its methods give to `self`."""
    try:
        source = tree_of(Path(inspect.getsourcefile(base) or ""))
    except (TypeError, OSError):  # it is written in C
        return set(filter(is_private, vars(base)))
    own = [
        node
        for node in ast.walk(source)
        if isinstance(node, ast.ClassDef) and node.name == base.__name__
    ]
    stored = {name for node in own for name in given_to_self(node)}
    return {name for name in stored | set(vars(base)) if is_private(name)}


@pytest.mark.parametrize("path", ELSEWHERE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_uses_private_parts_of_no_other_package(path: Path) -> None:
    tree = tree_of(path)
    own = given_to_self(tree) | declared(tree)
    found = {*imported(tree), *reached(tree, own), *inherited(path)} - EXCEPTIONS.keys()
    assert not found, f"put {sorted(found)} into one of {PRIVATE_MODULES}, with a test"


@pytest.mark.parametrize("module", PRIVATE_MODULES)
def test_each_private_part_has_a_test_that_names_it(module: str) -> None:
    tree = tree_of(ROOT / module)
    own = {each.name for each in tree.body if isinstance(each, Function)}
    found = {*imported(tree), *reached(tree, own), *inherited(ROOT / module)}
    for kind in (each for each in tree.body if isinstance(each, ast.ClassDef)):
        found |= {each for each in declared(kind) - own if is_private(each)}
    *rooms, name = Path(module.replace("__init__", "package")).parts
    tests = ROOT.joinpath("tests", *rooms, f"test_{name}").read_text("utf-8")
    assert found
    assert not [each for each in sorted(found) if f'"{each}"' not in tests]


def test_the_exceptions_are_needed() -> None:
    used = {name for path in ELSEWHERE for name in reached(tree_of(path), set())}
    assert used >= EXCEPTIONS.keys()


@pytest.mark.parametrize(
    "text",
    [
        "from livekit.agents.cli import _legacy",
        "import anyio._backends",
        "from livekit.agents._x import y",
    ],
)
def test_an_import_of_a_private_name_is_found(text: str) -> None:
    assert list(imported(ast.parse(text)))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("session.room_io._output", ["_output"]),
        ("getattr(sink, '_text', None)", ["_text"]),
        ("self._own; cls._own; other._own", []),
        ("x.__class__; y.public", []),
    ],
)
def test_an_attribute_of_another_object_is_found(text: str, names: list[str]) -> None:
    assert list(reached(ast.parse(text), {"_own"})) == names
