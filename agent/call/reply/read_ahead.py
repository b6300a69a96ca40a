"""Requests the pieces of one speech early enough for each to follow the last without a gap."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectOptions, tts, utils

from agent.tasks import OwnedTask

MOST_AT_ONCE = 2
BUFFERED_SECONDS = 10.0
"""With this much left to play, request no more: an interruption would waste it."""

FAST = 2.0
"""Two requests at once need a voice that makes sound this many times as fast as it is played."""

TELLING_SECONDS = 1.0
"""A shorter piece does not show how fast the voice is."""


class Piece:
    """One piece of a speech. Making one requests its sound."""

    def __init__(self, voice: tts.TTS[Any], text: str, options: APIConnectOptions) -> None:
        self.text = text
        self.has_begun = asyncio.Event()
        self.is_settled = asyncio.Event()
        self.is_fast: bool | None = None
        """Whether the voice made it fast. None until it is whole, and if it is too short to say."""
        self._sound = utils.aio.Chan[rtc.AudioFrame]()
        # A failure that nobody comes to read has been logged by the voice.
        self._asking = OwnedTask(self._ask(voice, options), name="piece of speech", is_watched=True)

    async def sound(self) -> AsyncIterator[rtc.AudioFrame]:
        """Its frames, as they come. Raises what the voice raises."""
        async for frame in self._sound:
            yield frame
        await self._asking.result()

    def settle(self) -> None:
        """The reader is done with this piece, whether or not it had sound."""
        self.has_begun.set()
        self.is_settled.set()

    async def aclose(self) -> None:
        """Cancel the request."""
        await self._asking.aclose()

    async def _ask(self, voice: tts.TTS[Any], options: APIConnectOptions) -> None:
        loop = asyncio.get_running_loop()
        began_at, sound_seconds = 0.0, 0.0
        try:
            async with voice.synthesize(self.text, conn_options=options) as sound:
                async for audio in sound:
                    if not self.has_begun.is_set():
                        self.has_begun.set()
                        began_at = loop.time()
                    sound_seconds += audio.frame.duration
                    self._sound.send_nowait(audio.frame)
            if sound_seconds >= TELLING_SECONDS:
                self.is_fast = sound_seconds >= FAST * (loop.time() - began_at)
        finally:
            self._sound.close()


class ReadAhead:
    """Requests the pieces of one speech from a voice. `is_fast`: whether the voice was fast so far.

    It requests the next piece when the one before is whole or, with a fast voice, has begun.
    """

    def __init__(self, voice: tts.TTS[Any], options: APIConnectOptions, *, is_fast: bool) -> None:
        self.is_fast = is_fast
        self._voice = voice
        self._options = options
        self._plays_until = float("-inf")
        self._latest: deque[Piece] = deque(maxlen=MOST_AT_ONCE)

    @asynccontextmanager
    async def read(self, texts: AsyncIterable[str]) -> AsyncIterator[AsyncIterator[Piece]]:
        """The pieces in order. The reader has to `settle` each one."""
        asked = utils.aio.Chan[Piece]()
        try:
            async with OwnedTask(self._ask(texts, asked), name="reading ahead") as asking:
                yield self._in_order(asked, asking)
        finally:
            for piece in self._latest:
                await piece.aclose()

    def will_play(self, seconds: float) -> None:
        """This much more sound has been passed on to be played."""
        now = asyncio.get_running_loop().time()
        self._plays_until = max(self._plays_until, now) + seconds

    async def _in_order(
        self, asked: utils.aio.Chan[Piece], asking: OwnedTask[None]
    ) -> AsyncIterator[Piece]:
        async for piece in asked:
            yield piece
        await asking.result()

    async def _ask(self, texts: AsyncIterable[str], asked: utils.aio.Chan[Piece]) -> None:
        try:
            async for text in texts:
                await self._until_due()
                piece = Piece(self._voice, text, self._options)
                self._latest.append(piece)
                asked.send_nowait(piece)
        finally:
            asked.close()

    async def _until_due(self) -> None:
        """Return when the next piece may be requested."""
        if self._latest:
            former = self._latest[-1]
            await (former.has_begun if self.is_fast else former.is_settled).wait()
        if len(self._latest) == MOST_AT_ONCE:
            await self._latest[0].is_settled.wait()
        loop = asyncio.get_running_loop()
        while (early_seconds := self._plays_until - BUFFERED_SECONDS - loop.time()) > 0:  # noqa: ASYNC110  the time moves meanwhile
            await asyncio.sleep(early_seconds)
