"""What a burst is judged by."""

import asyncio
import os
import sys
from collections import Counter

from workbench.bench.burst.__main__ import shown
from workbench.bench.burst.cost import Costs
from workbench.bench.burst.figures import Pair, figures
from workbench.bench.burst.lines import CallerTold, Told
from workbench.bench.burst.measurement import Found, _warnings, middle, quantile


def test_a_turn_that_was_cut_and_a_word_that_was_not_heard_are_counted() -> None:
    whole = Told("Hi there. I would like a table.", 0.9, ("Hi there I would like a table",))
    assert (whole.words_lost, whole.cuts) == (0, 0)
    cut = Told("Hi there. I would like a table.", 0.9, ("Hi there. I", "would like", ""))
    assert (cut.words_lost, cut.cuts) == (2, 1)
    unheard = Told("No, no.", None, ())
    assert (unheard.words_lost, unheard.cuts) == (2, 0)


def test_quantiles_of_nothing_are_no_numbers() -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.95) == 4.0
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.0) == 1.0
    assert middle([1.0, 2.0, 4.0]) == 2.0
    assert str(middle([])) == str(quantile([], 0.5)) == "nan"


def test_warnings_are_counted_by_their_text_and_other_lines_are_none() -> None:
    lines = [
        '{"level": "warning", "message": "slow\\nstack"}',
        '{"level": "ERROR", "message": "slow"}',
        '{"level": "info", "message": "well"}',
        "no JSON",
        "[1]",
    ]
    assert _warnings(lines) == Counter({"slow": 2})


def test_a_burst_is_told_by_caller_and_beside_a_single_one() -> None:
    served = CallerTold(0.5, told_to_wait=False, lines=(Told("Yes.", 1.5, ("Yes.",)),))
    waiting = CallerTold(None, told_to_wait=True)
    cpu = {"agent": 3.0, "callers": 1.0}
    alone = Found(
        [CallerTold(0.4, False, (Told("Yes.", 1.0, ("Yes.",)),))], 4.0, cpu, 0.0, Counter(), {}
    )
    found = Found([served, waiting], 4.0, cpu, 0.25, Counter({"slow": 3}), {"0.1": 5.0})
    text = "\n".join(shown("ours", found, alone))
    for expected in (
        "caller 1: greeted after 0.50 s; 1 of 1 answered, replies 1.50 s",
        "caller 2: told to wait",
        "1.50 times one caller's 1.00 s",
        "agent 0.75 (75%), callers 0.25 (25%)",
        "<= 0.1 s: 5",
        "logged 3 times: slow",
    ):
        assert expected in text


async def test_the_time_of_a_process_that_has_ended_counts() -> None:
    costs = Costs({"us": os.getpid()})
    program = "import time\nwhile time.process_time() < 0.2: pass\ninput()"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(10):
        while costs.seconds()["us"] < 0.15:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.02)
    await child.communicate(b"\n")
    assert costs.seconds()["us"] >= 0.15


def a_burst(*calls: CallerTold) -> Found:
    return Found(calls, 4.0, {"agent": 3.0, "callers": 1.0}, 0.0, Counter(), {})


def test_a_burst_has_figures_for_make_bench_beside_stock() -> None:
    alone = a_burst(CallerTold(0.4, False, (Told("Yes.", 1.0, ("Yes.",)),)))
    ours = a_burst(
        CallerTold(0.5, False, (Told("Yes.", 1.5, ("Yes.",)),)),
        CallerTold(0.9, False, (Told("Hi there. I.", 1.5, ("Hi there.", "")),)),
    )
    unheard = a_burst(CallerTold(None, True, (Told("Yes.", None, ()),)))
    found = {
        each.name: (each.ours, each.stock)
        for each in figures({"ours": Pair(alone, ours), "stock": Pair(alone, unheard)})
    }
    assert found == {
        "callers not greeted": (0, 1),
        "words lost": (1, 1),
        "turns cut": (0, 0),
        "lines without a reply": (0, 1),
        "cores that the worker used": (0.75, 0.75),
        "slowest greeting": (0.9, None),
        "reply, median": (1.5, None),
        "reply, as a multiple of one caller's": (1.5, None),
    }
    assert [each.ours for each in figures({"stock": Pair(alone, ours)})] == []
