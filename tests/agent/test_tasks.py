"""Tasks end with their owner, and what they fail with is noticed. Time is virtual."""

import ast
import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.tasks import ENDING_SECONDS, OwnedTask, Tasks, first_of

pytestmark = pytest.mark.looptime

ROOT = Path(__file__).parents[2]


class Worker:
    """Work that notes how it ended."""

    def __init__(self) -> None:
        self.ended = ""

    async def run(self, seconds: float = 3600.0, failure: Exception | None = None) -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)  # it has something to clear away
            self.ended = "cancelled"
            raise
        if failure:
            raise failure
        self.ended = "done"
        return "result"


async def stubborn() -> None:
    """Goes on when it is cancelled for the first time."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(60)
    await asyncio.sleep(60)


async def fail_beside(worker: Worker) -> None:
    async with Tasks() as tasks:
        tasks.start(worker.run(), name="worker")
        await asyncio.sleep(1)
        raise LookupError


async def raise_what_it_raises(task: OwnedTask[str]) -> None:
    async with task:
        await asyncio.wait([task.task])
        task.task.result()


async def wait_for_the_first(task: OwnedTask[str]) -> None:
    async with task:
        await first_of(asyncio.shield(task.task), asyncio.sleep(60))


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_tasks_have_ended_when_their_owner_has_closed_them() -> None:
    tasks, first, second = Tasks(), Worker(), Worker()
    tasks.start(first.run(), name="first")
    tasks.start(second.run(), name="second")
    await asyncio.sleep(1)
    await tasks.aclose()
    assert (first.ended, second.ended) == ("cancelled", "cancelled")


async def test_tasks_end_with_the_block_of_their_owner_whatever_ends_it() -> None:
    worker = Worker()
    with pytest.raises(LookupError):
        await fail_beside(worker)
    assert worker.ended == "cancelled"


async def test_a_task_that_fails_is_logged_at_once_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = Worker()
    async with Tasks() as tasks:
        tasks.start(Worker().run(1, LookupError("lost")), name="finder")
        going_on = tasks.start(worker.run(10), name="worker")
        await asyncio.sleep(2)
        (line,) = caplog.records
        assert (line.message, vars(line)["task"]) == ("a task failed", "finder")
        assert line.exc_info
        assert isinstance(line.exc_info[1], LookupError)
        assert await going_on == "result"


async def test_tasks_that_end_by_themselves_are_waited_for() -> None:
    tasks, worker = Tasks(), Worker()
    await tasks.ended()
    tasks.start(worker.run(5), name="worker")
    await tasks.ended()
    assert worker.ended == "done"


async def test_a_task_that_does_not_end_holds_nobody_up_for_long(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks, began = Tasks(), now()
    task = tasks.start(stubborn(), name="stubborn")
    await asyncio.sleep(1)
    await tasks.aclose()
    assert now() - began == pytest.approx(1 + ENDING_SECONDS)
    assert [vars(line)["task"] for line in caplog.records] == ["stubborn"]
    assert not task.done()


async def test_a_task_of_a_block_gives_its_result_or_raises_its_failure_unlogged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with OwnedTask(Worker().run(1), name="worker") as task:
        assert await task.result() == "result"
    with pytest.raises(LookupError):
        async with OwnedTask(Worker().run(1, LookupError()), name="worker") as task:
            await task.result()
    assert not caplog.records


async def test_a_task_of_a_block_ends_with_it_and_an_unnoticed_failure_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = Worker()
    async with OwnedTask(worker.run(), name="worker"):
        await asyncio.sleep(1)
    assert worker.ended == "cancelled"
    assert not caplog.records
    async with OwnedTask(Worker().run(1, LookupError()), name="finder"):
        await asyncio.sleep(2)
    assert [vars(line)["task"] for line in caplog.records] == ["finder"]


async def test_a_failure_that_ends_the_block_or_is_watched_by_the_owner_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(LookupError):
        await raise_what_it_raises(OwnedTask(Worker().run(1, LookupError()), name="finder"))
    with pytest.raises(LookupError):
        await wait_for_the_first(OwnedTask(Worker().run(1, LookupError()), name="finder"))
    watched = OwnedTask(Worker().run(1, LookupError()), name="finder", is_watched=True)
    await asyncio.wait([watched.task])
    await watched.aclose()
    assert not caplog.records


async def test_the_first_to_end_ends_the_wait_and_the_others() -> None:
    slow = Worker()
    await first_of(slow.run(), asyncio.sleep(1))
    assert slow.ended == "cancelled"
    with pytest.raises(LookupError):
        await first_of(slow.run(), Worker().run(1, LookupError()))


BEGINS = ("create_task", "ensure_future", "run_coroutine_threadsafe")
OTHERS = {
    "agent/caller/line.py": "a caller's, which end with its call; a failure of one is its fault",
    "agent/doctor/examination.py": "a check that is given up: the command does not wait for it",
    "agent/livekit_private/__init__.py": "one that LiveKit's stream awaits in the place of its own",
    "agent/worker/hosts/program.py": "a call's, in its own context: no group can give it that",
}
"""Who else begins a task outside of a TaskGroup, and why."""


def bare_tasks(text: str) -> Iterator[str]:
    """The calls in a module that begin a task which no TaskGroup owns.

    A group's own method is called on something that the module makes or takes as a TaskGroup.
    """
    tree = ast.parse(text)
    groups = set()
    for node in [*ast.walk(tree)] * 2:  # an argument comes after what it is assigned to
        match node:
            case ast.withitem(context_expr=made, optional_vars=ast.expr() as name):
                found = name
            case ast.Assign(targets=[name], value=made):
                found = name
            case ast.arg(arg=argument, annotation=ast.expr() as made):
                found = ast.Name(argument)
            case _:
                continue
        if ast.unparse(made) in ("asyncio.TaskGroup()", "asyncio.TaskGroup", *groups):
            groups.add(ast.unparse(found))
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in BEGINS:
                if ast.unparse(owner) not in groups:
                    yield ast.unparse(node.func)


def test_a_bare_task_is_told_from_that_of_a_group() -> None:
    text = """
async def work(tasks: asyncio.TaskGroup, loop):
    async with asyncio.TaskGroup() as group:
        group.create_task(a())
        tasks.create_task(a())
        asyncio.create_task(a())
        loop.create_task(a())

class Owner:
    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks

    def start(self) -> None:
        self._tasks.create_task(a())
"""
    assert list(bare_tasks(text)) == ["asyncio.create_task", "loop.create_task"]


def test_tasks_begin_in_groups_or_in_the_module_that_owns_them() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for package in ("agent", "config")
        for path in (ROOT / package).rglob("*.py")
        if list(bare_tasks(path.read_text("utf-8")))
    }
    assert found == {"agent/tasks.py", *OTHERS}
