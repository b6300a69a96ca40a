"""Which webhooks are taken, and what becomes of the others."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from livekit import api
from pydantic import SecretStr

from agent.worker.webhook_page import LONGEST_BYTES, PATH, webhook_page
from config.services import LiveKitSettings

KEY, SECRET = "key", "s" * 32
SETTINGS = LiveKitSettings(
    url="ws://127.0.0.1", api_key=SecretStr(KEY), api_secret=SecretStr(SECRET)
)
JOINED = {"event": "participant_joined", "room": {"name": "emma", "sid": "RM_1"}, "newField": 1}


def signed(body: bytes, secret: str = SECRET) -> str:
    """As LiveKit's server signs it."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return api.AccessToken(KEY, secret).with_sha256(digest).to_jwt()


@asynccontextmanager
async def page(changed: list[str]) -> AsyncIterator[TestClient[Any, Any]]:
    application = web.Application()
    application.router.add_routes(webhook_page(SETTINGS, changed.append))
    async with TestClient(TestServer(application)) as client:
        yield client


async def sent(body: bytes, headers: Mapping[str, str]) -> tuple[int, list[str]]:
    """The status of the answer, and the rooms that were named."""
    changed: list[str] = []
    async with page(changed) as client, client.post(PATH, data=body, headers=headers) as answer:
        assert "emma" not in await answer.text()
        return answer.status, changed


@pytest.mark.parametrize(
    ("event", "rooms"), [(JOINED, ["emma"]), ({"event": "egress_started", "egressInfo": {}}, [])]
)
async def test_the_room_of_a_webhook_is_passed_on(event: object, rooms: list[str]) -> None:
    body = json.dumps(event).encode()
    assert await sent(body, {"Authorization": signed(body)}) == (200, rooms)


@pytest.mark.parametrize(
    "token",
    [None, "", "no token", signed(b"other words"), signed(json.dumps(JOINED).encode(), "x" * 32)],
    ids=["none", "empty", "no token", "of another body", "of another secret"],
)
async def test_whatever_is_not_signed_with_our_secret_is_refused(
    token: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {} if token is None else {"Authorization": token}
    assert await sent(json.dumps(JOINED).encode(), headers) == (401, [])
    assert "emma" not in caplog.text


@pytest.mark.parametrize("body", [b"\xff\xfe", b"no JSON"])
async def test_what_is_signed_and_no_webhook_is_refused(body: bytes) -> None:
    assert await sent(body, {"Authorization": signed(body)}) == (401, [])


async def test_a_token_for_something_else_is_refused() -> None:
    token = api.AccessToken(KEY, SECRET).with_grants(api.VideoGrants(room_admin=True)).to_jwt()
    assert await sent(json.dumps(JOINED).encode(), {"Authorization": token}) == (401, [])


@pytest.mark.parametrize(("length", "status"), [(LONGEST_BYTES, 401), (LONGEST_BYTES + 1, 413)])
async def test_what_is_too_long_is_refused_unread(length: int, status: int) -> None:
    assert await sent(b"x" * length, {"Authorization": signed(b"")}) == (status, [])
