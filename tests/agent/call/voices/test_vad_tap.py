"""Others read the voice detector's results as well."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import vad

from agent.call.voices.detection import SILENCE_DB
from agent.call.voices.vad_tap import TappedVAD, level_of
from workbench.standins.scripted import ScriptedVAD

pytestmark = pytest.mark.looptime
Type = vad.VADEventType


class Echoing(vad.VAD):
    """Tells a result for each frame, and START for each flush."""

    def __init__(self) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=0.032))
        self.closed = 0

    @property
    def model(self) -> str:
        return "echoing"

    def stream(self) -> vad.VADStream:
        return EchoingStream(self)


class EchoingStream(vad.VADStream):
    async def _main_task(self) -> None:
        async for each in self._input_ch:
            kind = Type.INFERENCE_DONE if isinstance(each, rtc.AudioFrame) else Type.START_OF_SPEECH
            self._event_ch.send_nowait(vad.VADEvent(kind, 0, 0.0, 0.0, 0.0))

    async def aclose(self) -> None:
        assert isinstance(self._vad, Echoing)
        self._vad.closed += 1
        await super().aclose()


@asynccontextmanager
async def stream_of(tapped: TappedVAD) -> AsyncIterator[vad.VADStream]:
    stream = tapped.stream()
    try:
        yield stream
    finally:
        await stream.aclose()


async def test_both_read_every_event_in_order_the_tap_first() -> None:
    tapped = TappedVAD(Echoing())
    seen: list[tuple[str, vad.VADEventType]] = []
    tapped.taps.append(lambda event: seen.append(("tap", event.type)))
    async with stream_of(tapped) as stream:
        stream.push_frame(rtc.AudioFrame(bytes(2), 16_000, 1, 1))
        stream.flush()
        seen += [("session", (await anext(stream)).type) for _ in range(2)]
    frame, flush = Type.INFERENCE_DONE, Type.START_OF_SPEECH
    assert sorted(seen) == sorted(
        (who, kind) for who in ("tap", "session") for kind in (frame, flush)
    )
    assert [kind for who, kind in seen if who == "session"] == [frame, flush]
    assert seen[0] == ("tap", frame)


async def test_it_passes_for_the_detector_and_closes_it() -> None:
    detector = Echoing()
    tapped = TappedVAD(detector)
    assert (tapped.model, tapped.provider) == ("echoing", "unknown")
    assert tapped.capabilities.update_interval == 0.032
    async with stream_of(tapped):
        await asyncio.sleep(0.1)
    assert detector.closed == 1


async def test_without_a_tap_nothing_is_different() -> None:
    async with stream_of(TappedVAD(ScriptedVAD())) as stream:
        assert (await anext(stream)).type is Type.INFERENCE_DONE


def result(*samples: int) -> vad.VADEvent:
    data = np.array(samples, np.int16).tobytes()
    frames = [rtc.AudioFrame(data, 16_000, 1, len(samples))] if samples else []
    return vad.VADEvent(Type.INFERENCE_DONE, 0, 0.0, 0.0, 0.0, frames=frames)


def test_a_level_is_below_the_loudest_possible() -> None:
    assert level_of(result(-32768, -32768)) == pytest.approx(0)
    assert level_of(result(3277, -3277)) == pytest.approx(-20, abs=0.01)


def test_silence_and_no_sound_have_the_lowest_level() -> None:
    assert level_of(result(0, 0)) == level_of(result()) == SILENCE_DB
