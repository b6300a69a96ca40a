"""For tests of an agent of your own: a typed conversation without keys, network or sound.

What a call adds to its agents is there; the model's answers are scripted.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from livekit.agents import Agent, AgentSession, APIConnectOptions, llm
from livekit.agents.voice.run_result import RunResult

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools, change_patience_tool, end_call_tool
from agent.call.mcp_tools import McpTools
from agent.call.session_events import subscribe
from agent.call.turns.turn_taking import TurnTaking
from agent.livekit_private import chunks
from agent.tasks import OwnedTask
from config.load import load_settings
from config.settings import Settings
from stt_assemblyai.stt import STT

GOODBYE = "Goodbye."
Part = str | llm.FunctionToolCall


def calls(tool: str, **arguments: Any) -> llm.FunctionToolCall:
    """An answer, or a part of one, in which the model calls a tool."""
    return llm.FunctionToolCall(name=tool, arguments=json.dumps(arguments), call_id=tool)


class ScriptedLLM(llm.LLM[Any]):
    """A model that gives these answers, one after the other: words, a call of a tool, or several of
    them in a list. `asked` has the texts that it was sent, request by request."""

    def __init__(self, *answers: Part | Sequence[Part]) -> None:
        super().__init__()
        self.answers = [[each] if isinstance(each, Part) else [*each] for each in answers]
        self.asked: list[list[str]] = []

    def chat(self, *, chat_ctx: llm.ChatContext, tools: Any = None, **others: Any) -> llm.LLMStream:
        self.asked.append([each.text_content or "" for each in chat_ctx.messages()])
        options = others.get("conn_options") or APIConnectOptions()
        parts = self.answers.pop(0) if self.answers else None
        return _Answer(self, parts, chat_ctx=chat_ctx, tools=tools or [], conn_options=options)


class _Answer(llm.LLMStream):
    def __init__(self, model: ScriptedLLM, parts: list[Part] | None, **others: Any) -> None:
        super().__init__(model, **others)
        self._parts = parts

    async def _run(self) -> None:
        if self._parts is None:
            raise AssertionError("the model is asked once more than it has answers")
        for part in self._parts:
            if isinstance(part, str):
                delta = llm.ChoiceDelta(role="assistant", content=part)
            else:
                delta = llm.ChoiceDelta(role="assistant", tool_calls=[part])
            chunks(self).send_nowait(llm.ChatChunk(id="scripted", delta=delta))


@dataclass
class Conversation:
    """A conversation in progress."""

    session: AgentSession[Any]
    model: ScriptedLLM
    has_ended: bool = False
    """Whether the agent has ended the call."""

    async def ask(self, text: str) -> RunResult[Any]:
        """Type this; returns what the agent did, for LiveKit's `result.expect`."""
        return await self.session.run(user_input=text)

    def end(self) -> None:
        """The agent hangs up."""
        self.has_ended = True

    @property
    def agent(self) -> Agent:
        """Who answers now."""
        return self.session.current_agent


@asynccontextmanager
async def conversation(
    agent: Agent,
    *answers: Part | Sequence[Part],
    greeting: str = "",
    mcp_url: str = "",
    tool_timeout_seconds: float = 30,
) -> AsyncIterator[Conversation]:
    """Talk to this agent, whose model gives these answers. `mcp_url`: as AGENT_MCP_URL; the
    conversation begins when the tools of that server are there."""
    session: AgentSession[Any] = AgentSession(
        llm=ScriptedLLM(*answers), turn_handling={"turn_detection": "manual"}
    )
    assert isinstance(session.llm, ScriptedLLM)
    talk = Conversation(session, session.llm)
    turn_taking = TurnTaking(_settings(), STT(api_key="none"), session)
    tools = CallTools(
        session,
        change_patience_tool(turn_taking),
        end_call_tool(GOODBYE, talk.end),
        timeout_seconds=tool_timeout_seconds,
    )
    agents = CallAgents(session, turn_taking, tools, greeting)
    subscribe(session, None, turn_taking, agents, tools.limits)
    await session.start(agent, record=False)
    try:
        await session.wait_for_idle()
        async with _served(mcp_url, agents):
            yield talk
    finally:
        await session.aclose()


@asynccontextmanager
async def _served(mcp_url: str, agents: CallAgents) -> AsyncIterator[None]:
    if not mcp_url:
        yield
        return
    are_there = asyncio.Event()

    async def offer(tools: Sequence[llm.Tool]) -> None:
        await agents.offer(tools)
        are_there.set()

    async with OwnedTask(McpTools(mcp_url, "", offer).follow(), name="MCP server"):
        await are_there.wait()
        yield


def _settings() -> Settings:
    key = {"api_key": "none"}
    livekit = {"url": "ws://127.0.0.1", "api_secret": "none"} | key
    return load_settings(None, given={"livekit": livekit, "assemblyai": key, "openai": key})
