"""The sizes of a source tree, by syntax tree alone: nothing of it is imported."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Class", "Tree", "read_tree"]

LONG_FUNCTION_LINES, LONG_FILE_LINES = 40, 300

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Class:
    """One class by its size. Fields of a dataclass count as both, unless it is frozen: a value."""

    name: str
    attributes: int
    """Different names that its methods assign on `self`."""
    arguments: int
    """Of the constructor, without `self`, `*` and `**`."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The sizes of the Python files below some folders; names are `path name`."""

    lines: dict[str, int]
    """By path."""
    long_functions: tuple[str, ...]
    """Longer than 40 lines, from `def` on."""
    classes: tuple[Class, ...]
    callbacks: tuple[str, ...]
    """Parameters, and fields of dataclasses, whose annotation names a callable."""

    @property
    def modules(self) -> Counter[str]:
        """How many modules each folder holds itself, by its path; `__init__` is none."""
        paths = (Path(path) for path in self.lines)
        return Counter(path.parent.as_posix() for path in paths if path.stem != "__init__")

    @property
    def long_files(self) -> tuple[str, ...]:
        """Those of more than 300 lines."""
        return tuple(path for path, count in self.lines.items() if count > LONG_FILE_LINES)

    def largest(self, count: int) -> list[Class]:
        """The classes with most attributes."""
        return sorted(self.classes, key=lambda each: (-each.attributes, each.name))[:count]


def read_tree(root: Path, packages: tuple[str, ...]) -> Tree:
    """Measure the packages below `root`. Raises SyntaxError for a file that is not Python."""
    paths = sorted(path for package in packages for path in (root / package).rglob("*.py"))
    texts = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in paths}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    callables = {"Callable"} | {name for tree in trees.values() for name in _callable_names(tree)}
    return Tree(
        lines={path: len(text.splitlines()) for path, text in texts.items()},
        long_functions=tuple(
            f"{path} {name}"
            for path, tree in trees.items()
            for name, node in _named(tree)
            if isinstance(node, _FUNCTIONS) and _lines(node) > LONG_FUNCTION_LINES
        ),
        classes=tuple(
            Class(f"{path} {name}", len(_attributes(node)), len(_constructor(node)))
            for path, tree in trees.items()
            for name, node in _named(tree)
            if isinstance(node, ast.ClassDef)
        ),
        callbacks=tuple(
            f"{path} {name}({each.name})"
            for path, tree in trees.items()
            for name, node in _named(tree)
            for each in _parameters(node)
            if callables & each.types
        ),
    )


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    types: frozenset[str]
    """Every name in its annotation."""


def _parameter(name: str, annotation: ast.expr | None) -> _Parameter:
    text = "" if annotation is None else ast.unparse(annotation)
    return _Parameter(name, frozenset(re.findall(r"[A-Za-z_]\w*", text)))


def _parameters(node: ast.AST) -> list[_Parameter]:
    """Of a function; of a dataclass its fields."""
    if isinstance(node, _FUNCTIONS):
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        return [_parameter(each.arg, each.annotation) for each in every]
    if isinstance(node, ast.ClassDef) and _dataclass(node) is not None:
        return _fields(node)
    return []


def _named(node: ast.AST, outer: str = "") -> Iterator[tuple[str, _Function | ast.ClassDef]]:
    """Functions and classes below a node, each with its name behind those it stands in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
            name = f"{outer}.{child.name}".lstrip(".")
            yield name, child
            yield from _named(child, name)
        else:
            yield from _named(child, outer)


def _lines(node: _Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _attributes(node: ast.ClassDef) -> set[str]:
    stores = (each for each in ast.walk(node) if isinstance(each, ast.Attribute))
    on_self = {
        each.attr
        for each in stores
        if isinstance(each.ctx, ast.Store)
        and isinstance(each.value, ast.Name)
        and each.value.id == "self"
    }
    return on_self | ({each.name for each in _fields(node)} if _is_mutable(node) else set())


def _constructor(node: ast.ClassDef) -> list[_Parameter]:
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            return _parameters(each)[1:]
    return _fields(node) if _is_mutable(node) else []


def _dataclass(node: ast.ClassDef) -> ast.expr | None:
    """The decorator that makes it one."""
    for each in node.decorator_list:
        name = each.func if isinstance(each, ast.Call) else each
        if ast.unparse(name).rpartition(".")[2] == "dataclass":
            return each
    return None


def _is_mutable(node: ast.ClassDef) -> bool:
    decorator = _dataclass(node)
    return decorator is not None and "frozen=True" not in ast.unparse(decorator)


def _fields(node: ast.ClassDef) -> list[_Parameter]:
    return [
        _parameter(each.target.id, each.annotation)
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    ]


def _callable_names(tree: ast.Module) -> Iterator[str]:
    """Names that a module gives to types of callables: `Dial = Callable[...]`."""
    for each in tree.body:
        match each:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript(value=value)):
                if ast.unparse(value).rpartition(".")[2] == "Callable":
                    yield name
