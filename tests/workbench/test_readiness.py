"""A worker is ready when its page says so, and not when its log has a certain line."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from agent.caller.waiting import WaitedTooLongError
from workbench.local.processes import Command, Process, ProcessDiedError
from workbench.local.readiness import port_and_page, until_ready
from workbench.standins.listening import Listener


class Page:
    """A worker's page with these obstacles in turn, and the last ones for ever."""

    def __init__(self, *obstacles: list[str] | None) -> None:
        self.left = list(obstacles)

    async def answer(self, _: web.Request) -> web.Response:
        obstacles = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if obstacles is None:
            return web.Response(status=404)
        return web.json_response({"obstacles": obstacles}, status=503 if obstacles else 200)

    @property
    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/readyz", self.answer)
        return app


@pytest.fixture
async def lasting(tmp_path: Path) -> AsyncIterator[Process]:
    argv = [sys.executable, "-c", "import signal; signal.pause()"]
    async with Process(Command("worker", argv, tmp_path / "log")) as process:
        yield process


@pytest.mark.parametrize("last", [[], ["full"]])
async def test_a_worker_without_obstacles_but_its_calls_ends_the_waiting(
    lasting: Process, last: list[str]
) -> None:
    page = Page(["unregistered"], None, ["full", "llm_down"], last)
    async with Listener(page.application) as server:
        await until_ready(lasting, f"http://{server.address}/readyz", timeout_seconds=60)
    assert page.left == [last]


async def test_a_worker_that_is_never_ready_is_waited_for_in_vain(lasting: Process) -> None:
    async with Listener(Page(["unregistered"]).application) as server:
        with pytest.raises(WaitedTooLongError, match=r"waited 0\.5 s for worker to be ready"):
            await until_ready(lasting, f"http://{server.address}/readyz", timeout_seconds=0.5)


async def test_a_worker_that_dies_is_told(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import sys; sys.exit('no key')"]
    async with Process(Command("worker", argv, tmp_path / "log")) as process:
        _, page = port_and_page({})
        with pytest.raises(ProcessDiedError, match="no key"):
            await until_ready(process, page, timeout_seconds=60)


@pytest.mark.parametrize(
    ("host", "asked"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("10.0.0.2", "10.0.0.2")],
)
def test_the_page_is_asked_where_it_listens(host: str, asked: str) -> None:
    values = {"AGENT_HTTP_HOST": host, "AGENT_HTTP_PORT": "8081"}
    assert port_and_page(values) == (8081, f"http://{asked}:8081/readyz")


@pytest.mark.parametrize("values", [{}, {"AGENT_HTTP_PORT": "0"}])
def test_without_a_port_any_free_one_is_taken(values: dict[str, str]) -> None:
    port, page = port_and_page(values)
    assert port > 0
    assert page == f"http://127.0.0.1:{port}/readyz"
