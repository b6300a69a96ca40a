"""Calls in one process share nothing that either changes, and leave nothing to each other."""

import asyncio
import os
from typing import Any

from livekit.agents.ipc.job_executor import JobStatus


async def test_two_calls_share_a_process_and_nothing_that_either_changes(
    house: Any, started: Any, lines: Any
) -> None:
    async with house(seats_each=2, hosts=1) as pool:
        await asyncio.gather(started(pool, 1, stay=True), started(pool, 2, stay=True))
        first, second = await lines.here(1), await lines.here(2)
        assert first.pid == second.pid == first.prepared_in == second.prepared_in != os.getpid()
        assert (first.room, second.room) == ("room 1", "room 2")
        assert (first.caller, second.caller) == ("AJ_1", "AJ_2")
        assert {first.made_for, second.made_for} == {1, 2} == {first.outlet_for, second.outlet_for}
        assert (first.kept, second.kept) == (["AJ_1"], ["AJ_2"])


async def test_a_call_that_fails_counts_alone_and_its_process_goes_on(
    house: Any, started: Any, lines: Any
) -> None:
    async with house(seats_each=2, hosts=1) as pool:
        failed, fine = await started(pool, 1, fail=True), await started(pool, 2)
        await asyncio.gather(failed.join(), fine.join())
        assert (failed.status, fine.status) == (JobStatus.FAILED, JobStatus.SUCCESS)
        await started(pool, 3, stay=True)
        assert (await lines.here(3)).pid == (await lines.here(1)).pid


async def test_what_a_call_leaves_behind_ends_with_it(house: Any, started: Any, lines: Any) -> None:
    async with house(seats_each=1, hosts=1) as pool:
        for number in (1, 2):
            await (await started(pool, number, leave=True)).join()
        assert (await lines.here(1)).pid == (await lines.here(2)).pid


async def test_a_call_that_blocks_the_event_loop_is_named_and_its_neighbours_are_told(
    house: Any, started: Any, lines: Any
) -> None:
    async with house(seats_each=2, hosts=1) as pool:
        await started(pool, 1, stay=True)
        await lines.here(1)
        await started(pool, 2, block=1.6, stay=True)
        said = "a call has blocked the event loop of its process, and so its neighbours"
        by_it = await lines.said(said, job=2)
        told = "another call has blocked the event loop of this one's process"
        beside = await lines.said(told, job=1)
        assert by_it.seconds == beside.seconds > 0.5
        assert by_it.calls == beside.calls == 2
