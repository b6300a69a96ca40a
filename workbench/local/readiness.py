"""Waits until a worker takes calls: its page `/readyz` says so."""

import asyncio
from collections.abc import Mapping

import aiohttp

from agent.caller.waiting import WaitedTooLongError
from agent.worker.health import OCCUPIED
from agent.worker.health_pages import READY
from workbench.local.livekit_server import free_port
from workbench.local.processes import Process, ProcessDiedError

_ASKED_EVERY_SECONDS = 0.2
_ANSWER_SECONDS = 2.0
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def port_and_page(values: Mapping[str, str]) -> tuple[int, str]:
    """The port of a worker's pages, any free one where the settings name none, and the address of
    the page that says whether it is ready."""
    port = int(values.get("AGENT_HTTP_PORT", "0")) or free_port()
    host = values.get("AGENT_HTTP_HOST", "127.0.0.1")
    host = _EVERY_ADDRESS.get(host, host)
    return port, f"http://{f'[{host}]' if ':' in host else host}:{port}{READY}"


async def until_ready(worker: Process, page: str, *, timeout_seconds: float) -> None:
    """Return once the page says that the worker is ready, or full with the calls that it has got
    meanwhile. Raises ProcessDiedError and WaitedTooLongError."""
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    try:
        async with asyncio.timeout(timeout_seconds), aiohttp.ClientSession(timeout=timeout) as http:
            while not await _is_ready(http, page):
                if worker.code is not None:
                    raise ProcessDiedError(worker.obituary())
                await asyncio.sleep(_ASKED_EVERY_SECONDS)
    except TimeoutError:
        raise WaitedTooLongError(
            f"waited {timeout_seconds:g} s for {worker.command.name} to be ready"
        ) from None


async def _is_ready(http: aiohttp.ClientSession, page: str) -> bool:
    try:
        async with http.get(page, headers={"Accept": "application/json"}) as answer:
            if answer.content_type != "application/json":
                return False
            return set((await answer.json())["obstacles"]) <= OCCUPIED
    except (aiohttp.ClientError, TimeoutError):  # it does not listen yet
        return False
