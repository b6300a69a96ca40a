"""`make profile`: its readers and sums; the measurement itself needs a LiveKit server."""

import os
from pathlib import Path

import pytest

from workbench.bench.profile.against import against_table
from workbench.bench.profile.calls import Measured
from workbench.bench.profile.counts import per_second, read_counts
from workbench.bench.profile.groups import LOOP, group_of
from workbench.bench.profile.imports import imports_in
from workbench.bench.profile.stacks import Stack, read_stacks, seconds_by, with_seconds
from workbench.bench.profile.table import counts_table, groups_table, threads_table
from workbench.bench.profile.threads import Thread, by_name, read_threads, used_between

SELECT = "EpollSelector.select (selectors.py:451)"
PUSH = "SpeechStream.push_frame (stt_assemblyai/livekit/stream.py:105)"


def test_own_threads_are_read() -> None:
    found = read_threads(os.getpid())
    assert found[os.getpid()].seconds > 0


def test_a_thread_is_read_as_the_kernel_writes_it(tmp_path: Path) -> None:
    task = tmp_path / "7" / "task" / "8"
    task.mkdir(parents=True)
    (task / "comm").write_text("worker (a) 0\n", "utf-8")
    ticks = os.sysconf("SC_CLK_TCK")
    fields = ["S", *["0"] * 10, str(3 * ticks), str(ticks), "0"]
    (task / "stat").write_text(f"8 (worker (a) 0) {' '.join(fields)}", "utf-8")
    assert read_threads(7, tmp_path) == {8: Thread("worker (a) 0", 3.0, 1.0)}
    (task / "schedstat").write_text("8000000000 1 1\n", "utf-8")
    assert read_threads(7, tmp_path) == {8: Thread("worker (a) 0", 6.0, 2.0)}


def test_what_was_used_is_summed_by_name() -> None:
    before = {1: Thread("python", 1.0, 1.0)}
    after = {1: Thread("python", 2.0, 1.5), 2: Thread("pool 1", 0.5, 0.0), 3: Thread("7", 0.0, 1.0)}
    used = used_between(before, after)
    assert by_name(used) == {"python": 1.5, "7": 1.0, "pool": 0.5}


def test_stacks_share_what_the_kernel_has_counted() -> None:
    raw = f"thread (5): MainThread;main (a.py:1);{SELECT} 60\nthread (5): MainThread;{PUSH} 10\n"
    raw += f"thread (5): MainThread;main (a.py:1) 30\nthread (6) 4\nthread (9);{PUSH} 4\n"
    stacks = read_stacks(raw)
    threads = {5: Thread("python", 4.0, 0.4), 6: Thread("tokio", 1.0, 1.0)}
    weighed = with_seconds(stacks, threads)
    assert [(each.thread_id, each.weight) for each in weighed] == [
        (5, pytest.approx(0.4)),
        (5, pytest.approx(1.0)),
        (5, pytest.approx(3.0)),
        (6, pytest.approx(2.0)),
    ]
    assert seconds_by(weighed, lambda each: str(each.thread_id)) == {
        "5": pytest.approx(4.4),
        "6": pytest.approx(2.0),
    }


def test_the_innermost_frame_that_tells_decides_the_group() -> None:
    write = "_SelectorSocketTransport.write (asyncio/selector_events.py:1037)"
    node = "Agent.default.stt_node (agents/voice/agent.py:554)"
    assert group_of((node, PUSH, write)) == "speech to text"
    assert group_of((node, "Task.step (asyncio/tasks.py:1)")) == "session: LiveKit's"
    assert group_of(("_ProcClient.run (agents/ipc/proc_client.py:58)", SELECT)) == LOOP
    bring = "Wakeups.bring (agent/livekit_private/events.py:80)"
    assert (
        group_of(("ffi_event_callback (rtc/_ffi_client.py:172)", bring)) == "FFI: events handed out"
    )


def test_the_tables_show_a_minute_of_one_call() -> None:
    threads = {5: Thread("python", 4.0, 1.0), 6: Thread("tokio", 1.0, 0.0)}
    stacks = [Stack(5, (PUSH,), 4.0), Stack(6, (), 1.0)]
    found = {"two": Measured(2, 120.0, turns=8, threads=threads, stacks=stacks)}
    assert threads_table(found).rows == [
        ("python", "1.25"),
        ("tokio", "0.25"),
        ("all", "1.50"),
        ("% of a core", "2.5"),
        ("answers in a minute", "2.0"),
    ]
    assert groups_table(found).rows == [
        ("speech to text", "2.00"),
        ("all that Python does", "2.00"),
    ]


def test_two_checkouts_are_compared_by_their_medians() -> None:
    def side(*python: float) -> dict[str, list[Measured]]:
        used = [{5: Thread("python", each, 0.0), 6: Thread("tokio", 1.0, 0.0)} for each in python]
        return {"one talks": [Measured(1, 60.0, threads=threads) for threads in used]}

    assert against_table(side(4.0, 9.0, 3.0), side(2.0, 1.0, 7.0)).rows == [
        ("one talks: all threads", "5.00", "3.00", "0.60"),
        ("one talks: Python's threads", "4.00", "2.00", "0.50"),
    ]


def test_counts_are_read_as_rates(tmp_path: Path) -> None:
    line = '{{"at": {}, "callbacks": {{"a": {}}}, "events": {{}}}}'
    (tmp_path / "3.json").write_text(line.format(10.0, 5), "utf-8")
    before = read_counts(tmp_path, 3)
    (tmp_path / "3.json").write_text(line.format(20.0, 25), "utf-8")
    callbacks, events = per_second(before, read_counts(tmp_path, 3))
    assert (callbacks, events) == ({"a": 2.0}, {})
    assert counts_table("", {"talks": callbacks}).rows == [("a", "2.0"), ("all", "2.0")]
    with pytest.raises(ValueError, match="not later"):
        per_second(before, before)


def test_imports_are_summed_by_package() -> None:
    lines = [
        "import time: self [us] | cumulative | imported package",
        "import time:      1000 |       1500 |   livekit.agents.llm.chat",
        "import time:       500 |        500 | numpy",
        '{"level": "info"}',
    ]
    found = imports_in(lines)
    assert (found.modules, found.seconds) == (2, pytest.approx(0.0015))
    assert list(found.by_package) == ["livekit.agents", "numpy"]
