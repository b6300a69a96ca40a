"""The stand-ins as a program: one line when ready, faults by its control address, a quick end."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import openai
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

PATIENCE_SECONDS = 60
QUERY = "speech_model=universal-streaming-english&sample_rate=16000"


@asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    command = [sys.executable, "-m", "workbench.standins", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    told: dict[str, Any] = json.loads(await process.stdout.readline())
    return told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_tells_its_addresses_on_one_line_and_ends_when_told_to(
    number: signal.Signals,
) -> None:
    async with program("--mode", "scripted", "--openai-key", "other") as process:
        told = await line(process)
        assert set(told) == {
            "assemblyai_base_url",
            "openai_base_url",
            "control_url",
            "assemblyai_api_key",
            "openai_api_key",
        }
        client = openai.AsyncClient(api_key="other", base_url=told["openai_base_url"])
        async with client, connect(f"{told['assemblyai_base_url']}/v3/ws?{QUERY}"):
            await client.models.list()
            process.send_signal(number)
            rest, _ = await process.communicate()
        assert (process.returncode, rest) == (0, b"")


async def test_it_can_be_ended_before_it_is_ready() -> None:
    async with program() as process:
        assert process.stderr is not None
        assert b"loading" in await process.stderr.readline()
        process.terminate()
        told, _ = await process.communicate()
    assert (process.returncode, told) == (0, b"")


async def test_the_control_address_lists_sessions_and_sets_faults() -> None:
    async with program("--mode", "scripted") as process, aiohttp.ClientSession() as http:
        told = await line(process)
        control = told["control_url"]
        url = f"{told['assemblyai_base_url']}/v3/ws?{QUERY}"
        headers = {"Authorization": told["assemblyai_api_key"]}
        script = [{"text": "Hello.", "start_ms": 100, "end_ms": 300}]
        await http.post(f"{control}/assemblyai/scripts", json=[script])
        async with connect(url, additional_headers=headers) as socket:
            assert json.loads(await socket.recv())["type"] == "Begin"
            await http.post(f"{control}/assemblyai/sessions/0/messages", json=[{"type": "Odd"}])
            assert json.loads(await socket.recv())["type"] == "Odd"
            await http.post(f"{control}/assemblyai/sessions/0/fault", json={"drop_at_ms": 500})
            await socket.send(bytes(16_000))
            with pytest.raises(ConnectionClosedError):
                _ = [message async for message in socket]
        async with http.get(f"{control}/assemblyai/sessions") as response:
            sessions = await response.json()
        assert len(sessions) == 1
        assert sessions[0]["audio_bytes"] == 16_000
        assert sessions[0]["sent_types"] == ["Begin", "Odd", "Turn", "Turn", "Turn"]
        assert told["assemblyai_api_key"] not in json.dumps(sessions)
        async with http.post(f"{control}/assemblyai/faults", json=[{"drop": 1}]) as response:
            assert response.status == 400
            assert "0.drop" in (await response.json())["error"]
        async with http.delete(f"{control}/assemblyai") as response:
            assert response.status == 204
        async with http.get(f"{control}/assemblyai/sessions") as response:
            assert await response.json() == []


async def test_a_port_in_use_is_one_sentence() -> None:
    async with program("--mode", "scripted") as first:
        port = (await line(first))["assemblyai_base_url"].rpartition(":")[2]
        async with program("--mode", "scripted", "--port", port) as second:
            _, said = await second.communicate()
        assert second.returncode == 1
        assert said.startswith(b"stand-ins: ")
        assert len(said.splitlines()) == 1
