"""Calls of LiveKit's HTTP API end in time, whatever the server does."""

import asyncio
import time
from collections.abc import AsyncIterator
from email.utils import formatdate

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import api
from pydantic import SecretStr

from agent.worker import livekit_api as module
from agent.worker.livekit_api import FAILURES, livekit_api
from config.services import LiveKitSettings


class Server:
    """Answers, or says nothing at all, or nothing behind the headers; counts its connections."""

    def __init__(self) -> None:
        self.mood = "answers"
        self.ahead_seconds = 0.0
        self.connections: list[object] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.transport not in self.connections:
            self.connections.append(request.transport)
        if self.mood == "says nothing":
            await asyncio.sleep(60)
        headers = {"Date": formatdate(time.time() - self.ahead_seconds, usegmt=True)}
        if self.mood == "breaks off":
            response = web.StreamResponse(headers=headers | {"Content-Length": "10"})
            await response.prepare(request)
            await asyncio.sleep(60)
        return web.Response(headers=headers)


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Server, LiveKitSettings]]:
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 0.2)
    monkeypatch.setattr(module, "KEEPALIVE_SECONDS", 0.1)
    served = Server()
    application = web.Application()
    application.router.add_post("/twirp/livekit.RoomService/ListRooms", served.answer)
    async with TestServer(application, host="127.0.0.1", handler_cancellation=True) as listening:
        secret = SecretStr("s" * 32)
        url = str(listening.make_url(""))
        yield served, LiveKitSettings(url=url, api_key=SecretStr("key"), api_secret=secret)


@pytest.mark.parametrize("mood", ["says nothing", "breaks off"])
async def test_a_call_that_gets_no_answer_ends_and_the_next_one_has_a_new_connection(
    server: tuple[Server, LiveKitSettings], mood: str
) -> None:
    served, settings = server
    async with livekit_api(settings) as livekit, asyncio.timeout(30):
        several = [livekit.client.room.list_rooms(api.ListRoomsRequest()) for _ in range(3)]
        await asyncio.gather(*several)
        before = list(served.connections)
        served.mood = mood
        with pytest.raises(FAILURES):
            await livekit.client.room.list_rooms(api.ListRoomsRequest())
        served.mood = "answers"
        await livekit.client.room.list_rooms(api.ListRoomsRequest())
    assert served.connections[-1] not in before


@pytest.mark.parametrize("ahead_seconds", [0, 3600, -3600])
async def test_answers_tell_how_far_this_machines_clock_is_ahead(
    server: tuple[Server, LiveKitSettings], ahead_seconds: float
) -> None:
    served, settings = server
    served.ahead_seconds = ahead_seconds
    async with livekit_api(settings) as livekit:
        await livekit.client.room.list_rooms(api.ListRoomsRequest())
        assert livekit.clock_ahead_seconds == pytest.approx(ahead_seconds, abs=10)


async def test_each_call_is_counted_under_its_method(
    server: tuple[Server, LiveKitSettings],
) -> None:
    _, settings = server
    called: list[str] = []
    async with livekit_api(settings, called.append) as livekit:
        await livekit.client.room.list_rooms(api.ListRoomsRequest())
    assert called == ["ListRooms"]
