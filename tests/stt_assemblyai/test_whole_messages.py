"""Messages come whole and in order, and none is lost with a reader that gives up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from stt_assemblyai.whole_messages import WholeMessages


@contextlib.asynccontextmanager
async def served(
    handler: Callable[[ServerConnection], Awaitable[None]],
) -> AsyncIterator[WholeMessages]:
    async with serve(handler, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        address = f"ws://127.0.0.1:{port}"
        async with connect(address, create_connection=WholeMessages) as connection:
            assert isinstance(connection, WholeMessages)
            yield connection


async def echo(connection: ServerConnection) -> None:
    async for frame in connection:
        await connection.send(frame)


async def test_a_message_in_several_frames_comes_as_one() -> None:
    async def speak(connection: ServerConnection) -> None:
        await connection.send(["one ", "two ", "three"])
        await connection.send([b"1", b"2"])
        await connection.wait_closed()

    async with served(speak) as socket:
        assert await socket.next_message() == "one two three"
        assert await socket.next_message() == b"12"


async def test_text_that_is_not_utf_8_costs_its_letters_and_not_the_session() -> None:
    async def speak(connection: ServerConnection) -> None:
        await connection.send(b"caf\xe9", text=True)
        await connection.send("and on")
        await connection.wait_closed()

    async with served(speak) as socket:
        assert await socket.next_message() == "caf\ufffd"
        assert await socket.next_message() == "and on"


async def test_a_reader_that_gave_up_loses_no_message() -> None:
    async with served(echo) as socket:
        waiting = asyncio.create_task(socket.next_message())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await socket.send("still here")
        assert await socket.next_message() == "still here"


async def test_what_came_before_the_close_is_read_first() -> None:
    async def speak(connection: ServerConnection) -> None:
        await connection.send("last words")
        await connection.close(3005, "enough")

    async with served(speak) as socket:
        await socket.wait_closed()
        assert await socket.next_message() == "last words"
        with pytest.raises(ConnectionClosed) as caught:
            await socket.next_message()
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (3005, "enough")


async def test_a_reader_that_waits_is_told_when_the_connection_breaks() -> None:
    async def vanish(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with served(vanish) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.next_message()
