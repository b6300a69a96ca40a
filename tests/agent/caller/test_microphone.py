"""A microphone plays in real time: tenths of a second here."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any, cast

import numpy as np
import pytest
from livekit import rtc

from agent.caller.microphone import SAMPLE_RATE, Microphone

TENTH = np.full(SAMPLE_RATE // 10, 1000, np.int16)


class Source:
    """Takes what LiveKit's source would play."""

    def __init__(self) -> None:
        self.played: list[np.ndarray] = []

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self.played.append(np.frombuffer(frame.data, np.int16).copy())

    @property
    def sound(self) -> np.ndarray:
        return np.concatenate(self.played)


@pytest.fixture
async def source() -> Source:
    return Source()


@pytest.fixture
async def microphone(source: Source) -> AsyncIterator[Microphone]:
    opened = Microphone(cast("Any", source), time.monotonic(), lambda: None)
    running = asyncio.create_task(opened.run())
    yield opened
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_what_is_said_is_played_whole_with_silence_around_it(
    microphone: Microphone, source: Source
) -> None:
    spoken = await microphone.say(TENTH)
    assert spoken.end_seconds - spoken.start_seconds == pytest.approx(0.1, abs=0.025)
    assert microphone.spoken == [spoken]
    (loud,) = np.nonzero(source.sound)
    assert loud.size == TENTH.size
    assert loud[-1] - loud[0] == TENTH.size - 1
    assert {frame.size for frame in source.played} == {960}


async def test_things_are_said_one_after_the_other(microphone: Microphone) -> None:
    first, second = await asyncio.gather(microphone.say(TENTH), microphone.say(TENTH))
    assert second.start_seconds >= first.end_seconds - 0.021
    assert int(np.count_nonzero(microphone.said.render())) == 2 * TENTH.size


async def test_one_who_does_not_wait_is_heard_all_the_same(microphone: Microphone) -> None:
    given_up = asyncio.create_task(microphone.say(TENTH))
    await asyncio.sleep(0)
    given_up.cancel()
    await microphone.say(TENTH)
    assert len(microphone.spoken) == 2
