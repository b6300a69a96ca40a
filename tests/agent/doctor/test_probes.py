"""Probes bring values back, whatever a server does, and raise nothing."""

import asyncio
import ssl
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from agent.doctor import probes
from agent.doctor.answers import Answer, Failure, Trouble
from agent.doctor.livekit import AgentSeen, NotJoined
from agent.doctor.probes import agents_in, ask, ask_assemblyai, ask_livekit, ask_openai, join
from config.services import Account, LiveKitSettings

Serve = Callable[..., Any]
KEY, SECRET = "APIdoctor", "a-livekit-secret-of-32-characters-or-more"


def settings(url: str) -> LiveKitSettings:
    return LiveKitSettings(url=url, api_key=SecretStr(KEY), api_secret=SecretStr(SECRET))


@pytest.mark.parametrize("ahead_seconds", [0, 3600, -3600])
async def test_an_answer_has_status_text_and_clock(serve: Serve, ahead_seconds: float) -> None:
    async def handle(request: web.Request) -> web.Response:
        date = formatdate(time.time() - ahead_seconds, usegmt=True)
        said = f"{request.method} {request.headers['X-Key']}"
        return web.Response(status=402, text=said, headers={"Date": date})

    async with serve(handle) as place:
        found = await ask(f"http://{place}/", {"X-Key": "k"})
    assert isinstance(found, Answer)
    assert (found.status, found.text) == (402, "GET k")
    assert found.clock_ahead_seconds == pytest.approx(ahead_seconds, abs=5)


async def test_a_date_that_is_none_leaves_the_clock_open(serve: Serve) -> None:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(headers={"Date": "tomorrow"})

    async with serve(handle) as place:
        found = await ask(f"http://{place}/", {}, body={})
    assert isinstance(found, Answer)
    assert found.clock_ahead_seconds is None


async def test_no_redirect_is_followed_with_a_key(serve: Serve) -> None:
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with serve(handle) as place:
        found = await ask(f"http://{place}/here", {})
    assert isinstance(found, Answer)
    assert found.status == 302
    assert asked == ["/here"]


async def test_an_answer_without_an_end_is_cut(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "LARGEST_ANSWER_BYTES", 1000)

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 400)
            await asyncio.sleep(0)

    async with serve(handle) as place:
        found = await ask(f"http://{place}/", {})
    assert isinstance(found, Answer)
    assert 1000 <= len(found.text) <= 2000


async def test_a_server_that_says_nothing_is_given_up(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "ASK_SECONDS", 0.05)

    async def handle(_: web.Request) -> None:
        await asyncio.Event().wait()

    async with serve(handle) as place:
        assert await ask(f"http://{place}/", {}) == Failure(Trouble.SILENT)


async def test_a_certificate_that_nobody_signed_is_said_so(
    serve: Serve, tls: ssl.SSLContext
) -> None:
    async def handle(_: web.Request) -> web.Response:
        return web.Response()

    async with serve(handle, tls=tls) as place:
        found = await ask(f"https://{place}/", {})
    assert isinstance(found, Failure)
    assert found.trouble is Trouble.CERTIFICATE
    assert "self" in found.words


async def test_livekit_is_asked_with_a_token_that_it_takes(livekit: Any) -> None:
    livekit.agents = {"lobby": "clerk", "hall": ""}
    listed = await ask_livekit(settings(livekit.url))
    assert isinstance(listed, Answer)
    assert listed.status == 200
    assert await agents_in(settings(livekit.url), listed) == [
        AgentSeen("lobby", "clerk"),
        AgentSeen("hall", ""),
    ]


async def test_rooms_that_cannot_be_read_are_no_rooms_without_agents(livekit: Any) -> None:
    livekit.agents = {"lobby": "clerk"}
    listed = await ask_livekit(settings(livekit.url))
    livekit.ahead_seconds = 3600  # from now on it refuses every token
    assert await agents_in(settings(livekit.url), listed) is None
    assert await agents_in(settings(livekit.url), Failure(Trouble.SILENT)) == []


async def test_a_server_that_lets_nobody_in_is_not_joined(livekit: Any) -> None:
    assert await join(settings(livekit.url)) == NotJoined(signalled=False)


async def test_each_provider_gets_its_key_as_it_wants_it(serve: Serve) -> None:
    asked: list[tuple[str, str]] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append((request.path_qs, request.headers["Authorization"]))
        return web.Response()

    async with serve(handle) as place:
        await ask_assemblyai(f"ws://{place}", "aai")
        await ask_openai(Account(f"http://{place}/v1", SecretStr("sk")))
    assert asked == [("/v3/token?expires_in_seconds=60", "aai"), ("/v1/models", "Bearer sk")]
