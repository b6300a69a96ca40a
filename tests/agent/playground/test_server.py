"""The page's server: for this machine's own page alone, and without a secret in what it serves."""

import hashlib
import logging
import re
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from livekit import api

from agent.playground import server
from agent.playground.server import FILES, STATIC, playground
from agent.room_names import Attribute
from config.project import Project
from config.services import LiveKitSettings
from workbench.local.browsers import look

SECRET = "a-livekit-secret-of-32-characters-or-more"
LIVEKIT = LiveKitSettings.model_validate(
    {"url": "ws://127.0.0.1:9", "api_key": "APIkey", "api_secret": SECRET}
)
SOURCE = Path(server.__file__).with_name("source")


@pytest_asyncio.fixture
async def page() -> AsyncIterator[str]:
    async with playground(Project(LIVEKIT, "receptionist")) as address:
        yield address


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_page_gets_a_token_that_asks_for_the_named_agent(
    page: str, http: aiohttp.ClientSession
) -> None:
    async with http.post(f"{page}/join", headers={"Origin": page}) as response:
        invited = await response.json()
    claims = api.TokenVerifier("APIkey", SECRET).verify(invited["token"])
    assert claims.video
    assert claims.video.room == invited["room"]
    assert claims.room_config
    assert claims.room_config.agents[0].agent_name == "receptionist" == invited["agentName"]
    assert invited["url"] == "ws://127.0.0.1:9"
    assert claims.attributes == {Attribute.WANTS_TURN_TIMES: "true"}


async def test_a_page_that_has_lost_its_connection_gets_its_place_back(
    page: str, http: aiohttp.ClientSession
) -> None:
    verifier = api.TokenVerifier("APIkey", SECRET)
    headers = {"Origin": page}
    async with http.post(f"{page}/join", headers=headers) as response:
        first = await response.json()
    async with http.post(f"{page}/join", headers=headers, data=first["token"]) as response:
        second = await response.json()
    assert second["room"] == first["room"]
    assert verifier.verify(second["token"]).identity == verifier.verify(first["token"]).identity
    foreign = api.AccessToken("APIkey", "x" * 40).with_identity("ann").to_jwt()
    for lost in ("rubbish", foreign):
        async with http.post(f"{page}/join", headers=headers, data=lost) as response:
            third = await response.json()
        assert third["room"] != first["room"]


async def test_only_the_records_of_the_pages_own_calls_can_be_read(
    http: aiohttp.ClientSession,
) -> None:
    def record(room: str) -> str | None:
        return None if is_lost else f"<p>the call in {room}</p>"

    is_lost = False
    async with playground(Project(LIVEKIT), records=record) as page:
        async with http.post(f"{page}/join", headers={"Origin": page}) as response:
            room = (await response.json())["room"]
        for other in ("last", "talk-0", "..%2Fkept"):
            async with http.get(f"{page}/calls/{other}") as response:
                assert response.status == 404
        async with http.get(f"{page}/calls/{room}") as response:
            assert await response.text() == f"<p>the call in {room}</p>"
            assert response.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
            assert response.headers["Cache-Control"] == "no-store"
        is_lost = True
        async with http.head(f"{page}/calls/{room}") as response:
            assert response.status == 404


async def test_where_nothing_is_recorded_there_is_no_record(
    page: str, http: aiohttp.ClientSession
) -> None:
    async with http.post(f"{page}/join", headers={"Origin": page}) as response:
        room = (await response.json())["room"]
    async with http.get(f"{page}/calls/{room}") as response:
        assert response.status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://somewhere.example"},
        {"Origin": "http://127.0.0.1:1"},
        # A name that somebody else has made lead to this machine: both headers agree.
        {"Origin": "http://rebound.example", "Host": "rebound.example"},
    ],
)
async def test_another_page_gets_no_token(
    page: str, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    async with http.post(f"{page}/join", headers=headers) as response:
        assert response.status == 403
        assert "ey" not in await response.text()


async def test_a_token_cannot_be_had_with_a_link(page: str, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{page}/join", headers={"Origin": page}) as response:
        assert response.status == 405


async def test_it_listens_on_one_address_of_loopback_alone(page: str) -> None:
    host, port = page.removeprefix("http://").split(":")
    assert host == "127.0.0.1"
    with pytest.raises(OSError):  # noqa: PT011  refused, or no such address
        socket.create_connection(("127.0.0.2", int(port)), timeout=5)


async def test_on_every_address_as_in_a_container_it_serves_who_names_this_machine_alone(
    http: aiohttp.ClientSession,
) -> None:
    # Linux has many addresses of loopback: this one stands for the container's.
    own = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
    async with playground(Project(LIVEKIT), listen="0.0.0.0") as page:
        assert page.startswith("http://127.0.0.1:")
        named = page.removeprefix("http://")
        there = page.replace("127.0.0.1", own)
        for host, status in ((named, 200), (named.replace("127.0.0.1", "192.0.2.7"), 403)):
            headers = {"Host": host, "Origin": f"http://{host}"}
            async with http.post(f"{there}/join", headers=headers) as response:
                assert response.status == status


async def test_what_it_serves_and_logs_holds_no_secret(
    page: str, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("", *FILES):
        async with http.get(f"{page}/{name}") as response:
            assert response.status == 200
            assert SECRET not in await response.text()
            assert "'self'" in response.headers["Content-Security-Policy"]
    async with http.post(f"{page}/join", headers={"Origin": page}) as response:
        answer = await response.text()
    assert SECRET not in answer
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert SECRET not in logged
    assert "eyJ" not in logged


async def test_it_serves_its_files_and_no_others(page: str, http: aiohttp.ClientSession) -> None:
    for name in ("server.py", "..%2fserver.py", "source/main.ts", "static/index.html"):
        async with http.get(f"{page}/{name}") as response:
            assert response.status == 404


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("ws://127.0.0.1:7880", "ws://127.0.0.1:7880 http://127.0.0.1:7880"),
        ("https://livekit.example", "wss://livekit.example https://livekit.example"),
        ("wss://mine.livekit.cloud", "wss://*.livekit.cloud https://*.livekit.cloud"),
    ],
)
async def test_the_page_may_reach_its_livekit_server(
    url: str, allowed: str, http: aiohttp.ClientSession
) -> None:
    livekit = LIVEKIT.model_copy(update={"url": url})
    async with playground(Project(livekit)) as page, http.get(page) as response:
        assert allowed in response.headers["Content-Security-Policy"]


async def test_a_taken_port_is_an_error(page: str) -> None:
    port = int(page.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"):
        async with playground(Project(LIVEKIT), port=port):
            pass


def test_the_built_page_is_that_of_its_sources() -> None:
    files = (*SOURCE.glob("*.ts"), *SOURCE.glob("*.js"), *SOURCE.glob("*.mjs"))
    total = hashlib.sha256()
    for path in sorted((*files, *SOURCE.glob("package*")), key=lambda path: path.name):
        if "test." in path.name:
            continue
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    built = (STATIC / "playground.js").read_text("utf-8")
    assert total.hexdigest() in built[:300], "the sources have changed: type `make page`"
    assert (STATIC / "meter.js").read_bytes() == (SOURCE / "meter.js").read_bytes()


def test_the_page_carries_the_licences_of_what_is_in_it() -> None:
    notices = (STATIC / "licences.txt").read_text("utf-8")
    pinned = re.search(r'"livekit-client": "([\d.]+)"', (SOURCE / "package.json").read_text())
    assert pinned
    assert f"livekit-client {pinned[1]} (Apache-2.0)" in notices
    assert "Apache License" in notices


def test_the_readmes_picture_shows_the_page_as_it_looks_now() -> None:
    shown = (SOURCE.parents[2] / "docs" / "page.png").read_bytes()
    assert look().encode() in shown[:300], "the page's look has changed: type `make picture`"
