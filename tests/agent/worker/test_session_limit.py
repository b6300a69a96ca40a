"""How many calls AssemblyAI's account lets begin now."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agent.fleet.budget import FleetBudget
from agent.fleet.client import FleetRedis
from agent.worker.session_limit import session_limit
from config.services import AssemblyAISettings
from stt_assemblyai.budget import MachineBudget, file_for
from workbench.local.redis_server import RedisServer
from workbench.local.running import PROJECT


def test_no_more_calls_fit_than_get_a_session_soon(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    account: Any = {"api_key": "key", "new_sessions_per_minute": 5}
    limit = session_limit(AssemblyAISettings(**account))
    assert limit is not None
    assert (limit(0), limit(3)) == (5, 2)
    MachineBudget(5, file_for("key")).take_now()  # in a job's process
    assert limit(0) == 4


@pytest.mark.slow
async def test_in_a_fleet_as_many_calls_fit_as_all_machines_together_may_open(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account: Any = {"api_key": "key", "new_sessions_per_minute": 5}
    ours, theirs = (FleetRedis(SecretStr(url)) for url in (redis.url, redis.socket_url))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    limit = session_limit(AssemblyAISettings(**account), ours)
    assert limit is not None
    assert limit(0) == 5
    following = asyncio.create_task(limit.follow())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "redis"))  # on another machine
    assert await FleetBudget(theirs, 5, "key").take() == 0
    for _ in range(400):
        if limit(0) == 4:
            break
        await asyncio.sleep(0.02)
    assert limit(1) == 3
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    for each in (ours, theirs):
        await each.aclose()


@pytest.mark.parametrize(
    "settings", [{}, {"new_sessions_per_minute": 5, "fallback_inference_model": "assemblyai/u"}]
)
def test_without_a_budget_or_with_another_stt_every_call_fits(settings: dict[str, Any]) -> None:
    account: Any = {"api_key": "key", **settings}
    assert session_limit(AssemblyAISettings(**account)) is None


def test_who_has_neither_a_limit_nor_a_redis_loads_no_library_for_them() -> None:
    program = (
        "import sys, agent.worker.run\nprint({'limits', 'redis'} & sys.modules.keys() or 'none')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "none\n"
