"""The processes of a worker: who gets the next call, and what becomes of one that is gone."""

import asyncio
import os
import signal
from typing import Any

import psutil
import pytest
from livekit.agents import JobProcess

from agent.worker.hosts import choice, hosts


async def test_calls_are_spread_over_the_processes(house: Any, started: Any, lines: Any) -> None:
    async with house(seats_each=2, hosts=2) as pool:
        for number in range(4):
            await started(pool, number, stay=True)
        found = [(await lines.here(number)).pid for number in range(4)]
        assert len({*found[:2]}) == len({*found[2:]}) == len({*found}) == 2


async def test_a_process_that_dies_takes_its_own_calls_and_is_replaced(
    house: Any, started: Any, lines: Any
) -> None:
    async with house(seats_each=2, hosts=2) as pool:
        calls = [await started(pool, number, stay=True) for number in range(4)]
        pids = [(await lines.here(number)).pid for number in range(4)]
        os.kill(pids[0], signal.SIGKILL)
        dead = [call for call, pid in zip(calls, pids, strict=True) if pid == pids[0]]
        await asyncio.gather(*(each.join() for each in dead))
        assert [each.exitcode for each in dead] == [-signal.SIGKILL] * 2
        assert {each.running_job.job.id for each in pool.processes if each.running_job} == {
            call.running_job.job.id for call in calls if call not in dead and call.running_job
        }
        await started(pool, 9, stay=True)
        assert (await lines.here(9)).pid not in pids


async def test_a_process_that_has_held_its_calls_ends_once_it_is_empty_and_is_replaced(
    house: Any, started: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "CALLS_AT_MOST", 1)
    monkeypatch.setattr(hosts, "LOOK_SECONDS", 0.05)
    async with house(seats_each=2, hosts=1) as pool:
        last = await started(pool, 1, stay=True)
        spent = (await lines.here(1)).pid
        await lines.said("a process takes no more calls, and another takes its place")
        assert last.running_job
        await started(pool, 2, stay=True)
        assert (await lines.here(2)).pid != spent
        await last.aclose()
        await asyncio.to_thread(psutil.wait_procs, [psutil.Process(spent)], 10)
        assert not psutil.pid_exists(spent)


async def test_a_process_that_exceeds_the_memory_of_its_calls_is_killed(
    house: Any, started: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "LOOK_SECONDS", 0.05)
    async with house(seats_each=2, hosts=1, memory_limit_mb=0.5) as pool:
        call = await started(pool, 1, stay=True)
        await call.join()
        assert call.exitcode == -signal.SIGKILL
        assert await lines.said("a process has exceeded the memory of its calls")


async def test_a_process_that_stands_still_gets_no_call_and_is_killed_in_the_end(
    house: Any, started: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(hosts, "STUCK_SECONDS", 1.5)
    async with house(seats_each=2, hosts=2) as pool:
        blocks = await started(pool, 1, block=60)
        pid = (await lines.here(1)).pid
        await lines.said("the event loop of a process stands still: it gets no calls meanwhile")
        for number in (2, 3):
            await started(pool, number, stay=True)
            assert (await lines.here(number)).pid != pid
        await blocks.join()
        assert blocks.exitcode == -signal.SIGKILL
        assert await lines.said("a process stands still")


async def test_a_process_that_cannot_be_prepared_fails_its_seats(house: Any, started: Any) -> None:
    pool: Any = None
    with pytest.raises(RuntimeError, match="no process became available"):
        async with house(seats_each=2, hosts=0, setup=_unable) as pool:
            await started(pool, 1)


def _unable(_: JobProcess) -> None:
    raise OSError("no such file")
