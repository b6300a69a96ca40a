"""Ends the call when a provider has failed for good, or when the session closes by itself."""

import logging
from collections.abc import Callable

from livekit.agents import CloseEvent, CloseReason, ErrorEvent

from agent.call.endings import FAILED_PROVIDER, Ending
from agent.call.reply.broken_answers import BrokenAnswers

log = logging.getLogger(__name__)


class Failures:
    """For one call. `end` may be called more often than once; the first reason counts."""

    def __init__(
        self,
        broken_answers: BrokenAnswers,
        end: Callable[[Ending], None],
        is_ending: Callable[[], bool],
    ) -> None:
        self.broken_answers = broken_answers
        self._end = end
        self._is_ending = is_ending

    def on_error(self, event: ErrorEvent) -> None:
        """A provider failed. An answer that breaks off costs only itself."""
        failure = event.error
        if failure.recoverable or self._is_ending() or self.broken_answers.forgives(failure):
            return
        ending = FAILED_PROVIDER.get(failure.type, Ending.FAULT)
        log.error(
            "a provider failed, ending the call",
            extra={
                "ending": ending.value,
                "error": getattr(failure.error, "message", str(failure.error)),
            },
        )
        self._end(ending)

    def cannot_hear(self, error: Exception) -> None:
        """Speech recognition failed in a way that LiveKit's session does not report."""
        log.error("speech recognition failed, ending the call", exc_info=error)
        self._end(Ending.CANNOT_HEAR)

    def on_close(self, event: CloseEvent) -> None:
        stopped = event.reason is CloseReason.JOB_SHUTDOWN
        self._end(Ending.WORKER_STOPPED if stopped else Ending.AGENT_ENDED)
