"""The tools of a real MCP server, in a process of its own, whatever becomes of it."""

import asyncio
import logging
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit.agents import Agent, llm
from livekit.agents.llm.mcp import MCPServerHTTP, MCPToolset

from agent.call import mcp_tools
from agent.call.mcp_tools import McpTools, follow_mcp
from agent.caller.waiting import Changes
from agent.tasks import OwnedTask
from agent.testing import Conversation, calls, conversation
from config.behaviour import AgentSettings

pytestmark = pytest.mark.slow

SERVER = """
import asyncio, socket, sys
import uvicorn
from mcp.server.mcpserver import Context, MCPServer

shop = MCPServer("shop", log_level="CRITICAL")

@shop.tool()
def price(article: str) -> str:
    "What an article costs."
    return f"{article}: 7 euros"

@shop.tool()
def refuse() -> str:
    "Never does it."
    raise ValueError("we are closed")

@shop.tool()
async def hang() -> str:
    "Never ends."
    await asyncio.Event().wait()

@shop.tool()
def token(context: Context) -> str:
    "What the client shows."
    return context.headers["authorization"]

@shop.tool()
def novel() -> str:
    "A result that is long."
    return "word " * 100_000

app = shop.sse_app() if sys.argv[2] == "sse" else shop.streamable_http_app()
server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
server.run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


class Said(logging.Handler):
    """What the log says, to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self._changes = Changes()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self._changes.tell()

    async def once(self, message: str, times: int = 1) -> logging.LogRecord:
        def found() -> logging.LogRecord | None:
            fitting = [each for each in self.records if each.getMessage().startswith(message)]
            return fitting[-1] if len(fitting) >= times else None

        return await self._changes.until(found, timeout_seconds=30, what=message)


@pytest.fixture
def said() -> Iterator[Said]:
    log, handler = logging.getLogger("agent.call.mcp_tools"), Said()
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler
    log.removeHandler(handler)
    log.setLevel(before)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        number: int = found.getsockname()[1]
    return number


@asynccontextmanager
async def shop(port: int, transport: str = "http") -> AsyncIterator[Process]:
    """A server that can be connected to at once: what comes before it is ready is kept for it."""
    with socket.create_server(("127.0.0.1", port)) as door:
        arguments = ("-c", SERVER, str(door.fileno()), transport)
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, pass_fds=[door.fileno()]
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}/mcp"


def assistant() -> Agent:
    return Agent(instructions="Be kind.")


async def answered(talk: Conversation, text: str) -> str:
    """What the tools gave for this text."""
    events = (await talk.ask(text)).events
    return " ".join(each.item.output for each in events if each.type == "function_call_output")


@pytest.mark.parametrize(("transport", "path"), [("streamable-http", "mcp"), ("sse", "sse")])
async def test_a_typed_conversation_calls_a_tool_of_the_server(
    port: int, transport: str, path: str
) -> None:
    answers = [calls("price", article="bell"), "Seven euros."]
    url = f"http://127.0.0.1:{port}/{path}"
    async with shop(port, transport), conversation(assistant(), *answers, mcp_url=url) as talk:
        assert "bell: 7 euros" in await answered(talk, "What is a bell?")


async def test_its_tools_have_the_limits_of_all_tools(port: int) -> None:
    answers = [calls("hang"), "Sorry.", calls("novel"), "Long.", calls("refuse"), "No."]
    limits: dict[str, Any] = {"mcp_url": address(port), "tool_timeout_seconds": 0.5}
    async with shop(port), conversation(assistant(), *answers, **limits) as talk:
        assert await answered(talk, "Hang.") == "No result within 0.5 seconds"
        assert "cut off" in await answered(talk, "Read.")
        assert await answered(talk, "Refuse.") == "Error executing tool refuse"


async def test_a_toolset_of_ones_own_has_them_too(port: int) -> None:
    toolset = MCPToolset(id="shop", mcp_server=MCPServerHTTP(address(port)))
    answers = [calls("hang"), "Sorry.", calls("novel"), "Long."]
    agent = Agent(instructions="Be kind.", tools=[toolset])
    async with shop(port), conversation(agent, *answers, tool_timeout_seconds=0.5) as talk:
        assert await answered(talk, "Hang.") == "No result within 0.5 seconds"
        assert "cut off" in await answered(talk, "Read.")


async def test_a_server_that_dies_costs_its_tool_alone_and_is_used_again_when_it_is_back(
    port: int, said: Said
) -> None:
    bell = [calls("price", article="bell"), "Done."]
    talking = conversation(assistant(), *bell, *bell, *bell, mcp_url=address(port))
    async with shop(port) as first, talking as talk:
        assert "7 euros" in await answered(talk, "What is a bell?")
        tools = [each.id for each in talk.agent.tools]
        first.kill()
        await first.wait()
        assert await answered(talk, "What is a bell?") == "This cannot be done at the moment"
        assert isinstance(last := talk.session.history.items[-1], llm.ChatMessage)
        assert last.text_content == "Done."
        failed = await said.once("the MCP server failed, and its tool with it")
        assert vars(failed)["tool"] == "price"
        await said.once("the MCP server is away, and its tools with it")
        async with shop(port):
            await said.once("the MCP server's tools are there", times=2)
            assert "7 euros" in await answered(talk, "What is a bell?")
            assert [each.id for each in talk.agent.tools] == tools


async def test_a_server_that_is_away_at_the_start_of_a_call_is_used_as_soon_as_it_is_there(
    port: int, said: Said
) -> None:
    offered: asyncio.Queue[Sequence[llm.Tool]] = asyncio.Queue()
    tools = McpTools(address(port), "a-token", offered.put)
    async with OwnedTask(tools.follow(), name="MCP server"):
        away = await said.once("the MCP server is away, and its tools with it")
        assert vars(away)["server"] == "127.0.0.1"
        assert "ConnectError" in vars(away)["error"]
        async with shop(port):
            found = {each.id: each for each in await offered.get()}
            token = found["token"]
            assert isinstance(token, llm.RawFunctionTool)
            assert "Bearer a-token" in await token(raw_arguments={})


async def _never(_: object) -> None:
    raise AssertionError("there are no tools")


async def test_a_server_that_never_answers_is_given_up(
    port: int, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_tools, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", port)):
        async with OwnedTask(McpTools(address(port), "", _never).follow(), name="MCP server"):
            away = await said.once("the MCP server is away", times=2)
    assert vars(away)["error"] == "TimeoutError"


async def test_without_the_setting_there_is_nothing_to_follow() -> None:
    await follow_mcp(AgentSettings(), _never)
