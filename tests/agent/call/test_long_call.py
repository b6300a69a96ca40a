"""What a turn costs after an hour. Steps are counted, calls of Python functions: no busy machine
changes their number."""

import sys
from collections.abc import Awaitable

import pytest
from livekit.agents import Agent, AgentSession

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools, end_call_tool
from agent.call.providers import Clients, build_llm
from agent.call.session_events import subscribe
from agent.call.turn_record.recorder import CallRecorder
from agent.call.turns.turn_taking import TurnTaking
from agent.livekit_private import keep_tool_schemas
from stt_assemblyai.stt import STT
from workbench.bench.misbehaviour.network import Network
from workbench.bench.misbehaviour.replies import answer
from workbench.local.sample_settings import sample_settings

pytestmark = pytest.mark.looptime

AN_HOUR = 400
"""Messages: a question and an answer each 18 s."""


async def steps_of(work: Awaitable[object]) -> int:
    """How many functions run until this is done."""
    count = 0

    def counted(_: object, event: str, __: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        await work
    finally:
        sys.setprofile(None)
    return count


async def test_a_message_of_the_history_costs_a_turn_no_more_than_25_steps() -> None:
    settings = sample_settings()
    keep_tool_schemas()
    clients = Clients.of(settings.openai, Network(lambda _: answer("It is twelve.")).pool)
    session: AgentSession[None] = AgentSession(
        llm=build_llm(settings.openai, clients), turn_handling={"turn_detection": "manual"}
    )
    taking = TurnTaking(settings, STT(api_key="none"), session)
    recorder = CallRecorder([lambda _: None])
    tools = CallTools(session, end_call_tool("Goodbye.", lambda: None))
    agents = CallAgents(session, taking, tools, "", recorder=recorder)
    subscribe(session, None, recorder, taking, agents, tools.limits)
    recorder.begin()
    await session.start(Agent(instructions="Be kind."), record=False)
    await session.wait_for_idle()
    for _ in range(2):  # the first ones load and remember
        await session.run(user_input="What is seven plus five?")
    few = await steps_of(session.run(user_input="What is seven plus five?"))
    history = session.history.copy()
    for number in range(AN_HOUR):
        role = "assistant" if number % 2 else "user"
        history.add_message(role=role, content="What is seven plus five?")
    await session.current_agent.update_chat_ctx(history)
    session.history.items[:] = history.items
    many = await steps_of(session.run(user_input="What is seven plus five?"))
    await session.aclose()
    # LiveKit copies and filters the history, and gives each message the form of the server.
    assert many < few + 25 * AN_HOUR
