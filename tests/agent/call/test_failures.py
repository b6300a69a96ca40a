"""What of a session's errors, and its closing, ends a call."""

from typing import Any

import pytest
from livekit.agents import AgentSession, APIConnectionError, CloseEvent, CloseReason, ErrorEvent
from livekit.agents.llm import LLMError

from agent.call.endings import Ending
from agent.call.failures import Failures
from agent.call.models.errors import BrokenOffError
from agent.call.reply.broken_answers import BrokenAnswers


class Call:
    """What ends it, and why; the first reason counts."""

    def __init__(self) -> None:
        session: AgentSession[None] = AgentSession()
        self.endings: list[Ending] = []
        self.failures = Failures(
            BrokenAnswers(session, "No.", "en"), self.endings.append, lambda: bool(self.endings)
        )

    def fail(self, error: Exception, *, recoverable: bool = False) -> None:
        failed = LLMError(timestamp=0.0, label="model", error=error, recoverable=recoverable)
        self.failures.on_error(ErrorEvent(error=failed, source=None))  # type: ignore[arg-type]


@pytest.fixture
async def call() -> Call:
    return Call()


async def test_a_provider_that_failed_for_good_ends_the_call_once(call: Call) -> None:
    call.fail(APIConnectionError("away"))
    call.fail(APIConnectionError("away"))
    assert call.endings == [Ending.CANNOT_THINK]


async def test_a_failure_that_is_tried_again_and_an_answer_that_broke_off_end_nothing(
    call: Call,
) -> None:
    call.fail(APIConnectionError("away"), recoverable=True)
    call.fail(BrokenOffError("in mid-answer"))
    assert call.endings == []


async def test_speech_recognition_that_fails_without_the_sessions_knowledge_end_the_call(
    call: Call,
) -> None:
    call.failures.cannot_hear(ValueError("a message that nobody expected"))
    assert call.endings == [Ending.CANNOT_HEAR]


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        (CloseReason.JOB_SHUTDOWN, Ending.WORKER_STOPPED),
        (CloseReason.USER_INITIATED, Ending.AGENT_ENDED),
    ],
)
async def test_a_session_that_closes_ends_the_call(call: Call, reason: Any, ending: Ending) -> None:
    call.failures.on_close(CloseEvent(reason=reason))
    assert call.endings == [ending]
