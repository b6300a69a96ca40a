"""The page of the benchmark of answers: its figures, its spread, and parts that came to nothing."""

import asyncio
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from workbench.bench.figures import Figure
from workbench.bench.latency.contestants import CONTESTANTS, OURS, STOCK
from workbench.bench.latency.dialogue import DIALOGUE, Line
from workbench.bench.latency.measurement import Marks, Result, Summary, Turn
from workbench.bench.latency.page import page, pictures, write
from workbench.bench.latency.parts import PARTS, SWEEP, TOTAL_SECONDS, Fault, Figures, bounded
from workbench.bench.latency.providers import Delays
from workbench.bench.latency.report import figures as figures_of
from workbench.bench.latency.spread import ratio_interval

LINE = Line(("Hello.",))
MADE = "Made by a test."


def result(reply_ms: float | None) -> Result:
    marks = None if reply_ms is None else Marks(260, 410, 265, 565, 570, 720, reply_ms)
    return Result(Turn(LINE, 0, 1), marks, False, llm_requests=2, tokens=40, wasted_tokens=10)


def figures(ours: Sequence[float | None], stock: Sequence[float | None]) -> Figures:
    return {
        each.name: Summary(tuple(map(result, stock if "stock" in each.name else ours)))
        for each in CONTESTANTS
    }


ANSWERED = figures([700, 750, 800], [1000, 1500, 1600])
SILENT = figures([None, None], [None, None])


def rendered(**results: Figures | Fault) -> str:
    named = {name.replace("_", "-"): found for name, found in results.items()}
    return page(named, None, DIALOGUE, Delays(), MADE)


def test_the_first_table_has_a_row_for_every_part_and_contestant() -> None:
    text = rendered(process=ANSWERED, room_late=ANSWERED)
    table = text.partition("AGENT_EAGERNESS`\n")[2].partition("\n## ")[0]
    assert MADE in table
    rows = [line for line in table.splitlines() if re.match(r"\| In(side)? ", line)]
    assert len(rows) == 2 * len(CONTESTANTS)
    assert "| Inside one process | usual | ours, some | 3 of 3 | 750 ms | 0.50 |" in table
    assert "| In a room | tells late | stock | 3 of 3 | 1500 ms | 1.00 |  | 2.0 | 25% |" in table


def test_a_part_without_a_reply_says_so_in_a_sentence() -> None:
    text = rendered(room=SILENT)
    names = "; ".join(each.name for each in CONTESTANTS)
    assert f"No reply was heard in this part from: {names}." in text
    assert "0 of 2" in text
    assert list(pictures({"room": SILENT})) == []
    assert ".svg" not in text


def test_only_one_who_was_not_heard_is_named() -> None:
    found = {**ANSWERED, "ours": Summary((result(None),) * 3)}
    text = rendered(room=found)
    assert "No reply was heard in this part from: ours." in text
    [(name, drawing)] = pictures({"room": found})
    assert name == "latency-room.svg"
    assert "ours, some" in drawing


def test_a_part_that_failed_says_why() -> None:
    text = rendered(process=ANSWERED, room=Fault("it was stopped after 240 s"))
    assert "This part has no figures: it was stopped after 240 s." in text
    assert "| In a room" not in text


def test_a_sweep_that_failed_says_why() -> None:
    text = page({}, Fault("no time was left for it"), DIALOGUE, Delays(), MADE)
    assert f"## {SWEEP.heading}\n\nThis part has no figures: no time was left for it." in text


def test_a_sweep_has_a_row_for_each_case() -> None:
    text = page({}, {"as stated": ANSWERED, "slow LLM": SILENT}, DIALOGUE, Delays(), MADE)
    assert "| as stated | 750 ms (0.50) |" in text
    assert "| slow LLM | no reply |" in text


def test_pictures_that_were_not_drawn_are_removed(tmp_path: Path) -> None:
    stale = tmp_path / "latency-late.svg"
    stale.write_text("old", encoding="utf-8")
    write(tmp_path, "text\n", pictures({"process": ANSWERED}))
    assert {each.name for each in tmp_path.iterdir()} == {"latency.md", "latency.svg"}


def test_the_parts_fit_into_a_quarter_of_an_hour() -> None:
    assert TOTAL_SECONDS <= 15 * 60
    assert all(part.limit_seconds < TOTAL_SECONDS for part in (*PARTS, SWEEP))
    assert len({part.picture for part in PARTS}) == len(PARTS)


async def test_a_part_is_bounded_and_raises_nothing() -> None:
    async def answer() -> int:
        return 1

    async def fail() -> int:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail_alone())
        return 1

    async def fail_alone() -> None:
        raise ConnectionError("refused\nmore")

    async def hang() -> int:
        await asyncio.Event().wait()
        return 1

    assert await bounded(answer(), 60) == 1
    assert await bounded(fail(), 60) == Fault("it failed: ConnectionError: refused")
    stopped = await bounded(hang(), 0.01)
    assert isinstance(stopped, Fault)
    assert "stopped" in stopped.text
    assert await bounded(answer(), 0) == Fault("no time was left for it")


def test_the_same_ratio_in_every_turn_has_no_spread() -> None:
    base = [1000.0, 1200.0, 1700.0, 1400.0]
    assert ratio_interval([each / 2 for each in base], base) == pytest.approx((0.5, 0.5))


def test_the_spread_holds_the_ratio_and_narrows_with_more_turns() -> None:
    chance = random.Random(3)
    few, many = (
        [(chance.gauss(700, 60), chance.gauss(1400, 200)) for _ in range(turns)]
        for turns in (10, 400)
    )
    widths = []
    for turns in (few, many):
        spread = ratio_interval([mine for mine, _ in turns], [base for _, base in turns])
        assert spread is not None
        assert spread[0] < 0.5 < spread[1]
        widths.append(spread[1] - spread[0])
    assert widths[1] < widths[0] / 2


def test_turns_without_a_reply_are_left_out_of_the_spread() -> None:
    assert ratio_interval([500, None, 500], [1000, None, None]) is None
    assert ratio_interval([500, None, 500], [1000, 1000, 1000]) == pytest.approx((0.5, 0.5))
    with pytest.raises(ValueError, match="not the same"):
        ratio_interval([1.0], [])


def test_a_part_has_figures_for_make_bench_and_a_failed_one_none() -> None:
    found = list(
        figures_of({"room": ANSWERED, "process": Fault("it failed")}, OURS.name, STOCK.name)
    )
    assert found[0] == Figure(name="reply, median, room", unit="ms", ours=750, stock=1500)
    assert {each.name: (each.ours, each.stock) for each in found[1:]} == {
        "turns without a reply, room": (0, 0),
        "turns cut off, room": (0, 0),
        "tokens wasted, room": (25, 25),
    }


def test_a_part_in_which_nobody_answered_says_so_in_figures() -> None:
    found = list(figures_of({"room": SILENT}, OURS.name, STOCK.name))
    assert found[0] == Figure(name="turns without a reply, room", unit="", ours=2, stock=2)
