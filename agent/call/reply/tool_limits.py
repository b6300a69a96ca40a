"""Limits tools, so that a faulty one loses its own result but never the call.

LiveKit passes a tool's exception to the model as a failed call. But it waits for ever for a tool
that hangs, ends the answer without a word if one is cancelled from within, lets SystemExit end the
process, and sends a result of any size to the model.
"""

import asyncio
import contextlib
import functools
import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any

from livekit.agents import AgentSession, ToolError
from livekit.agents.llm import FunctionTool, RawFunctionTool

log = logging.getLogger(__name__)

LONGEST_RESULT = 20_000
"""Characters of a result that the model reads, about 5,000 tokens. The rest is cut off."""

Tool = FunctionTool[..., Any] | RawFunctionTool[..., Any]


def limited(tool: Tool, session: Callable[[], AgentSession[Any]], seconds: float) -> Tool:
    """The same tool for the model, with its limits.

    It fails once it has kept a silent caller waiting for `seconds`. The time does not count while
    the agent or the caller speaks, or while a task of the tool converses with the caller.
    """

    @functools.wraps(tool)
    async def run(*args: Any, **kwargs: Any) -> Any:
        limit = asyncio.timeout(None)
        try:
            async with limit:
                with _silence_counted(session(), limit, seconds):
                    result = tool(*args, **kwargs)
                    return _shortened(await result if inspect.isawaitable(result) else result)
        except TimeoutError:
            if not limit.expired():
                raise
            log.warning("a tool took too long", extra={"tool": tool.id, "seconds": seconds})
            raise ToolError(f"No result within {seconds:g} seconds") from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            log.warning("a tool was cancelled from within", extra={"tool": tool.id})
            raise ToolError("The tool was cancelled") from None
        except SystemExit as error:
            log.exception("a tool tried to end the process", extra={"tool": tool.id})
            raise ToolError("An internal error occurred") from error

    if isinstance(tool, RawFunctionTool):
        return RawFunctionTool(run, tool.info)
    return FunctionTool(run, tool.info)


@contextlib.contextmanager
def _silence_counted(
    session: AgentSession[Any], limit: asyncio.Timeout, seconds: float
) -> Iterator[None]:
    """Let the limit expire when the agent has owed an answer for `seconds` without a break."""

    def look(_: object = None) -> None:
        is_owed = session.agent_state == "thinking" and session.user_state != "speaking"
        loop = asyncio.get_running_loop()
        limit.reschedule(loop.time() + seconds if is_owed else None)

    session.on("agent_state_changed", look)
    session.on("user_state_changed", look)
    look()
    try:
        yield
    finally:
        session.off("agent_state_changed", look)
        session.off("user_state_changed", look)


def _shortened(result: Any) -> Any:
    if isinstance(result, dict | list | str) and len(text := str(result)) > LONGEST_RESULT:
        return f"{text[:LONGEST_RESULT]} ... (cut off: {len(text)} characters)"
    return result
