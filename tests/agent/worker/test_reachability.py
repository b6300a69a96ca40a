"""What is said of a LiveKit server that is not there, does not answer, or refuses the key."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from agent.worker import livekit_api
from agent.worker.reachability import KeyRefusedError, LiveKitUnreachableError, require_livekit
from config.services import LiveKitSettings


@asynccontextmanager
async def livekit(
    status: int = 200, *, ahead_seconds: float = 0, silent: bool = False
) -> AsyncIterator[LiveKitSettings]:
    async def answer(_: web.Request) -> web.Response:
        if silent:
            await asyncio.sleep(60)
        date = formatdate(time.time() - ahead_seconds, usegmt=True)
        return web.Response(status=status, headers={"Date": date})

    application = web.Application()
    application.router.add_post("/twirp/livekit.RoomService/ListRooms", answer)
    async with TestServer(application, host="127.0.0.1", handler_cancellation=True) as server:
        key, secret = SecretStr("APIkey"), SecretStr("s" * 32)
        yield LiveKitSettings(url=str(server.make_url("")), api_key=key, api_secret=secret)


async def test_a_server_that_accepts_and_says_nothing_is_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(livekit_api, "DEADLINE_SECONDS", 0.2)
    async with livekit(silent=True) as settings, asyncio.timeout(30):
        silent = r"does not answer at .* check LIVEKIT_URL"
        with pytest.raises(LiveKitUnreachableError, match=silent):
            await require_livekit(settings)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (web.Response(text="<!doctype html>", content_type="text/html"), "HTTP 200: text/html"),
        (web.json_response({"ok": True}), "HTTP 200: application/json"),
        (web.Response(status=301, headers={"Location": "/?token=hidden"}), "HTTP 301: /"),
    ],
    ids=["a page", "another service", "a redirect"],
)
async def test_a_server_of_another_kind_that_answers_well_is_said_in_one_sentence(
    answer: web.Response, said: str
) -> None:
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        return answer

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(application, host="127.0.0.1") as server:
        key, secret = SecretStr("APIkey"), SecretStr("s" * 32)
        url = str(server.make_url(""))
        settings = LiveKitSettings(url=url, api_key=key, api_secret=secret)
        with pytest.raises(LiveKitUnreachableError, match=f"not as a LiveKit server .{said}\\)"):
            await require_livekit(settings)
    assert asked == ["/twirp/livekit.RoomService/ListRooms"]  # no redirect is followed


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_told_from_a_server_that_may_yet_come(status: int) -> None:
    async with livekit(status) as settings:
        with pytest.raises(KeyRefusedError, match=r"LIVEKIT_API_KEY and LIVEKIT_API_SECRET"):
            await require_livekit(settings)


@pytest.mark.parametrize(
    ("ahead_seconds", "said"), [(3600, "36.. s ahead of"), (-3600, "3[56].. s behind")]
)
async def test_where_the_clock_is_off_it_is_named_and_not_the_key(
    ahead_seconds: float, said: str
) -> None:
    async with livekit(401, ahead_seconds=ahead_seconds) as settings:
        with pytest.raises(KeyRefusedError, match=f"clock is {said} the server's; set the clock"):
            await require_livekit(settings)


async def test_a_clock_that_is_off_is_told_though_the_key_is_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with livekit(ahead_seconds=-3600) as settings:
        await require_livekit(settings)
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "the clock is off"
    ]
