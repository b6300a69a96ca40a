"""Whatever a tool does, the caller is answered and the call goes on. Time is virtual."""

import asyncio
import threading
from typing import Any

import pytest
from livekit.agents import Agent, AgentSession, RunContext, function_tool, llm

from agent.call.reply.tool_limits import LONGEST_RESULT, ToolLimits
from agent.call.session_events import subscribe

SECONDS = 20.0

pytestmark = pytest.mark.looptime


class Model(llm.LLM[Any]):
    """Calls a tool by its name, and answers once it has the tool's result."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[llm.FunctionCallOutput] = []

    def chat(self, *, chat_ctx: Any, tools: Any = None, conn_options: Any, **_: Any) -> Any:
        return Answer(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class Answer(llm.LLMStream):
    _llm: Model

    async def _run(self) -> None:
        last = self.chat_ctx.items[-1]
        delta = llm.ChoiceDelta(role="assistant", content="Done.")
        if isinstance(last, llm.ChatMessage):
            call = llm.FunctionToolCall(
                name=last.text_content or "", arguments="{}", call_id=last.id
            )
            delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
        elif isinstance(last, llm.FunctionCallOutput):
            self._llm.results.append(last)
        self._event_ch.send_nowait(llm.ChatChunk(id="1", delta=delta))


class Assistant(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="")

    @function_tool
    async def well(self, number: int = 7) -> str:
        """Gives a number."""
        return f"number {number}"

    @function_tool
    async def hang(self) -> None:
        """Never ends."""
        await asyncio.Event().wait()

    @function_tool
    async def raise_timeout(self) -> None:
        """Its own time-out."""
        raise TimeoutError("the shop did not answer")

    @function_tool
    async def cancelled(self) -> None:
        """Something in it was cancelled."""
        raise asyncio.CancelledError

    @function_tool
    async def leave(self) -> None:
        """Ends the program."""
        raise SystemExit(3)

    @function_tool
    async def talk(self, context: RunContext[None]) -> str:
        """Converses for a minute while it runs."""
        for _ in range(6):
            await asyncio.sleep(SECONDS / 2)
            await self.session.say("Still looking.")
        return "talked"

    @function_tool  # type: ignore[type-var]  # LiveKit's types allow no plain function
    def plain(self) -> str:
        """A plain function, which may block."""
        return threading.current_thread().name

    @function_tool  # type: ignore[type-var]
    def plain_leave(self) -> None:
        """A plain function that ends the program."""
        raise SystemExit(3)

    @function_tool
    async def huge(self) -> list[int]:
        """A result of megabytes."""
        return list(range(1_000_000))


Failures = list[tuple[str, str, str]]


async def ask(*tools: str, failures: Failures | None = None) -> tuple[list[str], list[str]]:
    """What the model is told of each tool, and what the agent says."""
    model, agent = Model(), Assistant()
    session: AgentSession[None] = AgentSession(
        llm=model, turn_handling={"turn_detection": "manual"}
    )
    limits = ToolLimits(lambda: session, SECONDS)
    if failures is not None:
        limits.on_failure = lambda *failure: failures.append(failure)
    subscribe(session, None, limits)
    await session.start(agent, record=False)
    await agent.update_tools([limits.limited(tool) for tool in agent.tools])
    for tool in tools:
        await session.generate_reply(user_input=tool)
    await session.aclose()
    said = [m.text_content or "" for m in session.history.messages() if m.role == "assistant"]
    said = [text for text in said if text != "Still looking."]
    return [result.output for result in model.results], said


@pytest.mark.parametrize(
    ("tool", "result"),
    [
        ("well", "number 7"),
        ("hang", "No result within 20 seconds"),
        ("raise_timeout", "An internal error occurred"),
        ("cancelled", "The tool was cancelled"),
        ("leave", "An internal error occurred"),
        ("talk", "talked"),
    ],
)
async def test_the_caller_is_answered_whatever_a_tool_does_and_the_next_one_works(
    tool: str, result: str
) -> None:
    assert await ask(tool, "well") == ([result, "number 7"], ["Done.", "Done."])


async def test_each_failure_is_told_with_its_class() -> None:
    failures: Failures = []
    await ask("hang", "raise_timeout", "cancelled", "leave", "well", failures=failures)
    assert failures == [
        ("hang", "timeout", "TimeoutError"),
        ("raise_timeout", "error", "TimeoutError"),
        ("cancelled", "cancelled", "CancelledError"),
        ("leave", "error", "SystemExit"),
    ]


async def test_the_model_reads_the_beginning_of_a_result_that_is_too_long() -> None:
    (result,), said = await ask("huge")
    assert len(result) < LONGEST_RESULT + 100
    assert result.startswith("[0, 1, 2,")
    assert "cut off" in result
    assert said == ["Done."]


async def test_the_model_sees_the_same_tool() -> None:
    agent = Assistant()
    for tool in agent.tools:
        assert isinstance(tool, llm.FunctionTool)
        same = ToolLimits(lambda: agent.session, SECONDS).limited(tool)
        assert llm.utils.build_legacy_openai_schema(same) == llm.utils.build_legacy_openai_schema(
            tool
        )


@pytest.mark.looptime(False)
async def test_a_plain_function_may_block_for_it_runs_in_a_thread() -> None:
    assert await ask("plain", "plain_leave", "well") == (
        ["tool", "An internal error occurred", "number 7"],
        ["Done."] * 3,
    )
