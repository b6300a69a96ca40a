"""Asks a silent caller whether they are there, and ends the call if they stay silent."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from livekit.agents import (
    AgentSession,
    ChatMessage,
    ConversationItemAddedEvent,
    UserStateChangedEvent,
    stt,
)

from agent.call.endings import Ending
from agent.call.history.marked import Mark, mark_of
from agent.call.output.canned_prompts import Sentence
from config.behaviour import AgentSettings


class Silence:
    """Watches the silences of one call.

    `ears`: the STT if it has no fallback, since it reports whether it has a session; else None.
    """

    def __init__(
        self,
        session: AgentSession[None],
        agent: AgentSettings,
        end: Callable[[Ending], None],
        ears: stt.STT[Any] | None,
    ) -> None:
        self._session = session
        self._agent = agent
        self._end = end
        self._is_deaf = ears is not None
        self._fell_silent = asyncio.Event()
        self._waits_until = float("-inf")
        """When the wait ends for which the caller has asked: seconds on the event loop's clock."""
        session.on("user_state_changed", self._on_user_state)
        session.on("conversation_item_added", self._on_item)
        if ears is not None:
            ears.on("session_opened", lambda _: self._hear(True))
            ears.on("interrupted", lambda _: self._hear(False))

    async def watch(self) -> None:
        """Ask a silent caller whether they are there. End the call if they stay silent.

        While the STT has no session, the caller only seems silent: ask for a moment, and do not
        end the call.
        """
        while True:
            await self._fell_silent.wait()
            self._fell_silent.clear()
            await self._wait_as_asked()
            if not self._is_away():
                continue
            was_deaf = self._is_deaf
            await (self._say_wait() if was_deaf else self._ask())
            await asyncio.sleep(self._agent.silence_seconds)
            if not self._is_away():
                continue
            if was_deaf or self._is_deaf:
                self._fell_silent.set()
            else:
                self._end(Ending.CALLER_SILENT)

    def _is_away(self) -> bool:
        return self._session.user_state == "away"

    async def _wait_as_asked(self) -> None:
        while (left_seconds := self._waits_until - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left_seconds)

    async def _ask(self) -> None:
        with contextlib.suppress(RuntimeError):  # the call ends even if the session cannot ask
            await self._session.say(self._agent.still_there).wait_for_playout()

    async def _say_wait(self) -> None:
        words = Sentence.ONE_MOMENT
        with contextlib.suppress(RuntimeError):
            await self._session.say(words.text, audio=words.frames()).wait_for_playout()

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, ChatMessage) and event.item.role == "user":
            waits = mark_of(event.item) is Mark.HOLD
            now = asyncio.get_running_loop().time()
            self._waits_until = now + self._agent.hold_seconds if waits else now

    def _hear(self, hears: bool) -> None:
        self._is_deaf = not hears

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "away":
            self._fell_silent.set()
