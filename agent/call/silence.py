"""Asks a silent caller whether they are there, and ends the call if they stay silent."""

import asyncio
import contextlib
from collections.abc import Callable

from livekit.agents import (
    AgentSession,
    ChatMessage,
    ConversationItemAddedEvent,
    UserStateChangedEvent,
)

from agent.call.endings import Ending
from agent.call.history.marked import Mark, mark_of
from agent.call.output.canned_prompts import CannedPrompt
from agent.call.takeover.state import Quiet
from agent.livekit_private import away_in, fall_away_in
from config.behaviour import AgentSettings


class Silence:
    """Watches the silences of one call.

    `knows_stt`: whether `on_recogniser_opened` and `on_recogniser_interrupted` tell all: an STT
    with a fallback hears without a session of its own.
    """

    def __init__(
        self,
        session: AgentSession[None],
        agent: AgentSettings,
        end: Callable[[Ending], None],
        *,
        knows_stt: bool,
    ) -> None:
        self._session = session
        self._agent = agent
        self._end = end
        self._knows_stt = knows_stt
        self._is_deaf = knows_stt
        self._fell_silent = asyncio.Event()
        self._waits_until = float("-inf")
        """When the wait ends for which the caller has asked: seconds on the event loop's clock."""
        self._asked_at: float | None = None
        """When the caller was asked in this silence, on the same clock."""
        self._was_deaf = False

    async def watch(self) -> None:
        """Ask a silent caller whether they are there. End the call if they stay silent.

        While the STT has no session, the caller only seems silent: ask for a moment, and do not
        end the call.
        """
        while True:
            if self._asked_at is None and not await self._asks():
                continue
            if not await self._stays_away():
                continue
            if self._was_deaf or self._is_deaf:
                self._fell_silent.set()
            else:
                self._end(Ending.CALLER_SILENT)

    async def _asks(self) -> bool:
        """Wait for a silence, and ask. Returns whether anybody was asked."""
        await self._fell_silent.wait()
        self._fell_silent.clear()
        await self._wait_as_asked()
        if not self._is_away():
            return False
        self._was_deaf = self._is_deaf
        await (self._say_wait() if self._was_deaf else self._ask())
        self._asked_at = asyncio.get_running_loop().time()
        return True

    async def _stays_away(self) -> bool:
        """Wait for an answer. Returns whether there is none."""
        asked_at = self._asked_at or 0.0
        await asyncio.sleep(
            asked_at + self._agent.silence_seconds - asyncio.get_running_loop().time()
        )
        self._asked_at = None
        return self._is_away()

    @property
    def is_deaf(self) -> bool:
        """Whether speech recognition has no session."""
        return self._is_deaf

    def take(self) -> Quiet:
        """How long the caller has been silent."""
        now = asyncio.get_running_loop().time()
        asked_ago = None if self._asked_at is None else now - self._asked_at
        left = 0.0 if self._is_away() else away_in(self._session)
        return Quiet(
            away_in=left,
            asked_ago=asked_ago if self._is_away() else None,
            waits=max(0.0, self._waits_until - now),
        )

    def restore(self, quiet: Quiet) -> None:
        """Count on from there; before `watch`."""
        now = asyncio.get_running_loop().time()
        self._waits_until = now + quiet.waits
        self._asked_at = None if quiet.asked_ago is None else now - quiet.asked_ago
        self._fell_silent.clear()
        if quiet.away_in is not None:
            fall_away_in(self._session, quiet.away_in)

    def _is_away(self) -> bool:
        return self._session.user_state == "away"

    async def _wait_as_asked(self) -> None:
        while (left_seconds := self._waits_until - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110  the time moves meanwhile
            await asyncio.sleep(left_seconds)

    async def _ask(self) -> None:
        with contextlib.suppress(RuntimeError):  # the call ends even if the session cannot ask
            await self._session.say(self._agent.still_there).wait_for_playout()

    async def _say_wait(self) -> None:
        words = CannedPrompt.ONE_MOMENT.recorded(self._agent.language)
        with contextlib.suppress(RuntimeError):
            await self._session.say(words.text, audio=words.frames()).wait_for_playout()

    def on_item_added(self, event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, ChatMessage) and event.item.role == "user":
            waits = mark_of(event.item) is Mark.HOLD
            now = asyncio.get_running_loop().time()
            self._waits_until = now + self._agent.hold_seconds if waits else now

    def on_recogniser_opened(self, _: object) -> None:
        self._is_deaf = False

    def on_recogniser_interrupted(self, _: object) -> None:
        self._is_deaf = self._knows_stt

    def on_user_state_changed(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "away":
            self._fell_silent.set()
