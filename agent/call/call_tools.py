"""The tools that every agent of a call has: it can end the call and change its patience."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from livekit.agents import AgentSession, RunContext, function_tool
from livekit.agents.llm import FunctionTool, RawFunctionTool, Tool, Toolset

from agent.call.reply.broken_answers import has_words
from agent.call.reply.tool_limits import ToolLimits
from agent.call.turns.turn_taking import TurnTaking
from agent.livekit_private import limit_inside

Offered = list[Tool | Toolset]


class CallTools:
    """Adds the call's own tools to an agent's, and gives each of them a time limit, so that none
    can keep the caller waiting for ever. An agent's own tool wins over one of the same name."""

    def __init__(self, session: AgentSession[Any], *own: Tool, timeout_seconds: float = 30) -> None:
        self.limits = ToolLimits(lambda: session, timeout_seconds)
        """They have to hear the session's changes of state (`agent.call.session_events`)."""
        self._own = own
        self._served: Sequence[Tool] = ()
        self._withdrawn: set[Tool | Toolset] = set()
        self._limited: dict[Tool | Toolset, Tool | Toolset] = {}

    def with_own(self, tools: Sequence[Tool | Toolset]) -> Offered:
        """These tools within their limits, and the call's own. Given its own result, returns it."""
        of_call = {self._limit(each) for each in (*self._own, *self._served)}
        offered = [each for each in tools if each not in of_call | self._withdrawn]
        for each in (*self._own, *self._served):
            if each.id not in _names(offered):
                offered.append(each)
        return [self._limit(each) for each in offered]

    def serve(self, tools: Sequence[Tool]) -> None:
        """Add these to all agents' tools from now on, in place of those that were served before."""
        self._withdrawn |= {self._limit(each) for each in self._served}
        self._served = tools

    def _limit(self, tool: Tool | Toolset) -> Tool | Toolset:
        if isinstance(tool, Toolset):
            limit_inside(tool, self._limit)
        if not isinstance(tool, FunctionTool | RawFunctionTool) or tool in self._limited.values():
            return tool
        if tool not in self._limited:
            self._limited[tool] = self.limits.limited(tool)
        return self._limited[tool]


def _names(tools: Sequence[Tool | Toolset]) -> Iterator[str]:
    for tool in tools:
        yield tool.id
        if isinstance(tool, Toolset):
            yield from _names(tool.tools)


def change_patience_tool(turn_taking: TurnTaking) -> Tool:
    """A tool by which the model changes the turn preset."""

    @function_tool
    async def change_patience(
        context: RunContext[None], patience: Literal["aggressive", "balanced", "conservative"]
    ) -> str | None:
        """Choose how long you wait in a pause before you answer. Use it when the caller asks you
        not to cut in and to give them time (conservative), or to be quicker (aggressive)."""
        turn_taking.change(patience)
        # LiveKit asks for no answer to a tool without a result. That is right after spoken words;
        # without any, the caller would hear nothing.
        return None if await _spoken(context) else "done"

    return change_patience


def end_call_tool(goodbye: str, hang_up: Callable[[], None]) -> Tool:
    """A tool by which the model ends the call. `goodbye` is said when it does so without a word."""

    @function_tool
    async def end_call(context: RunContext[None]) -> None:
        """End the call. Use it when the caller says goodbye or asks to hang up, and only after you
        have said goodbye yourself, in the same answer."""
        try:
            if not await _spoken(context):
                await context.session.say(goodbye)
        finally:
            hang_up()

    return end_call


async def _spoken(context: RunContext[None]) -> bool:
    """Whether the answer that calls the tool has words; returns when they have been heard."""
    await context.wait_for_playout()
    return any(has_words(item) for item in context.speech_handle.chat_items)
