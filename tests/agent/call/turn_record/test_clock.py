"""The milliseconds of a call."""

import asyncio
import time

import pytest

from agent.call.turn_record.clock import CallClock

pytestmark = pytest.mark.looptime


async def test_it_begins_anew_with_the_call() -> None:
    clock = CallClock()
    await asyncio.sleep(1.5)
    assert clock.now_ms() == 1500
    clock.begin()
    await asyncio.sleep(0.25)
    assert clock.now_ms() == 250
    assert clock.at_ms(asyncio.get_running_loop().time() - 0.1) == 150


async def test_a_wall_time_is_put_on_it_by_its_age() -> None:
    clock = CallClock()
    await asyncio.sleep(5)
    assert clock.of_wall(time.time() - 2) == pytest.approx(3000, abs=50)
