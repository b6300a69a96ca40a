"""A caller over WebRTC: speaks in real time, hears, and keeps both sides on one clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from livekit import rtc

from agent.caller.access import Access, join_token
from agent.caller.line import CallEndedError, Line
from agent.caller.speech_energy import Span

__all__ = ["CallEndedError", "Caller", "Reply"]

_BUSY_STATES = {"thinking", "speaking"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the agent answered, and when it was heard, in seconds on the call's clock."""

    start_seconds: float
    end_seconds: float
    latency_ms: float
    """From the end of the caller's speech to the first audible reply."""


class Caller(Line):
    """One participant of a room; made by `Caller.join`, and hung up when its context is left."""

    @classmethod
    @asynccontextmanager
    async def join(
        cls,
        access: Access,
        room: str,
        identity: str,
        agent_name: str = "",
        *,
        metadata: str = "",
        source: rtc.TrackSource.ValueType | None = rtc.TrackSource.SOURCE_MICROPHONE,
    ) -> AsyncIterator["Caller"]:
        """Join a room with an open microphone; `agent_name` asks for that agent.

        `metadata` is the request's: the call's own settings. `source` is what the client says that
        its track is; None: it has none, and types.

        Raises livekit.rtc.ConnectError when the server refuses, TimeoutError.
        """
        caller = cls(rtc.Room(), room, identity)
        token = join_token(access, room, identity, agent_name, metadata)
        try:
            await caller.connect(access.url, token, source)
            yield caller
        finally:
            await caller.hang_up()

    async def hear_start(self, *, after_seconds: float, timeout_seconds: float) -> Span:
        """The first speech on the line that begins after a moment, as soon as it begins."""
        return await self.until(
            lambda: next(
                (span for span in self.heard_spans if span.start_seconds >= after_seconds), None
            ),
            timeout_seconds=timeout_seconds,
            what="the agent began to speak",
        )

    async def hear_silence(self, *, timeout_seconds: float) -> float:
        """Wait until the agent has finished speaking; the answer is when it was last heard."""
        await self.until(
            lambda: (not self.hears_speech and self.agent_state not in _BUSY_STATES) or None,
            timeout_seconds=timeout_seconds,
            what="the agent fell silent",
        )
        return self.heard_spans[-1].end_seconds if self.heard_spans else 0.0

    async def hear_reply(
        self, *, after_seconds: float, timeout_seconds: float, longest_seconds: float = 60.0
    ) -> Reply:
        """Wait for a reply to speech that ended at `after_seconds`, and hear it out."""
        begun = await self.hear_start(after_seconds=after_seconds, timeout_seconds=timeout_seconds)
        ended = await self.hear_silence(timeout_seconds=longest_seconds)
        latency_ms = (begun.start_seconds - after_seconds) * 1000
        return Reply(begun.start_seconds, ended, latency_ms)

    async def agent_gone(self, *, timeout_seconds: float) -> None:
        """Wait until the agent has left, or the call is over."""
        await self._changes.until(
            lambda: self._agent_left or self.disconnected,
            timeout_seconds=timeout_seconds,
            what="the agent to leave",
        )

    async def hung_up_on(self, *, timeout_seconds: float) -> None:
        """Wait until the call is over for the caller, too."""
        await self._changes.until(
            lambda: self.disconnected, timeout_seconds=timeout_seconds, what="the end of the call"
        )

    async def told_to_wait(self, *, timeout_seconds: float) -> None:
        """Wait until a worker tells the caller that nobody is free."""
        await self._changes.until(
            lambda: self.was_told_to_wait,
            timeout_seconds=timeout_seconds,
            what="a worker to say that nobody is free",
        )

    async def attended(self, *, timeout_seconds: float) -> None:
        """Wait until an agent is there, or a worker tells the caller that nobody is free."""
        await self._changes.until(
            lambda: self._agent or self.was_told_to_wait,
            timeout_seconds=timeout_seconds,
            what="an agent to come, or a worker to say that nobody is free",
        )

    async def another_agent(self, than: str | None, *, timeout_seconds: float) -> None:
        """Wait until an agent is there that is not this one."""
        await self._changes.until(
            lambda: self._agent != than and not self._agent_left,
            timeout_seconds=timeout_seconds,
            what="another agent to come",
        )
