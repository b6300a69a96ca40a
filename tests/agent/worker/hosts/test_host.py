"""A call that does not end is cut off: alone if its process can do it, or else with it."""

import signal
from typing import Any

import pytest

from agent.worker.hosts import host


async def test_a_call_that_does_not_end_is_cut_off_alone(
    house: Any, started: Any, lines: Any
) -> None:
    async with house(seats_each=2, hosts=1) as pool:
        hangs = await started(pool, 1, stay=True, stubborn=True)
        beside = await started(pool, 2, stay=True)
        pid = (await lines.here(1)).pid
        await hangs.aclose()
        assert (hangs.killed, beside.killed) == (True, False)
        assert beside.running_job in [each.running_job for each in pool.processes]
        assert (await lines.here(2)).pid == pid


async def test_a_call_that_blocks_its_process_is_cut_off_with_it(
    house: Any, started: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "CUT_OFF_SECONDS", 0.1)
    async with house(seats_each=1, hosts=1) as pool:
        blocks = await started(pool, 1, block=60)
        await lines.here(1)
        await blocks.kill()
        assert blocks.exitcode == -signal.SIGKILL
