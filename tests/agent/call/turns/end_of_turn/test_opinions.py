"""When the detector is asked, and who hears what it thinks. On a virtual clock."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from livekit import rtc
from livekit.agents import vad

from agent.call.turns.end_of_turn.detector import SAMPLE_RATE, Samples
from agent.call.turns.end_of_turn.opinions import SURE_ABOVE, Opinion, Opinions, hold_share

pytestmark = pytest.mark.looptime

FRAME = 512
FRAME_SECONDS = FRAME / SAMPLE_RATE
THRESHOLDS = {"de": 0.2}


class Slow:
    """A detector that takes its time, and says how loud the sound's last sample is."""

    def __init__(self, seconds: float = 0.05) -> None:
        self.seconds = seconds
        self.running = 0
        self.most_running = 0
        self.asked = 0
        self.failure: Exception | None = None

    @property
    def window_seconds(self) -> float:
        return 1.2

    def threshold(self, language: str) -> float:
        return THRESHOLDS.get(language, 0.5)

    async def probability(self, samples: Samples) -> float:
        self.asked += 1
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        await asyncio.sleep(self.seconds)
        self.running -= 1
        if self.failure:
            raise self.failure
        return float(samples[-1]) / 100


class Caller:
    """Speaks into the voice detector's tap."""

    def __init__(self, opinions: Opinions) -> None:
        self.opinions = opinions
        self.told: list[Opinion] = []
        opinions.readers.append(self.told.append)

    async def speak(self, seconds: float) -> None:
        await self._sound(seconds, probability=0.9, sample=0)

    async def pause(self, seconds: float, percent: int = 80) -> None:
        """The detector will find this probability in it, in per cent."""
        await self._sound(seconds, probability=0.1, sample=percent)

    async def _sound(self, seconds: float, *, probability: float, sample: int) -> None:
        data = np.full(FRAME, sample, np.int16).tobytes()
        for _ in range(round(seconds / FRAME_SECONDS)):
            await asyncio.sleep(FRAME_SECONDS)
            self.opinions.hear(
                vad.VADEvent(
                    vad.VADEventType.INFERENCE_DONE,
                    samples_index=0,
                    timestamp=0.0,
                    speech_duration=0.0,
                    silence_duration=0.0,
                    probability=probability,
                    frames=[rtc.AudioFrame(data, SAMPLE_RATE, 1, FRAME)],
                )
            )


@asynccontextmanager
async def caller_of(detector: Slow) -> AsyncIterator[Caller]:
    caller = Caller(Opinions(detector, 0.4, ask_after_seconds=(0.2, 0.4, 0.8)))
    try:
        yield caller
    finally:
        caller.opinions.close()


async def test_a_pause_is_judged_and_told_with_the_time_at_which_it_began() -> None:
    async with caller_of(Slow()) as caller:
        await caller.speak(0.64)
        fell_quiet = asyncio.get_running_loop().time()
        await caller.pause(0.32)
        [opinion] = caller.told
    assert opinion.probability == pytest.approx(0.8)
    assert opinion.hold_share == 0
    assert opinion.quiet_seconds == pytest.approx(0.224)
    assert opinion.quiet_since == pytest.approx(fell_quiet)


async def test_the_threshold_is_the_languages() -> None:
    async with caller_of(Slow()) as caller:
        for caller.opinions.language in ("en", "de"):
            await caller.speak(0.64)
            await caller.pause(0.32, percent=30)
    shares = [(each.threshold, each.hold_share) for each in caller.told]
    assert shares == [(0.5, 1), (0.2, pytest.approx(0.5))]


@given(some.floats(0, 1), some.floats(0, 1), some.floats(0, 1))
def test_the_surer_the_detector_the_shorter_the_hold(
    one: float, other: float, threshold: float
) -> None:
    surer, less = max(one, other), min(one, other)
    assert 0 <= hold_share(surer, threshold) <= hold_share(less, threshold) <= 1
    assert hold_share(threshold, threshold) == pytest.approx(1)
    assert hold_share(threshold + SURE_ABOVE, threshold) == 0


async def test_a_voice_overtakes_the_opinion_on_the_pause_before_it() -> None:
    async with caller_of(Slow(seconds=0.1)) as caller:
        await caller.speak(0.64)
        await caller.pause(0.224)
        await caller.speak(0.64)
        assert caller.told == []
        assert caller.opinions.latest is None


async def test_the_newest_opinion_is_there_until_the_caller_goes_on() -> None:
    async with caller_of(Slow()) as caller:
        await caller.speak(0.64)
        assert (caller.opinions.quiet_seconds, caller.opinions.is_asking) == (0.0, False)
        await caller.pause(0.224)
        assert (caller.opinions.quiet_seconds, caller.opinions.is_asking) == (
            pytest.approx(0.224),
            True,
        )
        await caller.pause(0.256)
        assert caller.told
        assert caller.opinions.latest is caller.told[-1]
        await caller.speak(FRAME_SECONDS)
        assert caller.opinions.latest is None


async def test_one_is_formed_at_a_time_and_of_the_questions_meanwhile_the_newest_is_asked() -> None:
    detector = Slow(seconds=1.0)
    async with caller_of(detector) as caller:
        await caller.speak(0.64)
        await caller.pause(0.96)
        await caller.pause(3.2, percent=60)
    assert (detector.most_running, detector.asked) == (1, 2)
    # The second question is asked when the first has been answered, about the sound of that time.
    assert [round(each.probability, 2) for each in caller.told] == [0.8, 0.6]


async def test_a_detector_that_fails_has_no_opinion_is_told_of_once_and_asked_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    detector = Slow()
    detector.failure = RuntimeError("no such model")
    async with caller_of(detector) as caller:
        for _ in range(2):
            await caller.speak(0.64)
            await caller.pause(0.32)
        assert caller.told == []
        detector.failure = None
        await caller.speak(0.64)
        await caller.pause(0.32)
        assert len(caller.told) == 1
    errors = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert [each.getMessage() for each in errors] == [
        "the end-of-turn detector failed: turns end without its opinion"
    ]


async def test_other_events_of_the_voice_detector_say_nothing() -> None:
    detector = Slow()
    async with caller_of(detector) as caller:
        caller.opinions.hear(vad.VADEvent(vad.VADEventType.START_OF_SPEECH, 0, 0.0, 0.0, 0.0))
        caller.opinions.hear(vad.VADEvent(vad.VADEventType.INFERENCE_DONE, 0, 0.0, 0.0, 0.0))
        await asyncio.sleep(10)
    assert detector.asked == 0
