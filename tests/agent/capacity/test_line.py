"""A line that leads nowhere is in real time, and tells when replies began."""

import asyncio
import time

import numpy as np
import pytest
from livekit import rtc

from agent.capacity.line import FRAME_SECONDS, RATE, Codec, Input, Output


def test_the_codec_takes_time_of_the_cpu() -> None:
    codec = Codec()
    codec.run(0.1)
    before = time.process_time()
    codec.run(2.0)
    assert 0.001 < time.process_time() - before < 1.0


async def test_the_caller_speaks_once_in_a_cycle() -> None:
    voice = np.full(RATE // 20, 500, np.int16)
    line = Input(voice, 2 * FRAME_SECONDS, Codec())
    loud = []
    for _ in range(4):
        frame = await line.__anext__()
        assert (frame.sample_rate, frame.samples_per_channel) == (RATE, RATE // 20)
        loud.append(bool(np.frombuffer(frame.data, np.int16).any()))
    assert loud == [True, False, True, False]


def test_waits_count_from_the_end_of_the_voice_in_each_cycle() -> None:
    line = Input(np.zeros(RATE, np.int16), 3.0, Codec())
    began = line._began_at
    assert line.waits([began + 1.5, began + 4.75]) == pytest.approx([0.5, 0.75])


def frame(seconds: float) -> rtc.AudioFrame:
    samples = round(24_000 * seconds)
    return rtc.AudioFrame(bytes(2 * samples), 24_000, 1, samples)


async def test_a_reply_is_over_when_it_has_been_played() -> None:
    output = Output()
    before = time.monotonic()
    await output.capture_frame(frame(0.05))
    await output.capture_frame(frame(0.05))
    output.flush()
    played = await output.wait_for_playout()
    assert played.playback_position == pytest.approx(0.1)
    assert not played.interrupted
    assert time.monotonic() - before >= 0.09
    assert len(output.replies) == 1


async def test_a_reply_that_is_interrupted_was_played_in_part() -> None:
    output = Output()
    output.clear_buffer()  # nothing is played yet
    await output.capture_frame(frame(10.0))
    output.flush()
    await asyncio.sleep(0)
    output.clear_buffer()
    played = await output.wait_for_playout()
    assert played.interrupted
    assert played.playback_position < 5
