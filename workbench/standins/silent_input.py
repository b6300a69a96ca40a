"""A caller who says nothing, for sessions without a room."""

import asyncio

from livekit import rtc
from livekit.agents.voice.io import AudioInput

_RATE = 16_000


class SilentInput(AudioInput):
    """Silence, as a live track brings it: 50 ms every 50 ms, for ever."""

    def __init__(self) -> None:
        super().__init__(label="silence")
        self._due = asyncio.get_running_loop().time()

    async def __anext__(self) -> rtc.AudioFrame:
        self._due += 0.05
        await asyncio.sleep(self._due - asyncio.get_running_loop().time())
        return rtc.AudioFrame(bytes(_RATE // 10), _RATE, 1, _RATE // 20)
