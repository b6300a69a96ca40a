"""A worker that must go does not wait for a server that says nothing."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import SecretStr

from agent.worker.forced_shutdown import ask_agents_to_leave
from config.services import LiveKitSettings


async def test_whom_livekit_does_not_reach_ends_without_an_apology_and_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agent.worker.forced_shutdown.DEADLINE_SECONDS", 0.2)
    asked = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()  # until the worker gives up
        writer.close()

    info = SimpleNamespace(
        job=SimpleNamespace(room=SimpleNamespace(name="room")),
        accept_arguments=SimpleNamespace(identity="agent"),
    )
    worker = cast("Any", SimpleNamespace(active_jobs=[info]))
    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        key, secret = SecretStr("key"), SecretStr("s" * 32)
        settings = LiveKitSettings(url=f"ws://127.0.0.1:{port}", api_key=key, api_secret=secret)
        async with asyncio.timeout(30):
            await ask_agents_to_leave(worker, settings)
    assert asked.is_set()
