"""`make soak-virtual`: an hour of one call, and a thousand calls in one process, in virtual time.

Of a call only the providers' sockets, the room and the clock are not the product's. Prints what a
minute costs and what the process holds, and ends with 1 if anything grows.
"""

import argparse
import asyncio
import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeVar

import looptime
import psutil
from livekit.agents import AgentSession
from rich.console import Console

from agent.call.session import SessionParts
from workbench.arguments import command, positive
from workbench.bench.pages import terminal_table
from workbench.bench.soak.trend import Trend, trend
from workbench.bench.soak.virtual_call import a_call, parts_without_network

__all__ = ["Held", "Minute", "many_calls", "minutes", "on_a_virtual_clock"]

_Result = TypeVar("_Result")
CALL_SECONDS, CLOSED_SECONDS = 6.5, 5.0
"""A question and its answer; and until nothing is left to be closed."""
CACHES_ARE_FULL_AFTER = 100
"""Calls: LiveKit keeps some of what it makes for the latest fifty."""
_MINUTE_GROWS = 0.1
"""So many more steps may the last minute take than the second, as a share."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What one minute of a call cost."""

    cpu_seconds: float
    steps: int
    """Calls of Python functions; 0 where they were not counted: counting costs CPU."""
    answers: int


async def minutes(
    session: AgentSession[None], count: int, counted: Sequence[int], *, seconds: float = 60
) -> list[Minute]:
    """So many minutes of a call that is in progress. In those that are `counted` steps are."""
    found = []
    for number in range(count):
        said, steps, before = _answers(session), _Steps(), time.process_time()
        with steps if number in counted else _Nothing():
            await asyncio.sleep(seconds)
        cost = time.process_time() - before
        found.append(Minute(cost, steps.count, _answers(session) - said))
    return found


def _answers(session: AgentSession[None]) -> int:
    return sum(item.role == "assistant" for item in session.history.messages())


class _Nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


class _Steps(_Nothing):
    """Counts calls of Python functions while it is entered."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> None:
        sys.setprofile(self._counted)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _counted(self, _: object, event: str, __: object) -> None:
        self.count += event == "call"


def on_a_virtual_clock(work: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    """What the coroutine of `work` returns."""
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        return runner.run(work())


async def _an_hour(shared: SessionParts, count: int) -> list[Minute]:
    async with a_call(shared) as session:
        return await minutes(session, count, (1, count - 1))


@dataclass(frozen=True, slots=True)
class Held:
    """What the process holds when so many calls have come and gone."""

    calls: int
    megabytes: float
    objects: int
    tasks: int
    threads: int
    files: int

    @classmethod
    def now(cls, calls: int) -> "Held":
        gc.collect()
        process = psutil.Process()
        return cls(
            calls,
            process.memory_full_info().uss / 2**20,
            len(gc.get_objects()),
            len(asyncio.all_tasks()),
            threading.active_count(),
            process.num_fds(),
        )


_MAY_GROW = {"megabytes": 4.0, "objects": 2000.0, "tasks": 0.0, "threads": 0.0, "files": 0.0}


async def many_calls(
    shared: SessionParts, count: int, at_once: int, tell: Callable[[Held], None]
) -> list[Held]:
    """So many calls with a turn each, some at once; what the process holds after each twentieth."""
    every, found = max(at_once, count // 20), list[Held]()

    async def hold(numbers: Iterator[int]) -> None:
        for _ in numbers:
            async with a_call(shared):
                await asyncio.sleep(CALL_SECONDS)

    for done in range(every, count + 1, every):
        numbers = iter(range(every))
        await asyncio.gather(*(hold(numbers) for _ in range(at_once)))
        await asyncio.sleep(CLOSED_SECONDS)
        found.append(Held.now(done))
        tell(found[-1])
    return found


def _show_hour(console: Console, found: Sequence[Minute]) -> bool:
    """Print it; whether the last minutes cost no more than the first."""
    first, last = found[1], found[-1]
    plain = [each for each in found if not each.steps]
    third = max(1, len(plain) // 3)
    cpu = [median(each.cpu_seconds for each in part) for part in (plain[:third], plain[-third:])]
    rows = [
        ("calls of Python functions, 2nd and last minute", f"{first.steps}", f"{last.steps}"),
        ("answers in these", f"{first.answers}", f"{last.answers}"),
        ("CPU seconds a minute, first and last third", *(f"{each:.2f}" for each in cpu)),
    ]
    title = f"A call of {len(found)} minutes, in virtual time"
    console.print(terminal_table(title, ("", "at first", "at last"), rows))
    return last.steps <= first.steps * (1 + _MINUTE_GROWS)


def _show_calls(console: Console, found: Sequence[Held]) -> bool:
    """Print it; whether nothing grows once caches are full."""
    warm = [each for each in found if each.calls >= CACHES_ARE_FULL_AFTER]
    times = [float(each.calls) for each in warm]
    rows, is_flat = [], True
    for name, may_grow in _MAY_GROW.items():
        values = [float(getattr(each, name)) for each in warm]
        grown: Trend = trend(times, values, may_grow)
        is_flat = is_flat and grown.is_flat
        shown = (f"{values[0]:.5g}", f"{values[-1]:.5g}", f"{grown.growth:+.3g}")
        rows.append((name, *shown, "flat" if grown.is_flat else "GROWS"))
    title = f"{found[-1].calls} calls in one process, from the {warm[0].calls}th on"
    heads = ("", "at first", "at last", "trend", "")
    console.print(terminal_table(title, heads, rows))
    return is_flat


def _options() -> argparse.Namespace:
    parser = command("make soak-virtual", __doc__)
    parser.add_argument("--minutes", type=positive, default=60, help="of the one call")
    parser.add_argument("--calls", type=positive, default=1000, help="one after the other")
    parser.add_argument("--at-once", type=positive, default=4, help="of them")
    return parser.parse_args()


def main() -> int:
    """1 if anything grows."""
    options, console = _options(), Console(width=110)
    logging.disable(logging.CRITICAL)
    shared = parts_without_network()
    hour = on_a_virtual_clock(lambda: _an_hour(shared, max(6, options.minutes)))
    is_flat = _show_hour(console, hour)
    calls = max(6 * CACHES_ARE_FULL_AFTER // 5, options.calls)

    def tell(held: Held) -> None:
        print(f"{held.calls} calls: {held.megabytes:.0f} MB, {held.objects} objects", flush=True)

    found = on_a_virtual_clock(lambda: many_calls(shared, calls, options.at_once, tell))
    return 0 if _show_calls(console, found) and is_flat else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # LiveKit's native library keeps the interpreter from ending by itself
