"""Machines that share a Redis never open more sessions in a minute than the account may."""

import asyncio
import json
import mmap
import os
import socket
import struct
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.fleet.budget import FleetBudget, fleet_budget
from agent.fleet.client import FleetRedis
from stt_assemblyai.budget import WINDOW_SECONDS
from workbench.local.redis_server import RedisServer
from workbench.local.running import PROJECT

ALONE = "this machine alone counts its new sessions with AssemblyAI"

NOW = 1_800_000_000.0
PER_MINUTE, PROCESSES_EACH = 30, 10
CLOCKS_AHEAD_SECONDS = (0.0, 0.5)
"""Of each machine."""
VIRTUAL_MINUTES, STEP_SECONDS = 6, 2.9


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
async def client(redis: RedisServer) -> AsyncIterator[FleetRedis]:
    made = FleetRedis(SecretStr(redis.url))
    yield made
    await made.aclose()


async def test_a_minutes_worth_is_given_and_the_wait_for_the_next_is_told(
    client: FleetRedis, redis: RedisServer
) -> None:
    budget = FleetBudget(client, 3, "key")
    assert await budget.free(5) == 3
    assert [await budget.take() for _ in range(3)] == [0, 0, 0]
    assert await budget.take() == pytest.approx(WINDOW_SECONDS, abs=1)
    assert await budget.free(5) == 0
    async with redis.client() as other:
        (name,) = await other.keys("*")
        assert name.startswith("agent:budget:")
        assert "key" not in name
        assert 0 < await other.ttl(name) <= WINDOW_SECONDS


async def test_each_account_has_its_own_and_one_object_a_process(client: FleetRedis) -> None:
    assert await FleetBudget(client, 1, "one").take() == 0
    assert await FleetBudget(client, 1, "other").take() == 0
    assert fleet_budget(client, 1, "one") is fleet_budget(client, 1, "one")


async def test_while_redis_is_away_the_machine_goes_on_by_what_it_has_counted(
    client: FleetRedis, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    budget = FleetBudget(client, 3, "key")
    assert [await budget.take() for _ in range(2)] == [0, 0]
    await redis.kill()
    assert await budget.free(5) == 1
    assert await budget.take() == 0
    assert await budget.take() > 50
    assert [each.message for each in caplog.records].count(ALONE) == 1
    await redis.start()
    for _ in range(200):
        if not client.is_away:
            break
        await asyncio.sleep(0.05)
        await budget.free(5)
    assert await budget.free(5) == 0  # Redis has forgotten, and this machine has not


async def test_a_redis_that_forgets_everything_leaves_each_machine_its_own_count(
    client: FleetRedis, redis: RedisServer
) -> None:
    budget = FleetBudget(client, 2, "key")
    assert [await budget.take() for _ in range(2)] == [0, 0]
    async with redis.client() as other:
        await other.flushall()
    assert await budget.take() > 50


class Machines:
    """Processes of several machines, each with its own folder and clock; time is virtual."""

    def __init__(self, url: str, folders: list[Path]) -> None:
        self._url = url
        self._time = mmap.mmap(-1, 8)
        self._set(NOW)
        self._asked: list[socket.socket] = []
        for folder, ahead_seconds in zip(folders, CLOCKS_AHEAD_SECONDS, strict=True):
            for _ in range(PROCESSES_EACH):
                self._asked.append(self._forked(folder, ahead_seconds))

    def run(self) -> list[float]:
        """When a session was opened: each process asks in every step, all at once."""
        opened = []
        while (now := self._now()) < NOW + 60 * VIRTUAL_MINUTES:
            for each in self._asked:
                each.sendall(b"?")
            opened += [now for each in self._asked if each.recv(1) == b"y"]
            self._set(now + STEP_SECONDS)
        for each in self._asked:
            each.close()
        while self._asked:
            self._asked.pop()
            os.wait()
        return opened

    def _now(self) -> float:
        return float(struct.unpack("<d", self._time[:8])[0])

    def _set(self, now: float) -> None:
        self._time[:8] = struct.pack("<d", now)

    def _forked(self, folder: Path, ahead_seconds: float) -> socket.socket:
        ours, theirs = socket.socketpair()
        if os.fork():
            theirs.close()
            return ours
        ours.close()
        tempfile.tempdir = str(folder)
        time.time = lambda: self._now() + ahead_seconds
        asyncio.run(self._answer(theirs))
        os._exit(0)

    async def _answer(self, asked: socket.socket) -> None:
        redis = FleetRedis(SecretStr(self._url))
        budget = FleetBudget(redis, PER_MINUTE, "key")
        while asked.recv(1):
            asked.sendall(b"n" if await budget.take() else b"y")
        await redis.aclose()


async def test_twenty_processes_of_two_machines_hold_the_budget_in_every_minute(
    redis: RedisServer, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    folders = [tmp_path / f"machine-{each}" for each in CLOCKS_AHEAD_SECONDS]
    for each in folders:
        each.mkdir()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(__file__, redis.url, *map(str, folders)),
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    opened = sorted(json.loads(told))
    most = max(sum(start <= at < start + 60 for at in opened) for start in opened)
    processes = len(folders) * PROCESSES_EACH
    figure = (
        f"budget of {PER_MINUTE} a minute, {processes} processes on {len(folders)} machines: "
        f"{len(opened)} sessions in {VIRTUAL_MINUTES} minutes, at most {most} in any minute"
    )
    record_property("figure", figure)
    assert most == PER_MINUTE
    assert len(opened) >= PER_MINUTE * (VIRTUAL_MINUTES - 1)


if __name__ == "__main__":
    json.dump(Machines(sys.argv[1], list(map(Path, sys.argv[2:]))).run(), sys.stdout)
