"""What the call's tools leave the caller with: never silence."""

import asyncio
from typing import Any

import pytest
from livekit.agents import Agent, AgentSession, function_tool, llm

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools, change_patience_tool, end_call_tool
from agent.call.output.canned_prompts import CannedPrompt
from agent.call.reply.broken_answers import BrokenAnswers
from agent.call.session_events import subscribe
from agent.call.turns.turn_taking import TurnTaking
from config.load import load_settings
from stt_assemblyai.stt import STT

pytestmark = pytest.mark.looptime

END = llm.FunctionToolCall(name="end_call", arguments="{}", call_id="1")
PATIENCE = llm.FunctionToolCall(
    name="change_patience", arguments='{"patience": "conservative"}', call_id="2"
)
GOODBYE = "I am ending this call."


class FakeLLM(llm.LLM[Any]):
    """Answers with these words and tools, step by step."""

    def __init__(self, *steps: str | llm.FunctionToolCall | list[Any]) -> None:
        super().__init__()
        self.steps = [step if isinstance(step, list) else [step] for step in steps]

    def chat(self, *, chat_ctx: Any, tools: Any = None, conn_options: Any, **_: Any) -> Any:
        return Thought(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class Thought(llm.LLMStream):
    _llm: FakeLLM

    async def _run(self) -> None:
        for part in self._llm.steps.pop(0):
            delta = (
                llm.ChoiceDelta(role="assistant", content=part)
                if isinstance(part, str)
                else llm.ChoiceDelta(role="assistant", tool_calls=[part])
            )
            self._event_ch.send_nowait(llm.ChatChunk(id="1", delta=delta))


async def said(model: FakeLLM) -> list[str]:
    """What the agent says to one turn of the caller, "(waits)" and "(hangs up)"."""
    heard: list[str] = []
    manual: Any = {"turn_detection": "manual"}
    session: AgentSession[None] = AgentSession(llm=model, turn_handling=manual)
    key = {"api_key": "key"}
    livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
    settings = load_settings(None, given={"livekit": livekit, "assemblyai": key, "openai": key})
    turn_taking = TurnTaking(settings, STT(api_key="key"), session)
    tools = CallTools(
        session,
        change_patience_tool(turn_taking),
        end_call_tool(GOODBYE, lambda: heard.append("(hangs up)")),
    )
    agents = CallAgents(session, turn_taking, tools, "Hello.")
    subscribe(session, None, turn_taking, BrokenAnswers(session, "No.", "en"), agents, tools.limits)
    await session.start(Agent(instructions=""), record=False)
    await session.wait_for_idle()

    def listen(event: Any) -> None:
        if event.item.role == "assistant":
            heard.append(event.item.text_content)

    session.on("conversation_item_added", listen)
    await session.generate_reply(user_input="Please.")
    await asyncio.sleep(10)
    await session.aclose()
    if turn_taking.preset == "conservative":
        heard.append("(waits)")
    return heard


@pytest.mark.parametrize(
    ("model", "heard"),
    [
        (FakeLLM(["Bye!", END]), ["Bye!", "(hangs up)"]),
        (FakeLLM(END), [GOODBYE, "(hangs up)"]),
        (FakeLLM(["Gladly.", PATIENCE]), ["Gladly.", "(waits)"]),
        (FakeLLM(PATIENCE, "Take your time."), ["Take your time.", "(waits)"]),
        (FakeLLM(""), [CannedPrompt.CUT_OFF.recorded().text]),
        (FakeLLM(" \n"), [CannedPrompt.CUT_OFF.recorded().text]),
        (FakeLLM(PATIENCE, ""), [CannedPrompt.CUT_OFF.recorded().text, "(waits)"]),
    ],
    ids=[
        "a goodbye and a hang-up",
        "a hang-up without a word",
        "words and more patience",
        "more patience without a word",
        "nothing",
        "blanks",
        "a tool and then nothing",
    ],
)
async def test_a_turn_is_answered_whatever_the_model_leaves_out(
    model: FakeLLM, heard: list[str]
) -> None:
    assert await said(model) == heard


async def test_a_tool_of_an_agent_wins_over_one_of_the_call_with_the_same_name() -> None:
    session: AgentSession[None] = AgentSession()
    tools = CallTools(session, end_call_tool(GOODBYE, lambda: None))

    @function_tool
    async def end_call() -> str:
        """Another way to end."""
        return "no"

    @function_tool
    async def look() -> str:
        """Look."""
        return "free"

    [own] = tools.with_own([end_call])
    assert isinstance(own, llm.FunctionTool)
    assert await own() == "no"
    inside = llm.Toolset(id="ways to end", tools=[end_call])
    assert tools.with_own([inside]) == [inside]
    offered = tools.with_own([look])
    assert [each.id for each in offered] == ["look", "end_call"]
    assert tools.with_own(offered) == offered
    assert tools.with_own([look]) == offered


def named(name: str) -> llm.FunctionTool[Any, Any]:
    async def do() -> str:
        return name

    return function_tool(do, name=name, description=name)


async def test_a_servers_tools_are_for_every_agent_until_it_serves_others() -> None:
    tools = CallTools(AgentSession(), end_call_tool(GOODBYE, lambda: None))
    tools.serve([named("look"), named("end_call"), named("price")])
    offered = tools.with_own([named("look")])
    assert [each.id for each in offered] == ["look", "end_call", "price"]
    assert tools.with_own(offered) == offered
    [price] = offered[2:]
    tools.serve([named("price"), named("sell")])
    again = tools.with_own(offered)
    assert [each.id for each in again] == ["look", "end_call", "price", "sell"]
    assert price not in again
    assert tools.with_own(again) == again
