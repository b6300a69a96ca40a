"""The processes of a worker: who gets the next call, and what becomes of one that is gone."""

import asyncio
import os
import signal
from typing import Any

import pytest
from livekit.agents import JobProcess


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


async def test_a_process_that_cannot_be_prepared_fails_its_seats(house: Any, started: Any) -> None:
    pool: Any = None
    with pytest.raises(RuntimeError, match="no process became available"):
        async with house(seats_each=2, hosts=0, setup=_unable) as pool:
            await started(pool, 1)


def _unable(_: JobProcess) -> None:
    raise OSError("no such file")
