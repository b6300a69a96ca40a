"""The tools of the MCP server that AGENT_MCP_URL names, for every agent of a call.

    AWAY    --it lists its tools-->     THERE
    THERE   --a request fails-->        AWAY
    AWAY    --it cannot be reached-->   AWAY

The call never waits for the server: its tools come when it is there, during the greeting at the
earliest. Of a server that fails, only the tool's result is lost.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from livekit.agents import ToolError
from livekit.agents.llm import RawFunctionTool, Tool

from agent.tasks import OwnedTask
from config.behaviour import AgentSettings

if TYPE_CHECKING:  # the package mcp is there only where somebody wants it
    from livekit.agents.llm.mcp import MCPServerHTTP

log = logging.getLogger(__name__)

PRELOADED = "livekit.agents.llm.mcp"
"""Takes 0.8 s to import. The fork server does it once for all job processes."""

CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 2.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
# Longer than AGENT_TOOL_TIMEOUT_SECONDS may be: that is the limit of a tool.
REQUEST_SECONDS = 900.0

Offer = Callable[[Sequence[Tool]], Awaitable[None]]
"""Gives the agents these tools, in place of those that it gave them before."""


class McpTools:
    """The tools of one server, for one call."""

    def __init__(self, url: str, token: str, offer: Offer) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._offer = offer
        self._lost = asyncio.Event()

    async def follow(self) -> None:
        """Offer the server's tools whenever it comes or comes back, until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            server = self._server()
            try:
                if await self._offered(server):
                    pause = FIRST_PAUSE_SECONDS
                    await self._lost.wait()
            finally:
                await _close(server)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _offered(self, server: "MCPServerHTTP") -> bool:
        """Whether the server is there; then its tools have been offered."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await server.initialize()
                tools = await server.list_tools()
        except Exception as error:  # of three libraries, some of them in groups
            self._warn("the MCP server is away, and its tools with it", error)
            return False
        self._lost.clear()
        await self._offer([self._watched(tool, server) for tool in tools])
        log.info("the MCP server's tools are there", extra=self._fields(tools=len(tools)))
        return True

    def _watched(self, tool: RawFunctionTool[..., Any], server: "MCPServerHTTP") -> Tool:
        """The same tool, which notes when its server fails."""

        @functools.wraps(tool)
        async def run(raw_arguments: dict[str, object]) -> Any:
            try:
                return await tool(raw_arguments=raw_arguments)
            except Exception as error:
                if isinstance(error, ToolError) and server.initialized:  # what the tool answers
                    raise
                self._warn("the MCP server failed, and its tool with it", error, tool=tool.id)
                self._lost.set()
                raise ToolError("This cannot be done at the moment") from error

        return RawFunctionTool(run, tool.info)

    def _server(self) -> "MCPServerHTTP":
        from livekit.agents.llm.mcp import MCPServerHTTP

        is_sse = urlsplit(self._url).path.rstrip("/").endswith("/sse")
        return MCPServerHTTP(
            self._url,
            transport_type="sse" if is_sse else "streamable_http",
            headers=self._headers,
            timeout=CONNECT_SECONDS,
            client_session_timeout_seconds=REQUEST_SECONDS,
        )

    def _warn(self, what: str, error: Exception, **more: str) -> None:
        log.warning(what, extra=self._fields(error=_reason(error), **more))

    def _fields(self, **more: object) -> dict[str, object]:
        return {"server": urlsplit(self._url).hostname, **more}


async def follow_mcp(agent: AgentSettings, offer: Offer) -> None:
    """Offer the tools of the server that the settings name, until cancelled; they may name none."""
    if agent.mcp_url:
        token = agent.mcp_token.get_secret_value() if agent.mcp_token else ""
        await McpTools(agent.mcp_url.get_secret_value(), token, offer).follow()


async def _close(server: "MCPServerHTTP") -> None:
    """In a task of its own: LiveKit's raises CancelledError if its connecting was cancelled."""
    closing = OwnedTask(
        server.aclose(), name="MCP server's end", is_watched=True, ending_seconds=CLOSE_SECONDS
    )
    async with closing:
        await asyncio.wait([closing.task], timeout=CLOSE_SECONDS)


def _reason(error: BaseException) -> str:
    """The innermost error of groups, in its own words."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}".removesuffix(": ")
