"""Connections to a provider, across real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx2
import pytest

from agent.call.models.connections import Connections
from agent.call.models.errors import RedirectError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Server:
    """Answers the first requests of a connection, so many, and is deaf to those behind them."""

    def __init__(self, reply: bytes = OK, *, answers: int = 100) -> None:
        self.reply = reply
        self.answers = answers
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            for _ in range(self.answers):
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
                writer.write(self.reply)
            await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    served = Server()
    listener = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    host, port = listener.sockets[0].getsockname()
    served.url = f"http://{host}:{port}/v1/x"
    yield served
    listener.close()
    await listener.wait_closed()


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=Connections(), timeout=2) as client:
        yield client


async def test_a_connection_is_used_again(server: Server, client: httpx2.AsyncClient) -> None:
    for _ in range(3):
        assert (await client.post(server.url, content=b"{}")).text == "hi"
    assert server.connections == 1


async def test_a_connection_that_was_forgotten_is_passed_by(
    server: Server, client: httpx2.AsyncClient
) -> None:
    server.answers = 1
    await client.post(server.url, content=b"{}")
    began = time.monotonic()
    assert (await client.post(server.url, content=b"{}")).text == "hi"
    assert time.monotonic() - began < 1.9
    assert server.connections == 2


async def test_a_redirect_is_not_followed(server: Server, client: httpx2.AsyncClient) -> None:
    server.reply = (
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: https://user:pw@elsewhere.example/v1?key=1"
        b"\r\nContent-Length: 0\r\n\r\n"
    )
    with pytest.raises(RedirectError, match=r"^it redirects to https://elsewhere.example;") as told:
        await client.post(server.url, content=b"{}")
    assert "pw" not in str(told.value)


async def test_nobody_listens(client: httpx2.AsyncClient) -> None:
    with pytest.raises(httpx2.ConnectError):
        await client.post("http://127.0.0.1:9/v1/x", content=b"{}")


async def test_who_does_not_wait_for_the_answer_leaves_no_task(
    server: Server, client: httpx2.AsyncClient
) -> None:
    server.answers = 0
    others = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.post(server.url, content=b"{}")
    assert {task for task in asyncio.all_tasks() - others if "request" in task.get_name()} == set()
