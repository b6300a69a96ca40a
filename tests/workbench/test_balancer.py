"""Where the balancer sends new connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from workbench.local.balancer import Balancer, balancer
from workbench.local.livekit_server import free_port


@asynccontextmanager
async def target(name: str, *, status: int = 200) -> AsyncIterator[int]:
    """A server that gives its name at /name, and this status at /."""
    application = web.Application()

    async def named(_: web.Request) -> web.Response:
        return web.Response(text=name)

    async def health(_: web.Request) -> web.Response:
        return web.Response(status=status)

    application.add_routes([web.get("/name", named), web.get("/", health)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", free_port())
    await site.start()
    try:
        yield int(site.name.rpartition(":")[2])
    finally:
        await runner.cleanup()


async def asked(port: int) -> str:
    """The name of the server that a new connection reaches."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{port}/name") as answer,
    ):
        return await answer.text()


async def test_connections_go_in_turn_to_those_that_are_ready() -> None:
    async with (
        target("a") as a,
        target("b") as b,
        target("not ready", status=406) as sick,
        balancer([a, sick, b, free_port()]) as made,
    ):
        assert made.ready == {a, b}
        assert {await asked(made.port) for _ in range(8)} == {"a", "b"}
        made.only = b
        assert {await asked(made.port) for _ in range(4)} == {"b"}


async def test_a_connection_to_nobody_is_closed() -> None:
    async with balancer([free_port()]) as made:
        with pytest.raises(aiohttp.ClientError):
            await asked(made.port)


async def test_a_target_that_dies_between_two_probes_costs_nothing() -> None:
    async with target("b") as b:
        async with target("a") as a:
            leaving = balancer([a, b])
            made = await leaving.__aenter__()
        assert made.ready == {a, b}  # not probed since
        assert {await asked(made.port) for _ in range(4)} == {"b"}
        await leaving.__aexit__(None, None, None)


async def test_what_the_other_end_closes_is_closed_here() -> None:
    async def at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(at_once, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    async with server, balancer([]) as made:
        made.only = port
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        assert await reader.read() == b""
        writer.close()


def test_the_turn_decides_who_is_first() -> None:
    made = Balancer(0, [1, 2, 3], ready={1, 3})
    assert [made.candidates(turn) for turn in range(3)] == [[1, 3], [3, 1], [3, 1]]
