"""An MCP server with one tool, which never answers."""

import argparse
import asyncio

import uvicorn
from mcp.server.mcpserver import MCPServer

READY = "ready"
shop = MCPServer("shop", log_level="CRITICAL")


@shop.tool()
async def order_status(number: int) -> str:
    """The status of an order."""
    await asyncio.Event().wait()
    return str(number)


async def serve(port: int) -> None:
    """Serve until the process ends."""
    app = shop.streamable_http_app()
    config = uvicorn.Config(app, port=port, log_level="critical", access_log=False)
    serving = asyncio.create_task(uvicorn.Server(config).serve())
    print(READY, flush=True)
    await serving


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int, help="of 127.0.0.1, where it listens")
    asyncio.run(serve(parser.parse_args().port))
