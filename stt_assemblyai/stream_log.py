"""What a stream writes into the log. Nothing of what is said is in it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from stt_assemblyai.events import Interrupted, Noticed, Opened, Overdue, StreamEvent
from stt_assemblyai.messages import Unknown, Warned

if TYPE_CHECKING:
    from stt_assemblyai.errors import AssemblyAIError

__all__ = ["StreamLog"]

logger = logging.getLogger("stt_assemblyai")

_DIFFERENT_FAULTS = 20  # that one stream logs


class StreamLog:
    """One stream's log lines. An odd message may come ten times a second: each kind is said once.

    `session_id` is the current session's.
    """

    def __init__(self) -> None:
        self.session_id: str | None = None
        self._said: set[Unknown] = set()
        self._doubted_expiry = False

    def event(self, event: StreamEvent) -> None:
        """The line of an event that leaves the stream, if it has one."""
        match event:
            case Overdue():
                self._warn("A turn did not end; AssemblyAI is asked to end it")
            case Noticed(message=Warned(warning=warning)):
                self._warn("AssemblyAI warns", warning=warning)
            case Noticed(message=Unknown() as message):
                self._unknown(message)
            case _:
                pass

    def opened(self, event: Opened, reason: str) -> None:
        """A session was opened for this reason."""
        fields = {
            "session_id": event.session_id,
            "reason": reason,
            "opening_seconds": round(event.opening_seconds, 3),
        }
        logger.info("AssemblyAI session opened", extra=fields)
        if event.mismatches:
            fields["mismatches"] = event.mismatches
            logger.warning("AssemblyAI session differs from what was asked", extra=fields)

    def rolls_over(self) -> None:
        """The next session takes over."""
        logger.info("AssemblyAI session rolls over", extra={"session_id": self.session_id})

    def interrupted(self, event: Interrupted, failures: int) -> None:
        """A session broke off, or could not be opened, for the last of so many times in a row."""
        error: AssemblyAIError = event.error
        self._warn(
            "AssemblyAI session interrupted; trying again",
            error_type=type(error).__name__,
            code=error.code,
            remedy=error.remedy,
            wait_seconds=round(event.wait_seconds, 3),
            failures=failures,
            dropped_ms=event.dropped_ms,
        )

    def doubts_expiry(self, lifetime_seconds: float) -> None:
        """The expiry of the session cannot be right."""
        if not self._doubted_expiry:
            self._doubted_expiry = True
            self._warn(
                "The expiry of an AssemblyAI session cannot be right: its clock or this machine's "
                "is wrong. Sessions are used until the service ends them",
                lifetime_seconds=round(lifetime_seconds),
            )

    def fault(self, fault: str) -> None:
        """A fault of our own cost the session."""
        self._warn("An AssemblyAI session failed", fault=fault)

    def _unknown(self, message: Unknown) -> None:
        if message in self._said or len(self._said) >= _DIFFERENT_FAULTS:
            return
        self._said.add(message)
        text = (
            "A message of AssemblyAI could not be read as a whole"
            if message.fault
            else "AssemblyAI sends messages of a type that is not known; they are ignored"
        )
        self._warn(text, message_type=message.type, fault=message.fault)

    def _warn(self, text: str, **fields: object) -> None:
        logger.warning(text, extra={"session_id": self.session_id, **fields})
