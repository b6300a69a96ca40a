"""Which agents are taken for dead, by what LiveKit's server says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from agent.worker.livekit_api import livekit_api
from agent.worker.liveness import (
    QUESTIONS,
    QUESTIONS_IF_LOST,
    QUESTIONS_IF_NOWHERE,
    Liveness,
)
from config.services import LiveKitSettings

ALIVE = (400, "invalid_argument", "RpcError 1400: Method not supported at destination")
SILENT = (408, "canceled", "RpcError 1502: Response timeout")
NOBODY = (503, "unavailable", "no response from servers")
TOO_OLD = (404, "bad_route", "no handler for path")


@asynccontextmanager
async def livekit(*says: tuple[int, str, str]) -> AsyncIterator[tuple[Liveness, list[str]]]:
    """A server that says these in turn, the last one again and again; and whom it was asked for."""
    answers, asked = list(says), []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        status, code, message = answers.pop(0) if len(answers) > 1 else answers[0]
        return web.json_response({"code": code, "msg": message}, status=status)

    application = web.Application()
    application.router.add_post("/twirp/livekit.RoomService/PerformRpc", answer)
    async with TestServer(application, host="127.0.0.1") as server:
        settings = LiveKitSettings(
            url=str(server.make_url("")), api_key=SecretStr("key"), api_secret=SecretStr("s" * 32)
        )
        async with livekit_api(settings) as connected:
            yield Liveness(connected), asked


@pytest.mark.parametrize(
    ("says", "dead"),
    [
        ([ALIVE], False),
        ([SILENT], True),
        ([SILENT] * (QUESTIONS - 1) + [ALIVE], False),
        ([NOBODY], True),
        ([NOBODY] * (QUESTIONS_IF_NOWHERE - 1) + [ALIVE], False),
    ],
)
async def test_an_agent_is_dead_that_leaves_every_question_unanswered(
    says: list[tuple[int, str, str]], dead: bool
) -> None:
    async with livekit(*says) as (liveness, _):
        assert await liveness.is_dead("room", "agent") is dead


async def test_an_agent_whose_node_died_gets_time_unless_its_worker_is_silent() -> None:
    async with livekit(NOBODY) as (liveness, asked):
        assert await liveness.is_dead("room", "agent")
        assert len(asked) == QUESTIONS_IF_NOWHERE
        assert await liveness.is_dead("room", "agent", QUESTIONS_IF_LOST)
        assert len(asked) == QUESTIONS_IF_NOWHERE + QUESTIONS_IF_LOST


async def test_a_server_that_passes_no_questions_on_is_asked_once() -> None:
    async with livekit(TOO_OLD) as (liveness, asked):
        assert not await liveness.is_dead("room", "agent")
        assert not await liveness.is_dead("room", "agent")
        assert len(asked) == 1
