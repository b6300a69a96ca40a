"""Whether something grows; and that conversations, one after the other, leave nothing behind."""

import asyncio
import gc
import logging
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psutil  # type: ignore[import-untyped] # it has no stubs
import pytest
from livekit.agents import Agent, function_tool

from agent.testing import calls, conversation
from workbench.bench.soak.__main__ import rows
from workbench.bench.soak.picture import picture
from workbench.bench.soak.sampling import KEPT, Sample
from workbench.bench.soak.trend import Trend, trend
from workbench.bench.soak.virtual import Held, Minute, many_calls, minutes, on_a_virtual_clock
from workbench.bench.soak.virtual_call import a_call, parts_without_network

TIMES = [5.0 * number for number in range(60)]
EACH = 6
CACHES_ARE_FULL_AFTER = 9
"""Rounds of conversations: LiveKit keeps some of what it makes for the latest fifty."""


def noisy(growth: float, seed: int = 1) -> list[float]:
    """100, and `growth` from the beginning to the end, with noise of 2 and some outliers."""
    chance = random.Random(seed)
    line = (100 + growth * time / TIMES[-1] + chance.gauss(0, 2) for time in TIMES)
    return [value + (80 if chance.random() < 0.05 else 0) for value in line]


@pytest.mark.parametrize("seed", range(8))
def test_noise_is_flat_and_a_leak_is_none(seed: int) -> None:
    assert trend(TIMES, noisy(0, seed), tolerance=3).is_flat
    leaking = trend(TIMES, noisy(12, seed), tolerance=3)
    assert not leaking.is_flat
    assert leaking.growth == pytest.approx(12, abs=4)


def test_a_growth_that_is_allowed_is_flat() -> None:
    assert trend(TIMES, noisy(12), tolerance=15).is_flat


@pytest.mark.parametrize("times", [[], [1.0, 2.0], [1.0, 1.0, 1.0]])
def test_too_few_samples_have_no_trend(times: list[float]) -> None:
    with pytest.raises(ValueError, match="three samples"):
        trend(times, times, 1)


def test_each_figure_has_its_line_and_its_drawing() -> None:
    names = {kept.field for kept in KEPT}
    assert names == set(Sample.__slots__) - {"seconds"}
    samples = [Sample(seconds, *[float(seconds)] * len(KEPT)) for seconds in (0, 60)]  # type: ignore[arg-type]
    drawn = picture(samples, "2 calls")
    assert all(kept.name in drawn for kept in KEPT)
    table = rows({"threads": Trend(10, 0, 0, 1), "memory": Trend(10, 9, 8, 1)})
    assert [row[-1] for row in table] == ["flat", "GROWS"]


class Shop(Agent):
    """With a tool that fails every other time."""

    @function_tool
    async def price_of(self, article: str) -> str:
        """What it costs."""
        if len(article) % 2:
            raise ValueError(article)
        return "a coin"


async def talk(number: int, keep: Callable[[Any], object] = id) -> None:
    """A short conversation: a tool, an answer, and a goodbye or a caller who is just gone."""
    shop = Shop(instructions="You sell.")
    answers = calls("price_of", article="x" * number), "A coin.", calls("end_call")
    async with conversation(shop, *answers) as talk:
        await talk.ask("What does it cost?")
        if number % 3:
            await talk.ask("Goodbye.")
        keep(talk.session)


@pytest.fixture
def _unlogged() -> Iterator[None]:
    """pytest keeps each line of the log, and so whatever it mentions."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


async def held(rounds: int, keep: Callable[[Any], object] = id) -> dict[str, list[int]]:
    """What this process holds after each round of conversations."""
    found: dict[str, list[int]] = {"tasks": [], "threads": [], "files": [], "objects": []}
    for _ in range(rounds):
        for number in range(EACH):
            await talk(number, keep)
        await asyncio.sleep(0)
        gc.collect()
        found["tasks"].append(len(asyncio.all_tasks()))
        found["threads"].append(threading.active_count())
        found["files"].append(psutil.Process().num_fds())
        found["objects"].append(len(gc.get_objects()))
    return found


@pytest.mark.usefixtures("_unlogged")
async def test_conversations_leave_nothing_behind_and_a_session_that_is_kept_is_noticed() -> None:
    await held(CACHES_ARE_FULL_AFTER)
    for name, values in (await held(4)).items():
        allowed = 50 if name == "objects" else 0
        assert trend(range(4), values, tolerance=allowed).is_flat, (name, values)
    kept: list[Any] = []
    objects = (await held(4, kept.append))["objects"]
    assert not trend(range(4), objects, tolerance=50).is_flat


@pytest.mark.usefixtures("_unlogged")
def test_calls_in_virtual_time_are_answered_and_counted() -> None:
    shared = parts_without_network()

    async def two_minutes() -> list[Minute]:
        async with a_call(shared) as session:
            return await minutes(session, 2, counted=[1], seconds=7)

    first, second = on_a_virtual_clock(two_minutes)
    assert (first.answers, first.steps) == (1, 0)
    assert second.answers == 1
    assert second.steps > 10_000
    told: list[Held] = []
    held = on_a_virtual_clock(lambda: many_calls(shared, 2, 2, told.append))
    assert held == told
    assert [(each.calls, each.tasks) for each in held] == [(2, 1)]
