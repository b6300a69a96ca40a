"""What was found, as sections of a page and as tables for the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workbench.bench.profile.calls import Measured
from workbench.bench.profile.groups import group_of
from workbench.bench.profile.imports import Imports
from workbench.bench.profile.stacks import Stack, seconds_by
from workbench.bench.profile.threads import by_name

__all__ = [
    "Table",
    "counts_table",
    "functions_table",
    "groups_table",
    "starts_table",
    "threads_table",
]

_LEAST_SECONDS = 0.005
_MOST_ROWS = 16
_MANY_ROWS = 20


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `heads` are of the name and of the figures."""

    title: str
    heads: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)


def threads_table(found: Mapping[str, Measured]) -> Table:
    """Seconds of CPU for a minute of one call, by thread, for each kind of call."""
    named = {kind: by_name(each.threads) for kind, each in found.items()}
    first = next(iter(named.values()))
    names = list(dict.fromkeys([*first, *(name for each in named.values() for name in each)]))
    rows = []
    for name in names:
        used = [each.per_call(named[kind].get(name, 0.0)) for kind, each in found.items()]
        if max(used) >= _LEAST_SECONDS:
            rows.append((name, *(f"{each:.2f}" for each in used)))
    sums = [each.per_call(sum(named[kind].values())) for kind, each in found.items()]
    rows.append(("all", *(f"{each:.2f}" for each in sums)))
    rows.append(("% of a core", *(f"{each / 0.6:.1f}" for each in sums)))
    answers = [each.turns / each.calls / each.seconds * 60 for each in found.values()]
    rows.append(("answers in a minute", *(f"{each:.1f}" for each in answers)))
    return Table("By thread", ("s of CPU in a minute of call", *found), rows)


def groups_table(found: Mapping[str, Measured]) -> Table:
    """The same of Python's part, by what it is done for."""
    named = {
        kind: seconds_by(_python(each), lambda stack: group_of(stack.frames))
        for kind, each in found.items()
        if each.stacks
    }
    first = next(iter(named.values()))
    names = list(dict.fromkeys([*first, *(name for each in named.values() for name in each)]))
    rows = []
    for name in names:
        used = [_of_one(found[kind], named[kind].get(name, 0.0)) for kind in named]
        if max(used) >= _LEAST_SECONDS:
            rows.append((name, *(f"{each:.2f}" for each in used)))
    sums = [_of_one(found[kind], sum(named[kind].values())) for kind in named]
    rows.append(("all that Python does", *(f"{each:.2f}" for each in sums)))
    return Table("By what Python does", ("s of CPU in a minute of call", *named), rows)


def _of_one(measured: Measured, seconds: float) -> float:
    """The sampler watched one process alone."""
    return seconds / measured.seconds * 60


def functions_table(measured: Measured) -> Table:
    """The dearest functions, by themselves."""
    named = seconds_by(_python(measured), lambda stack: stack.frames[-1])
    rows: list[tuple[str, ...]] = [
        (name, f"{_of_one(measured, used):.3f}") for name, used in named.items()
    ]
    return Table(
        "By function", ("the function itself", "s of CPU in a minute of call"), rows[:_MANY_ROWS]
    )


def _python(measured: Measured) -> list[Stack]:
    """Without what LiveKit's own threads do between two calls of Python."""
    return [each for each in measured.stacks if each.frames]


def counts_table(title: str, found: Mapping[str, Mapping[str, float]]) -> Table:
    """How often a second, for each kind of call."""
    names = dict.fromkeys(name for each in found.values() for name in each)
    rows = [(name, *(f"{each.get(name, 0.0):.1f}" for each in found.values())) for name in names]
    rows.sort(key=lambda row: -max(float(each) for each in row[1:]))
    sums = [sum(each.values()) for each in found.values()]
    rows = [*rows[:_MOST_ROWS], ("all", *(f"{each:.1f}" for each in sums))]
    return Table(title, ("times a second", *found), rows)


def starts_table(found: Mapping[str, tuple[Imports, float]]) -> Table:
    """What is imported at the start, and the CPU of all of it, by process."""
    rows: list[tuple[str, ...]] = [
        ("modules imported", *(str(each.modules) for each, _ in found.values())),
        ("their imports, s", *(f"{each.seconds:.2f}" for each, _ in found.values())),
        ("all until it is ready, s of CPU", *(f"{used:.2f}" for _, used in found.values())),
    ]
    names: Sequence[str] = list(
        dict.fromkeys(name for each, _ in found.values() for name in list(each.by_package)[:12])
    )
    rows += [
        (f"`{name}`, s", *(f"{each.by_package.get(name, 0.0):.2f}" for each, _ in found.values()))
        for name in names
    ]
    return Table("The start", ("", *found), rows)
