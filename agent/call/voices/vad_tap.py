"""The session's voice detector, with taps for others who read its results."""

from collections.abc import Callable

from livekit import rtc
from livekit.agents import vad

from agent.call.voices.detection import Result, level_db
from agent.livekit_private import detections, pushed_audio
from agent.tasks import OwnedTask

Tap = Callable[[vad.VADEvent], None]

RESULT_SECONDS = 0.032
"""How much sound each result covers."""


class TappedVAD(vad.VAD):
    """Wraps a voice detector. Each of `taps` gets every event before the session."""

    def __init__(self, detector: vad.VAD) -> None:
        super().__init__(capabilities=detector.capabilities)
        self._detector = detector
        self.taps: list[Tap] = []

    @property
    def model(self) -> str:
        return self._detector.model

    @property
    def provider(self) -> str:
        return self._detector.provider

    def stream(self) -> vad.VADStream:
        return _TappedStream(self, self._detector.stream())


class _TappedStream(vad.VADStream):
    def __init__(self, tapped: TappedVAD, stream: vad.VADStream) -> None:
        self._tapped = tapped
        self._stream = stream
        super().__init__(tapped)

    async def _main_task(self) -> None:
        found = detections(self)
        try:
            async with OwnedTask(self._feed(), name="voice detector"):
                async for event in self._stream:
                    for tap in self._tapped.taps:
                        tap(event)
                    found.send_nowait(event)
        finally:
            await self._stream.aclose()

    async def _feed(self) -> None:
        async for each in pushed_audio(self):
            if isinstance(each, rtc.AudioFrame):
                self._stream.push_frame(each)
            else:
                self._stream.flush()
        self._stream.end_input()


def level_of(event: vad.VADEvent) -> float:
    """The loudness of a result's sound, in dBFS: 0 is the loudest possible."""
    if isinstance(event, Result):
        return event.level_db
    return level_db(b"".join(bytes(frame.data) for frame in event.frames))
