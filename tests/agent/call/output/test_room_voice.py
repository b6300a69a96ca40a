"""The agent's voice in a room, alone and behind what makes it yield. On a virtual clock."""

import asyncio

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice.io import PlaybackFinishedEvent

from agent.call.output.room_voice import SAMPLE_RATE, RoomVoice
from agent.call.output.yielding_output import DUCKED, FRAME_SECONDS, YieldingOutput

pytestmark = pytest.mark.looptime

PUBLISHING_SECONDS = 0.2
SOON = 3 * FRAME_SECONDS
"""From a pause to silence: two frames that fade, and one that is on its way."""


class Air:
    """Plays what it is given in the test's time, and remembers what was heard, and when."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, np.ndarray]] = []
        self.captured = 0
        self._ends_at = 0.0

    @property
    def queued_duration(self) -> float:
        return max(0.0, self._ends_at - _now())

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self.captured += 1
        start = max(_now(), self._ends_at)
        self.heard.append((start, np.frombuffer(frame.data, np.int16)))
        self._ends_at = start + frame.duration
        await asyncio.sleep(0)

    async def wait_for_playout(self) -> None:
        while (left := self.queued_duration) > 1e-3:  # noqa: ASYNC110 - or it was cleared
            await asyncio.sleep(left)

    def clear_queue(self) -> None:
        self._ends_at = min(self._ends_at, _now())
        cut = [
            (start, samples[: max(0, round((_now() - start) * SAMPLE_RATE))])
            for start, samples in self.heard
        ]
        self.heard = [(start, samples) for start, samples in cut if samples.size]

    async def aclose(self) -> None:
        self.clear_queue()

    @property
    def samples(self) -> list[int]:
        return [int(each) for _, samples in self.heard for each in samples]

    @property
    def sounded_seconds(self) -> float:
        """How much of it has been heard until now."""
        return len(self.samples) / SAMPLE_RATE - self.queued_duration


def _now() -> float:
    return asyncio.get_running_loop().time()


class Line:
    """A voice that yields, in a room."""

    def __init__(self) -> None:
        self.air = Air()
        self.voice = RoomVoice(self.air, self._publish)
        self.output = YieldingOutput(self.voice)
        self.finished: list[PlaybackFinishedEvent] = []
        self.output.on("playback_finished", self.finished.append)

    async def _publish(self) -> None:
        await asyncio.sleep(PUBLISHING_SECONDS)

    async def say(self, seconds: float, level: int | None = None) -> None:
        """As fast as a voice makes it; without a level each sample is its number."""
        count = round(seconds * SAMPLE_RATE)
        samples = np.arange(count) % 30_000 if level is None else np.full(count, level)
        for at in range(0, count, 1234):
            piece = samples[at : at + 1234].astype(np.int16)
            frame = rtc.AudioFrame(piece.tobytes(), SAMPLE_RATE, 1, piece.size)
            await self.output.capture_frame(frame)

    @property
    def ends(self) -> list[tuple[float, bool]]:
        return [(round(each.playback_position, 1), each.interrupted) for each in self.finished]


def numbers(seconds: float) -> list[int]:
    return [each % 30_000 for each in range(round(seconds * SAMPLE_RATE))]


async def test_a_voice_is_heard_as_a_whole_in_few_pieces() -> None:
    line = Line()
    await line.say(2)
    line.output.flush()
    await line.output.wait_for_playout()
    assert line.air.samples == numbers(2)
    assert line.air.captured == 20
    assert line.ends == [(2.0, False)]
    assert _now() == pytest.approx(PUBLISHING_SECONDS + 2, abs=0.01)


async def test_enough_is_passed_on_for_an_event_loop_that_stands_still() -> None:
    line = Line()
    await line.say(2)
    await asyncio.sleep(PUBLISHING_SECONDS + 1)
    assert 0.29 <= line.air.queued_duration <= 0.41


async def test_a_pause_is_heard_at_once_and_nothing_is_lost_or_said_twice() -> None:
    line = Line()
    await line.say(3)
    line.output.flush()
    await asyncio.sleep(PUBLISHING_SECONDS + 1)
    line.output.pause()
    await asyncio.sleep(1)
    assert 1 <= line.air.sounded_seconds <= 1 + SOON
    line.output.resume()
    await line.output.wait_for_playout()
    heard, said = np.array(line.air.samples), np.array(numbers(3))
    assert heard.size == said.size
    assert np.sum(heard != said) <= 5 * FRAME_SECONDS * SAMPLE_RATE  # what was faded
    assert line.ends == [(3.0, False)]


async def test_the_last_words_can_still_fall_silent() -> None:
    line = Line()
    await line.say(1)
    line.output.flush()
    await asyncio.sleep(PUBLISHING_SECONDS + 0.8)
    line.output.pause()
    await asyncio.sleep(2)
    assert line.air.sounded_seconds <= 0.8 + SOON
    assert not line.finished
    line.output.resume()
    await line.output.wait_for_playout()
    assert len(line.air.samples) == SAMPLE_RATE
    assert line.ends == [(1.0, False)]


async def test_neither_side_of_a_pause_clicks() -> None:
    line = Line()
    await line.say(2, level=1000)
    await asyncio.sleep(1)
    line.output.pause()
    await asyncio.sleep(1)
    assert line.air.samples[-1] == 0
    before = len(line.air.samples)
    line.output.resume()
    await asyncio.sleep(0.1)
    assert line.air.samples[before] == 0
    assert np.abs(np.diff(line.air.samples)).max() < 1000 / 100


async def test_it_is_soft_at_once_while_it_ducks() -> None:
    line = Line()
    await line.say(3, level=1000)
    line.output.flush()
    await asyncio.sleep(PUBLISHING_SECONDS + 1)
    line.output.ducks = True
    await asyncio.sleep(1)
    line.output.ducks = False
    await line.output.wait_for_playout()
    samples = np.array(line.air.samples)
    assert samples.size == 3 * SAMPLE_RATE
    soft = np.flatnonzero(samples == int(1000 * DUCKED)) / SAMPLE_RATE
    assert soft[0] == pytest.approx(1, abs=SOON)
    assert soft[-1] == pytest.approx(2, abs=SOON)
    assert samples[-1] == 1000


async def test_a_pause_before_anybody_listens_waits() -> None:
    line = Line()
    await line.say(1)
    await asyncio.sleep(PUBLISHING_SECONDS / 2)
    line.output.pause()
    await asyncio.sleep(1)
    assert line.air.sounded_seconds < 0.2
    line.output.resume()
    line.output.flush()
    await line.output.wait_for_playout()
    assert len(line.air.samples) == SAMPLE_RATE


@pytest.mark.parametrize("flushed", ["before", "after"])
@pytest.mark.parametrize("paused", [False, True])
async def test_what_is_cleared_is_silent_at_once_and_tells_how_much_was_heard(
    flushed: str, paused: bool
) -> None:
    line = Line()
    await line.say(3)
    if flushed == "before":
        line.output.flush()
    await asyncio.sleep(PUBLISHING_SECONDS + 1)
    if paused:
        line.output.pause()
        await asyncio.sleep(1)
    line.output.clear_buffer()
    if flushed == "after":
        await line.say(0.1)
        line.output.flush()
    await line.output.wait_for_playout()
    assert len(line.air.samples) / SAMPLE_RATE == pytest.approx(1, abs=SOON)
    assert line.ends[0] == (1.0, True)


async def test_what_is_cleared_while_it_is_captured_is_not_heard() -> None:
    line = Line()
    await asyncio.sleep(PUBLISHING_SECONDS)
    frame = rtc.AudioFrame(bytes(4800), SAMPLE_RATE, 1, 2400)
    capturing = asyncio.create_task(line.voice.capture_frame(frame))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    line.voice.clear_buffer()
    await capturing
    assert line.air.queued_duration == 0


async def test_the_next_speech_is_heard_as_a_whole_after_one_that_was_cleared() -> None:
    line = Line()
    await line.say(2, level=7)
    await asyncio.sleep(1)
    line.output.flush()
    line.output.clear_buffer()
    await line.output.wait_for_playout()
    line.air.heard.clear()
    await line.say(1)
    line.output.flush()
    await line.output.wait_for_playout()
    assert line.air.samples == numbers(1)
    assert [interrupted for _, interrupted in line.ends] == [True, False]


async def test_one_speech_follows_the_other() -> None:
    line = Line()
    for level in (1, 2):
        await line.say(0.5, level=level)
        line.output.flush()
    await line.output.wait_for_playout()
    assert line.air.samples == [1] * (SAMPLE_RATE // 2) + [2] * (SAMPLE_RATE // 2)
    assert line.ends == [(0.5, False), (0.5, False)]


async def test_it_ends_with_the_call() -> None:
    line = Line()
    await line.say(2)
    await asyncio.sleep(1)
    await line.output.aclose()
    await line.voice.aclose()
    assert line.air.queued_duration == 0
