"""Holds ends of turns back, between AssemblyAI and the session, until the second opinion agrees.

Words pass at once. When the source ends or fails, an end that is held back passes first.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing
from dataclasses import asdict

from livekit.agents import stt, vad

from agent.call.relay import Relay
from agent.call.turns.end_of_turn.opinions import Opinion, Opinions
from agent.call.turns.end_of_turn.second_opinion import EventKind, Force, SecondOpinion

__all__ = ["HeldEnds"]

log = logging.getLogger(__name__)

Type = stt.SpeechEventType
_KINDS = {
    Type.START_OF_SPEECH: EventKind.START,
    Type.INTERIM_TRANSCRIPT: EventKind.WORDS,
    Type.PREFLIGHT_TRANSCRIPT: EventKind.WORDS,
    Type.FINAL_TRANSCRIPT: EventKind.WORDS,
    Type.END_OF_SPEECH: EventKind.END,
}


class HeldEnds:
    """For one call. `hear` is a tap of `TappedVAD`, after the tap of `opinions`."""

    def __init__(
        self,
        opinions: Opinions,
        *,
        turn_hold_seconds: float,
        early_seconds: float,
        force_endpoint: Callable[[], None],
        may_wait: Callable[[], bool],
    ) -> None:
        """`may_wait` says whether an end may be held back now."""
        self._opinions = opinions
        self._decision = SecondOpinion[stt.SpeechEvent](turn_hold_seconds, early_seconds)
        self._force_endpoint = force_endpoint
        self._may_wait = may_wait
        self.on_force: Callable[[], None] = lambda: None
        """Called before AssemblyAI is asked to end a turn."""
        self._loop = asyncio.get_running_loop()
        self._is_quiet = True
        self._deadline: asyncio.TimerHandle | None = None
        self._relay = Relay("second opinion")
        opinions.readers.append(self._on_opinion)

    @property
    def is_holding(self) -> bool:
        """Whether an end is held back now."""
        return self._decision.is_holding

    def be_patient(self, early_seconds: float) -> None:
        """Ask for an end only after `early_seconds` of quiet."""
        self._decision.early_seconds = early_seconds
        self._do([])

    def hear(self, _: vad.VADEvent) -> None:
        """The voice detector has a new result, which `opinions` has taken already."""
        quiet_seconds, now = self._opinions.quiet_seconds, self._loop.time()
        was_quiet, self._is_quiet = self._is_quiet, quiet_seconds > 0
        if was_quiet is self._is_quiet:
            return
        if self._is_quiet:
            self._do(self._decision.quiet(now - quiet_seconds, now))
        else:
            self._do(self._decision.voice(now))

    async def sift(self, events: AsyncIterable[stt.SpeechEvent]) -> AsyncGenerator[stt.SpeechEvent]:
        """The events in order. Ends may come later, and not at all if the caller goes on; then the
        new start is left out as well. Raises what the source raises."""
        try:
            passing = self._relay.read(events, self._on_event, self._let_go)
            async with aclosing(passing) as passed_on:
                async for event in passed_on:
                    yield event
        finally:
            self._stop_waiting()

    def close(self) -> None:
        """The call is over."""
        self._stop_waiting()
        self._opinions.close()
        log.info("second opinion", extra=asdict(self._decision.counts))

    def _on_event(self, event: stt.SpeechEvent) -> None:
        if event.alternatives and (language := event.alternatives[0].language):
            self._opinions.language = language
        now = self._loop.time()
        actions = self._decision.push(
            _kind(event),
            event,
            now,
            may_wait=self._may_wait(),
            ended_at=now - _age_seconds(event),
        )
        self._do(actions)

    def _let_go(self) -> None:
        """The source has ended: an end that is held back passes now."""
        self._do(self._decision.close())

    def _on_opinion(self, opinion: Opinion) -> None:
        self._do(self._decision.on_opinion(opinion.hold_share, self._loop.time()))

    def _expire(self, deadline: float) -> None:
        self._do(self._decision.expire(max(deadline, self._loop.time())))

    def _do(self, actions: list[stt.SpeechEvent | Force]) -> None:
        for action in actions:
            if isinstance(action, Force):
                self.on_force()
                self._force_endpoint()
            else:
                self._relay.pass_on(action)
        self._stop_waiting()
        if (deadline := self._decision.deadline) is not None:
            self._deadline = self._loop.call_at(deadline, self._expire, deadline)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _age_seconds(event: stt.SpeechEvent) -> float:
    """How long ago the voice ended."""
    ended_at = event.speech_end_time
    return 0.0 if ended_at is None else max(0.0, event.created_at - ended_at)


def _kind(event: stt.SpeechEvent) -> EventKind:
    if event.type is Type.FINAL_TRANSCRIPT and not any(each.text for each in event.alternatives):
        return EventKind.NOTHING
    return _KINDS.get(event.type, EventKind.OTHER)
