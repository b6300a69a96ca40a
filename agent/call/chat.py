"""Texts typed in the room: the caller's words, or an operator's instructions to the agent.

LiveKit's own text input accepts texts of any length at any rate, and keeps what other participants
send in memory until the process ends.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from typing import Protocol

from livekit.agents import AgentSession
from livekit.agents.voice.room_io import TextInputEvent, TextInputOptions
from livekit.rtc import StreamError

from agent.call.people.authority import Authority, Role
from agent.tasks import Tasks

log = logging.getLogger(__name__)

LONGEST_TEXT = 4000
"""Characters, two printed pages. A longer text is dropped as a whole."""

ARRIVAL_SECONDS = 10
"""How long a text may take to arrive."""

MOST_AT_ONCE = 8
"""Texts of one participant that may be arriving at once. One more cancels the oldest."""

INTERVAL_SECONDS = 2.0
"""How long after a text the next one of the same participant is taken."""

REMEMBERED = 100
"""How many texts' ids are remembered."""

Hear = Callable[[str, Role, str], Awaitable[None]]
"""Takes a text, its writer's role and its writer's identity."""


class Text(Protocol):
    """A text that arrives in pieces."""

    def __aiter__(self) -> AsyncIterator[str]: ...

    def close(self) -> None:
        """Read no more of it."""


class Chat:
    """Reads what the caller and operators type. Drops what others type, unread.

    Each writer's first text is taken at once. After that one text is taken every
    `INTERVAL_SECONDS`: all that came meanwhile, or the newest if that exceeds `LONGEST_TEXT`.
    """

    def __init__(
        self, authority: Authority, hear: Hear, on_typed: Callable[[str], None] = lambda _: None
    ) -> None:
        """`on_typed` is called with the identity of everybody who types."""
        self._authority = authority
        self._on_typed = on_typed
        self._hear = hear
        self._reading: dict[str, list[asyncio.Task[None]]] = {}
        self._unheard: dict[str, str] = {}
        self._being_heard: set[str] = set()
        self._tasks = Tasks()
        self._is_held = False
        self._held: list[tuple[str, str, str]] = []
        """(id, identity, words) of texts that wait for `release`."""
        self._taken: deque[str] = deque(maxlen=REMEMBERED)

    @property
    def is_busy(self) -> bool:
        """Whether a text arrives, or waits to be heard."""
        return any(self._reading.values()) or any(self._unheard.values())

    @property
    def taken(self) -> Sequence[str]:
        """The ids of the texts that were heard lately."""
        return tuple(self._taken)

    def hold(self) -> None:
        """Read on, but have nothing heard until `release`."""
        self._is_held = True

    def release(self, known: Collection[str] = ()) -> None:
        """Have the texts heard that were held, except these: another agent has heard them."""
        self._is_held = False
        held, self._held = self._held, []
        for text, identity, words in held:
            if text not in known:
                self._tasks.start(self._take(text, identity, words), name="held text")

    def on_text(self, text: Text, identity: str) -> None:
        """The handler of the room's chat topic."""
        self._on_typed(identity)
        if not self._authority.admits(identity, Role.CALLER, Role.OPERATOR):
            text.close()
            return
        reading = self._reading.setdefault(identity, [])
        if len(reading) >= MOST_AT_ONCE:
            reading.pop(0).cancel()
        task = self._tasks.start(self._read(text, identity), name="typed text")
        reading.append(task)
        task.add_done_callback(lambda done: reading.remove(done) if done in reading else None)

    async def close(self) -> None:
        """Read no more."""
        await self._tasks.aclose()

    async def _read(self, text: Text, identity: str) -> None:
        try:
            async with asyncio.timeout(ARRIVAL_SECONDS):
                words = await whole(text)
        except (ValueError, TimeoutError, StreamError) as error:
            log.warning("a typed text was not taken", extra={"error": str(error) or "too slow"})
            return
        finally:
            text.close()
        await self._take(id_of(text), identity, words)

    async def _take(self, text: str, identity: str, words: str) -> None:
        if self._is_held:
            self._held.append((text, identity, words))
            return
        self._taken.append(text)
        self._unheard[identity] = newest(self._unheard.get(identity, ""), words)
        task = asyncio.current_task()
        if identity not in self._being_heard and task:
            if task in self._reading.get(identity, ()):
                self._reading[identity].remove(task)  # no later text may cancel it now
            self._being_heard.add(identity)
            try:
                await self._have_heard(identity)
            finally:
                self._being_heard.remove(identity)

    async def _have_heard(self, identity: str) -> None:
        roles = self._authority.roles(identity)
        role = Role.CALLER if Role.CALLER in roles else Role.OPERATOR
        while words := self._unheard.pop(identity, ""):
            await self._hear(words, role, identity)
            await asyncio.sleep(INTERVAL_SECONDS)


def id_of(text: Text) -> str:
    """The id of the stream in which a text came; the same for everybody in the room."""
    return str(getattr(getattr(text, "info", None), "stream_id", ""))


def newest(before: str, words: str) -> str:
    """Both texts as one, or the later one if they are too long together."""
    both = f"{before}\n{words}".strip()
    return both if len(both) <= LONGEST_TEXT else words


async def whole(text: Text) -> str:
    """All of a text, stripped. Raises ValueError as soon as it is too long."""
    words = ""
    async for piece in text:
        words += piece
        if len(words) > LONGEST_TEXT:
            raise ValueError(f"longer than {LONGEST_TEXT} characters")
    return words.strip()


def hear_in(
    session: AgentSession[None],
    said: Callable[[str, str], str] | None = None,
    on_turn: Callable[[], None] = lambda: None,
) -> Hear:
    """The caller's texts count as said; an operator's texts tell the agent what to say.

    `said` takes an identity and its typed words, and returns what the model reads. `on_turn` is
    called before the caller's text becomes a turn.
    """

    async def hear(words: str, role: Role, identity: str) -> None:
        text = said(identity, words) if said and role is Role.CALLER else words
        try:
            if role is Role.OPERATOR:
                session.generate_reply(instructions=text)
                return
            on_turn()
            if answer := TextInputOptions().text_input_cb(session, TextInputEvent(text=text)):
                await answer
        except RuntimeError as error:  # a sentence that nothing may interrupt is being said
            log.info("a typed text was not taken", extra={"error": str(error)})

    return hear
