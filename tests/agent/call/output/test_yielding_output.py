"""The agent's voice falls silent at once, and goes on where it was. On a virtual clock."""

import asyncio

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice.io import PlaybackFinishedEvent

from agent.call.output.yielding_output import (
    AHEAD_SECONDS,
    DUCKED,
    FRAME_SECONDS,
    READY_AHEAD_SECONDS,
    YieldingOutput,
)
from workbench.standins.scripted import RATE, Loudspeaker

pytestmark = pytest.mark.looptime

SOON = AHEAD_SECONDS + 3 * FRAME_SECONDS


class Played(Loudspeaker):
    """Remembers what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.samples: list[int] = []

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self.samples += np.frombuffer(frame.data, np.int16).tolist()
        await super().capture_frame(frame)


class Line:
    def __init__(self) -> None:
        self.sink = Played()
        self.output = YieldingOutput(self.sink)
        self.finished: list[PlaybackFinishedEvent] = []
        self.output.on("playback_finished", self.finished.append)

    async def say(self, seconds: float, level: int = 1000) -> None:
        """As fast as a voice makes it, in pieces of any length."""
        samples = np.full(round(seconds * RATE), level, np.int16)
        for at in range(0, len(samples), 1234):
            piece = samples[at : at + 1234]
            await self.output.capture_frame(rtc.AudioFrame(piece.tobytes(), RATE, 1, len(piece)))


async def test_a_voice_is_heard_as_a_whole_and_ends_once() -> None:
    line = Line()
    await line.say(2)
    line.output.flush()
    await line.output.wait_for_playout()
    assert line.sink.samples == [1000] * 2 * RATE
    assert [each.interrupted for each in line.finished] == [False]


async def test_it_begins_at_once() -> None:
    line = Line()
    await line.say(1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert line.sink.samples


async def test_a_pause_is_heard_soon_and_nothing_is_lost() -> None:
    line = Line()
    await line.say(2)
    line.output.flush()
    await asyncio.sleep(1)
    line.output.pause()
    await asyncio.sleep(SOON)
    heard = line.sink.played_seconds
    assert heard == pytest.approx(1, abs=SOON)
    await asyncio.sleep(3)
    assert line.sink.played_seconds == heard
    line.output.resume()
    await line.output.wait_for_playout()
    assert len(line.sink.samples) == 2 * RATE
    assert [each.interrupted for each in line.finished] == [False]


async def test_a_pause_that_was_expected_is_heard_sooner() -> None:
    line = Line()
    await line.say(2)
    await asyncio.sleep(1)
    line.output.expects_pause = True
    await asyncio.sleep(0.1)
    line.output.pause()
    await asyncio.sleep(1)
    soon = READY_AHEAD_SECONDS + 2 * FRAME_SECONDS
    assert 1.1 - 0.02 <= line.sink.played_seconds <= 1.1 + soon + 0.01


async def test_a_voice_that_expects_a_pause_has_no_gaps() -> None:
    line = Line()
    line.output.expects_pause = True
    await line.say(2)
    line.output.flush()
    begun = asyncio.get_running_loop().time()
    await line.output.wait_for_playout()
    assert asyncio.get_running_loop().time() - begun == pytest.approx(2, abs=0.05)
    assert line.sink.samples == [1000] * 2 * RATE


async def test_it_goes_on_softly_while_it_ducks_and_nothing_is_lost() -> None:
    line = Line()
    await line.say(3)
    line.output.flush()
    await asyncio.sleep(1)
    line.output.ducks = True
    await asyncio.sleep(1)
    line.output.ducks = False
    await line.output.wait_for_playout()
    samples = np.array(line.sink.samples)
    assert samples.size == 3 * RATE
    assert samples[RATE // 2] == samples[-1] == 1000
    assert np.sum(samples == int(1000 * DUCKED)) == pytest.approx(RATE, rel=0.1)
    assert np.abs(np.diff(samples)).max() < 1000 / 100
    assert [each.interrupted for each in line.finished] == [False]


async def test_neither_side_of_a_pause_clicks() -> None:
    line = Line()
    await line.say(2)
    await asyncio.sleep(1)
    line.output.pause()
    await asyncio.sleep(1)
    assert line.sink.samples[-1] == 0
    before = len(line.sink.samples)
    line.output.resume()
    await asyncio.sleep(0.1)
    assert line.sink.samples[before] == 0
    steps = np.abs(np.diff(line.sink.samples))
    assert steps.max() < 1000 / 100


async def test_a_pause_taken_back_at_once_is_not_heard() -> None:
    line = Line()
    await line.say(1)
    await asyncio.sleep(0.5)
    line.output.pause()
    line.output.resume()
    line.output.flush()
    await line.output.wait_for_playout()
    assert line.sink.samples == [1000] * RATE


async def test_what_is_paused_before_its_first_sound_waits() -> None:
    line = Line()
    line.output.pause()
    await line.say(1)
    line.output.flush()
    await asyncio.sleep(2)
    assert line.sink.samples == []
    line.output.resume()
    await line.output.wait_for_playout()
    assert len(line.sink.samples) == RATE


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("flushed", ["before", "after"])
@pytest.mark.parametrize("heard_seconds", [0, 0.5])
async def test_what_is_cleared_ends_as_interrupted_and_once(
    paused: bool, flushed: str, heard_seconds: float
) -> None:
    line = Line()
    if paused and not heard_seconds:
        line.output.pause()
    await line.say(2)
    await asyncio.sleep(heard_seconds)
    if paused:
        line.output.pause()
        await asyncio.sleep(SOON)
    if flushed == "before":
        line.output.flush()
    line.output.clear_buffer()
    await line.say(0.1)
    line.output.flush()
    await asyncio.sleep(1)
    ends = [each.interrupted for each in line.finished]
    assert ends[0] is True
    assert line.sink.played_seconds <= heard_seconds + SOON + 0.15


async def test_after_it_was_cleared_the_next_one_is_heard_as_a_whole() -> None:
    line = Line()
    await line.say(2)
    await asyncio.sleep(0.5)
    line.output.pause()
    line.output.flush()
    line.output.clear_buffer()
    await line.output.wait_for_playout()
    line.sink.samples.clear()
    await line.say(1, level=500)
    line.output.flush()
    await line.output.wait_for_playout()
    assert line.sink.samples == [500] * RATE
    assert [each.interrupted for each in line.finished] == [True, False]


async def test_several_segments_end_one_by_one() -> None:
    line = Line()
    for level in (1, 2, 3):
        await line.say(0.5, level=level)
        line.output.flush()
        await line.output.wait_for_playout()
    assert line.sink.samples == [level for level in (1, 2, 3) for _ in range(RATE // 2)]
    assert len(line.finished) == 3


async def test_a_segment_without_sound_ends_nothing() -> None:
    line = Line()
    line.output.flush()
    line.output.clear_buffer()
    assert line.finished == []


class Heard:
    """What a caller hears: when, and how much was taken back."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.cuts: list[float] = []

    def play(self, frame: rtc.AudioFrame) -> None:
        self.seconds += frame.duration

    def cut(self) -> None:
        self.cuts.append(asyncio.get_running_loop().time())


async def test_a_tap_learns_what_is_heard_and_where_it_was_cut() -> None:
    heard = Heard()
    output = YieldingOutput(Played(), heard)
    begun = asyncio.get_running_loop().time()
    await output.capture_frame(rtc.AudioFrame(bytes(2 * 3 * RATE), RATE, 1, 3 * RATE))
    output.flush()
    await asyncio.sleep(1)
    assert 1 <= heard.seconds <= 1 + SOON
    output.pause()
    await asyncio.sleep(1)
    assert heard.seconds <= 1 + SOON
    output.clear_buffer()
    assert heard.cuts == [pytest.approx(begun + 2)]
    await output.aclose()
