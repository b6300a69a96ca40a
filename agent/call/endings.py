"""Why a call is over, and what follows from it."""

import os
from contextvars import ContextVar
from enum import Enum
from multiprocessing import util

from livekit import rtc


class Ending(Enum):
    """Why a call is over: the name is the code that pages and records see, the value a sentence."""

    CALLER_LEFT = "the caller left"
    CALLER_LOST = "the caller's network failed and the caller did not come back in time"
    ANOTHER_CALLER = "somebody else is the caller"
    CALLER_SILENT = "the caller said nothing for too long"
    NO_CALLER = "no caller came in time"
    ROOM_CLOSED = "the room closed"
    CANNOT_HEAR = "the speech recognition failed"
    CANNOT_THINK = "the language model failed"
    CANNOT_SPEAK = "the speech synthesis failed"
    AGENT_ENDED = "the agent ended the call"
    TOO_LONG = "the call reached its longest duration"
    OTHER_AGENT = "another agent was there already"
    HANDED_OVER = "another agent goes on with the call"
    WORKER_STOPPED = "the worker was stopped"
    HURRIED = "the worker could not wait for the call to end"
    FAULT = "the agent has a fault"

    @property
    def code(self) -> str:
        """The code in the attribute `agent.ending`, such as cannot_hear."""
        return self.name.lower()

    @property
    def wants_person(self) -> bool:
        """The agent cannot go on, but a person could."""
        return self in (
            Ending.CANNOT_HEAR,
            Ending.CANNOT_THINK,
            Ending.CANNOT_SPEAK,
            Ending.FAULT,
        )

    @property
    def needs_apology(self) -> bool:
        """The caller is still there and wanted to go on; the end is not the caller's doing."""
        return self.wants_person or self is Ending.HURRIED

    @property
    def frees_the_room(self) -> bool:
        """Anybody else in the room, now or later, may be the next caller."""
        return self in (
            Ending.CALLER_LEFT,
            Ending.CALLER_LOST,
            Ending.ANOTHER_CALLER,
            Ending.NO_CALLER,
        )

    @property
    def hangs_up(self) -> bool:
        """The agent ends the call. If the caller stayed in the room, nobody would come."""
        return self.needs_apology or self in (
            Ending.CALLER_SILENT,
            Ending.AGENT_ENDED,
            Ending.TOO_LONG,
        )


# Disconnect reasons of callers who leave for good; all others are network failures.
HUNG_UP = frozenset(
    {
        rtc.DisconnectReason.CLIENT_INITIATED,
        rtc.DisconnectReason.PARTICIPANT_REMOVED,
        rtc.DisconnectReason.ROOM_DELETED,
        rtc.DisconnectReason.ROOM_CLOSED,
        rtc.DisconnectReason.USER_REJECTED,
        rtc.DisconnectReason.USER_UNAVAILABLE,
    }
)

FAILED_PROVIDER = {
    "stt_error": Ending.CANNOT_HEAR,
    "llm_error": Ending.CANNOT_THINK,
    "tts_error": Ending.CANNOT_SPEAK,
}


_failures: ContextVar[list[str] | None] = ContextVar("failures", default=None)


def count_as_failed() -> None:
    """Make this job count as failed.

    LiveKit goes by the exit code of the job's process; one that exits in order counts as done.
    """
    failures = _failures.get()
    if failures is None:
        util.Finalize(None, os._exit, args=(1,), exitpriority=-1)  # after all other finalizers
    else:
        failures.append("failed")


def failures_here() -> list[str]:
    """From now on a job of this context that fails is noted here. The process, which holds other
    jobs, exits in order."""
    failures: list[str] = []
    _failures.set(failures)
    return failures
