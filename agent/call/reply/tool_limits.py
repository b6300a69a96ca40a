"""Limits tools, so that a faulty one loses its own result but never the call.

A tool that is a plain `def` may block, and runs in a thread.

LiveKit passes a tool's exception to the model as a failed call. But it waits for ever for a tool
that hangs, ends the answer without a word if one is cancelled from within, lets SystemExit end the
process, and sends a result of any size to the model.
"""

import asyncio
import contextlib
import contextvars
import functools
import inspect
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal

from livekit.agents import (
    AgentSession,
    AgentStateChangedEvent,
    ToolError,
    UserStateChangedEvent,
)
from livekit.agents.llm import FunctionTool, RawFunctionTool

Outcome = Literal["error", "timeout", "cancelled"]

log = logging.getLogger(__name__)

LONGEST_RESULT = 20_000
"""Characters of a result that the model reads, about 5,000 tokens. The rest is cut off."""

Tool = FunctionTool[..., Any] | RawFunctionTool[..., Any]


class _LimitError(ToolError):
    """What the model is told of a tool that we have given up."""

    def __init__(self, message: str, outcome: Outcome, cause: type[BaseException]) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.cause = cause.__name__


class ToolLimits:
    """The limits of one session's tools. A tool fails once it has kept a silent caller waiting for
    `seconds`. The time does not count while the agent or the caller speaks, or while a task of the
    tool converses with the caller.
    """

    def __init__(self, session: Callable[[], AgentSession[Any]], seconds: float) -> None:
        self._session = session
        self._seconds = seconds
        self.on_failure: Callable[[str, Outcome, str], None] = lambda *_: None
        """Called when a tool fails, with its name, and why as the record says it."""
        self._running: dict[asyncio.Timeout, AgentSession[Any]] = {}

    def on_state_changed(self, _: AgentStateChangedEvent | UserStateChangedEvent) -> None:
        """The agent or the caller began or ceased to speak, or the agent to think."""
        for limit, session in self._running.items():
            self._count(session, limit)

    def limited(self, tool: Tool) -> Tool:
        """The same tool for the model, with its limits."""

        @functools.wraps(tool)
        async def run(*args: Any, **kwargs: Any) -> Any:
            return await self._run(tool, *args, **kwargs)

        if isinstance(tool, RawFunctionTool):
            return RawFunctionTool(run, tool.info)
        return FunctionTool(run, tool.info)

    async def _run(self, tool: Tool, *args: Any, **kwargs: Any) -> Any:
        try:
            return await self._within_limits(tool, *args, **kwargs)
        except BaseException as error:  # also if it is cancelled: whatever it is, it goes on
            self.on_failure(tool.id, *_told(error))
            raise

    async def _within_limits(self, tool: Tool, *args: Any, **kwargs: Any) -> Any:
        limit = asyncio.timeout(None)
        try:
            async with limit:
                with self._silence_counted(limit):
                    if is_async(tool):
                        result = tool(*args, **kwargs)
                    else:
                        result = await _in_thread(functools.partial(tool, *args, **kwargs))
                    return _shortened(await result if inspect.isawaitable(result) else result)
        except TimeoutError:
            if not limit.expired():
                raise
            seconds = self._seconds
            log.warning("a tool took too long", extra={"tool": tool.id, "seconds": seconds})
            message = f"No result within {seconds:g} seconds"
            raise _LimitError(message, "timeout", TimeoutError) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            log.warning("a tool was cancelled from within", extra={"tool": tool.id})
            message = "The tool was cancelled"
            raise _LimitError(message, "cancelled", asyncio.CancelledError) from None
        except SystemExit as error:
            log.exception("a tool tried to end the process", extra={"tool": tool.id})
            raise _LimitError("An internal error occurred", "error", SystemExit) from error

    @contextlib.contextmanager
    def _silence_counted(self, limit: asyncio.Timeout) -> Iterator[None]:
        """Let the limit expire when the agent has owed an answer for long without a break."""
        session = self._running[limit] = self._session()
        self._count(session, limit)
        try:
            yield
        finally:
            del self._running[limit]

    def _count(self, session: AgentSession[Any], limit: asyncio.Timeout) -> None:
        is_owed = session.agent_state == "thinking" and session.user_state != "speaking"
        now = asyncio.get_running_loop().time()
        limit.reschedule(now + self._seconds if is_owed else None)


def is_async(tool: Tool) -> bool:
    """Whether a tool is an `async def`, or wraps one. Any other may block, and runs in a thread."""
    return inspect.iscoroutinefunction(inspect.unwrap(tool))


async def _in_thread(function: Callable[[], Any]) -> Any:
    """Run it in a thread of its own, in this context: one that never ends takes no thread from
    others, and keeps no process alive."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if outcome.done():  # given up meanwhile
            return
        if error:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    def run() -> None:
        result, error = None, None
        try:
            result = function()
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has closed
            loop.call_soon_threadsafe(settle, result, error)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), name="tool", daemon=True).start()
    return await outcome


def _told(error: BaseException) -> tuple[Outcome, str]:
    if isinstance(error, _LimitError):
        return error.outcome, error.cause
    is_cancelled = isinstance(error, asyncio.CancelledError)
    return "cancelled" if is_cancelled else "error", type(error).__name__


def _shortened(result: Any) -> Any:
    if isinstance(result, dict | list | str) and len(text := str(result)) > LONGEST_RESULT:
        return f"{text[:LONGEST_RESULT]} ... (cut off: {len(text)} characters)"
    return result
