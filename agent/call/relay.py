"""Speech events on their way through a filter: from their source, past the filter, to the session.

A filter takes each event of the source when it comes. It may pass events on at any time, also
between two of the source's.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable

from livekit.agents import stt

from agent.tasks import OwnedTask

_Queue = asyncio.Queue[stt.SpeechEvent | None]


class Relay:
    """What one filter passes on. What it passes on while nobody reads is dropped."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._passed_on: _Queue | None = None

    def pass_on(self, event: stt.SpeechEvent) -> None:
        """Give this to the reader, after what was passed on before."""
        if self._passed_on is not None:
            self._passed_on.put_nowait(event)

    async def read(
        self,
        source: AsyncIterable[stt.SpeechEvent],
        take: Callable[[stt.SpeechEvent], None],
        finish: Callable[[], None] = lambda: None,
    ) -> AsyncGenerator[stt.SpeechEvent]:
        """What the filter passes on until the source has ended. Raises what the source raises.

        `take` gets each event of the source. `finish` is called when the source has ended or
        failed, or when the reader has gone; what it passes on is still read.
        """
        queue = self._passed_on = _Queue()
        try:
            async with OwnedTask(_pump(source, take, finish, queue), name=self._name) as pump:
                while (event := await queue.get()) is not None:
                    yield event
                await pump.result()
        finally:
            if self._passed_on is queue:
                self._passed_on = None


async def _pump(
    source: AsyncIterable[stt.SpeechEvent],
    take: Callable[[stt.SpeechEvent], None],
    finish: Callable[[], None],
    queue: _Queue,
) -> None:
    try:
        async for event in source:
            take(event)
    finally:
        finish()
        queue.put_nowait(None)
