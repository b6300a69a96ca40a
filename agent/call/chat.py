"""What is typed in the room: the caller's words, or a word of an operator to the agent.

LiveKit's own text input takes texts of any length, as often as they come, and what others than the
caller send stays in memory until the process ends.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from livekit.agents import AgentSession
from livekit.agents.voice.room_io import TextInputEvent, TextInputOptions
from livekit.rtc import StreamError

from agent.call.authority import Authority, Role, Verdict

log = logging.getLogger(__name__)

LONGEST_TEXT = 4000
"""Characters, two printed pages. Of a longer text nothing is used."""

ARRIVAL_SECONDS = 10
"""How long a text may take to arrive."""

Hear = Callable[[str, Role], Awaitable[None]]
"""Takes a text, and in which role it was written."""


class Text(Protocol):
    """A text that arrives in pieces."""

    def __aiter__(self) -> AsyncIterator[str]: ...

    def close(self) -> None:
        """Take no more of it."""


class Chat:
    """Reads what the caller and operators type; what others type is thrown away unread."""

    def __init__(
        self, authority: Authority, hear: Hear, on_typed: Callable[[str], None] = lambda _: None
    ) -> None:
        """`on_typed` learns the identity of everybody who types."""
        self._authority = authority
        self._on_typed = on_typed
        self._hear = hear
        self._reading: set[asyncio.Task[None]] = set()

    def take(self, text: Text, identity: str) -> None:
        """The handler of the room's chat topic."""
        self._on_typed(identity)
        if self._authority.judge(identity, Role.CALLER, Role.OPERATOR) is not Verdict.GRANTED:
            text.close()
            return
        task = asyncio.create_task(self._read(text, identity))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def close(self) -> None:
        """Read no more."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    async def _read(self, text: Text, identity: str) -> None:
        try:
            async with asyncio.timeout(ARRIVAL_SECONDS):
                words = await whole(text)
        except (ValueError, TimeoutError, StreamError) as error:
            log.warning("a typed text was not taken", extra={"error": str(error) or "too slow"})
            return
        finally:
            text.close()
        roles = self._authority.roles(identity)
        if words:
            await self._hear(words, Role.CALLER if Role.CALLER in roles else Role.OPERATOR)


async def whole(text: Text) -> str:
    """All of a text, without the blanks around it; ValueError as soon as it is too long."""
    words = ""
    async for piece in text:
        words += piece
        if len(words) > LONGEST_TEXT:
            raise ValueError(f"longer than {LONGEST_TEXT} characters")
    return words.strip()


def hear_in(session: AgentSession[None]) -> Hear:
    """What the caller types counts as said; what an operator types tells the agent what to say."""

    async def hear(words: str, role: Role) -> None:
        try:
            if role is Role.OPERATOR:
                session.generate_reply(instructions=words)
            elif answer := TextInputOptions().text_input_cb(session, TextInputEvent(text=words)):
                await answer
        except RuntimeError as error:  # last words are being said, or another sentence that may not
            log.info("a typed text was not taken", extra={"error": str(error)})  # be interrupted

    return hear
