"""What `make capacity` makes of what callers tell, of processes, and of metrics."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import av
import numpy as np
import pytest

from agent.caller.microphone import SAMPLE_RATE
from workbench.bench.capacity import cost, lag, page
from workbench.bench.capacity.calls import read
from workbench.bench.capacity.contestants import ours
from workbench.bench.capacity.report import HEADS, rows
from workbench.bench.capacity.script import LINES, PACKET_MS, packets
from workbench.bench.capacity.step import Heard, Step, Used, heard

USED = Used(
    worker_cpu=0.6,
    calls_mb=100,
    worker_mb=400,
    waited=0.2,
    server_cpu=0.1,
    callers_cpu=0.1,
    providers_cpu=0.02,
    elsewhere_cpu=0.5,
)


def event(at: float, name: str, room: str = "one", **fields: Any) -> dict[str, Any]:
    return {"at": at, "event": name, "room": room, **fields}


def answer(line: int) -> str:
    return f"You asked {LINES[line].text.lower()} and I am glad to help."


def call(room: str = "one") -> list[dict[str, Any]]:
    """A greeting after 0.5 s, and two questions, answered after 0.8 and 1.2 s."""
    return [
        event(10, "dialled", room),
        event(10.1, "joined", room),
        event(10.6, "voice", room),
        event(13, "text", room, who="agent", text="Good morning."),
        event(14, "asks", room, line=0),
        event(15, "asked", room, line=0),
        event(15.1, "text", room, who="caller", text=LINES[0].text),
        event(15.8, "voice", room),
        event(20, "text", room, who="agent", text=answer(0)),
        event(21, "asks", room, line=1),
        event(23, "asked", room, line=1),
        event(24.2, "voice", room),
        event(29, "text", room, who="agent", text=answer(1)),
        event(30, "asks", room, line=2),
    ]


def came_to(events: list[dict[str, Any]]) -> Heard:
    return heard(read(events, "caller").values(), 9, 14, 28)


def test_replies_and_greetings_are_timed() -> None:
    found = came_to(call())
    assert found.replies == pytest.approx((0.8, 1.2))
    assert found.greetings == pytest.approx((0.5,))
    assert found.losses == 0
    assert found.p50 == pytest.approx(1.0)
    assert found.p95 == pytest.approx(1.18)


def test_a_question_outside_of_the_step_does_not_count() -> None:
    found = heard(read(call(), "caller").values(), 11, 20, 28)
    assert found.replies == pytest.approx((1.2,))
    assert found.greetings == ()


def test_an_answer_that_leaves_words_out_loses_them() -> None:
    events = call()
    events[8]["text"] = "You asked what time and I am glad to help."
    assert came_to(events).missing_words == len(LINES[0].text.split()) - 2


def test_no_answer_no_greeting_and_two_answers_are_told_apart() -> None:
    silent = [each for each in call("silent") if each["event"] != "voice"]
    twice = [*call("twice")[:9], event(20.5, "voice", "twice"), *call("twice")[9:]]
    found = came_to([*silent, *twice])
    assert found.missed_greetings == 1
    assert found.unanswered == 2
    assert found.doubled == 1
    assert found.missing_words == 0


def test_a_call_that_breaks_off_is_a_loss() -> None:
    assert came_to([*call(), event(31, "disconnected", why="full")]).broken == 1


def test_a_step_holds_while_replies_are_fast_and_nothing_is_lost() -> None:
    first = Step(1, Heard((1.0, 1.0)), USED)
    assert Step(4, Heard((1.0, 1.5)), USED).holds(first)
    assert not Step(4, Heard((1.0, 1.7)), USED).holds(first)
    assert not Step(4, Heard((1.0, 1.0), unanswered=1), USED).holds(first)
    assert not Step(4, Heard(), USED).holds(first)


def test_a_row_says_the_cost_of_a_call() -> None:
    (row,) = rows([Step(4, Heard((1.0,), (0.4, 0.5), missing_words=2), USED, 0.06)])
    told = dict(zip(HEADS, row, strict=True))
    assert told["CPU a call (%)"] == "15.0"
    assert told["MB a call, worker"] == "25, 400"
    assert told["greeting p50, worst (ms)"] == "450, 500"
    assert told["loop lag p95 (ms)"] == "60"
    assert told["lost"] == "2 words"


def test_the_cpu_of_a_tree_has_that_of_children_in_it() -> None:
    work = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    burn = "import time; end = time.process_time() + 0.1\nwhile time.process_time() < end: pass"
    before = cost.usage(os.getpid())
    subprocess.run([sys.executable, "-c", work, burn], check=True)
    after = cost.usage(os.getpid())
    assert after.cpu - before.cpu >= 0.1
    assert after.share_since(before) > 0
    assert cost.machine().cpu > 0


def test_memory_is_that_of_processes_that_live() -> None:
    assert cost.memory_mb([os.getpid()]) > 10
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert cost.memory_mb([ended.pid]) == 0
    assert cost.tree(ended.pid) == []


def test_the_newest_process_tells_whether_a_worker_still_starts() -> None:
    before = cost.youngest_seconds(os.getpid())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as young:
        assert cost.youngest_seconds(os.getpid()) < min(before + 1, time.time())
        young.communicate(b"\n")


def test_processes_with_calls_are_those_that_work() -> None:
    me = os.getpid()
    now = dict.fromkeys(cost.tree(me), 0.0)
    assert cost.busy(me, now, 1e9) == []
    assert me not in cost.busy(me, now, 0.0)


def test_a_lag_is_read_from_what_came_between() -> None:
    before = {0.01: 5.0, 0.1: 10.0, float("inf"): 10.0}
    after = {0.01: 14.0, 0.1: 20.0, float("inf"): 20.0}
    assert lag.quantile(before, after, 0.9) == 0.01
    assert lag.quantile(before, after, 0.95) == 0.1
    assert lag.quantile(after, after, 0.95) is None
    assert lag.quantile({}, {}, 0.95) is None


def test_a_choice_of_settings_becomes_the_workers_environment() -> None:
    chosen = ours("calls_per_process=8,max_calls=30")
    assert chosen.settings["AGENT_CALLS_PER_PROCESS"] == "8"
    assert chosen.settings["AGENT_MAX_CALLS"] == "30"
    assert chosen.name == "ours, calls_per_process=8,max_calls=30"
    assert ours("").name == "ours"
    with pytest.raises(ValueError, match="not a setting"):
        ours("calls_per_process")


def test_sound_becomes_opus_packets_that_a_decoder_takes() -> None:
    times = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
    made = packets(tone)
    assert len(made) == 1000 // PACKET_MS
    decoder = av.CodecContext.create("opus", "r")
    frames = [frame for packet in made for frame in decoder.decode(av.Packet(packet))]
    decoded = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in frames])
    loudness = float(np.sqrt(np.mean(decoded[SAMPLE_RATE // 4 :] ** 2)))
    assert loudness == pytest.approx(8000 / 32768 / np.sqrt(2), rel=0.2)


def steps(*p95s: float) -> list[Step]:
    counts = (1, 4, 8)
    return [
        Step(calls, Heard((p95, p95)), replace(USED, worker_cpu=0.1 * calls, calls_mb=20.0 * calls))
        for calls, p95 in zip(counts, p95s, strict=False)
    ]


def test_a_machine_carries_the_largest_step_that_holds() -> None:
    found = page.carried(steps(1.0, 1.4, 1.6))
    assert found is not None
    assert found.calls == 4
    assert page.carried([Step(1, Heard(), USED)]) is None
    assert page.carried([]) is None


def test_figures_hold_ours_beside_stock_and_floor() -> None:
    floor = [Step(8, Heard(), replace(USED, worker_cpu=0.4, calls_mb=160))]
    calls, cpu, memory = page.figures(steps(1.0, 1.1, 1.2), steps(1.0, 2.0), floor)
    assert (calls.ours, calls.stock, calls.floor) == (8, 1, None)
    assert calls.more_is_better
    assert (cpu.ours, cpu.stock, cpu.floor) == (10, 10, 5)
    assert (memory.ours, memory.stock, memory.floor) == (20, 20, 20)
    assert page.figures([], [], []) == []


def test_the_page_keeps_what_was_written_by_hand(tmp_path: Path) -> None:
    text = "# Old\n\n## What stands in the way\n\nThe model.\n"
    (tmp_path / "capacity.md").write_text(text, encoding="utf-8")
    page.write(
        tmp_path, {"ours": steps(1.0, 1.4, 1.6), "floor": [Step(8, Heard(), USED)]}, "Made here."
    )
    written = (tmp_path / "capacity.md").read_text("utf-8")
    assert "## What stands in the way\n\nThe model.\n" in written
    assert "carries **4 calls**" in written
    assert "a core of agents alone is full with 10 calls" in written
    assert "8 were too many" in written
    drawn = ElementTree.parse(tmp_path / "capacity.svg")
    assert "8" in {each.text for each in drawn.iter() if each.tag.endswith("text")}
