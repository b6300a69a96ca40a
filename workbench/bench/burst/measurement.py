"""One worker, first with one caller and then with a burst of them."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from agent.tasks import OwnedTask
from workbench.bench.burst.cost import Costs
from workbench.bench.burst.lines import CallerTold, Told
from workbench.bench.latency import stock
from workbench.local.livekit_server import LiveKitServer, free_port
from workbench.local.processes import Command, Process
from workbench.local.running import PROJECT
from workbench.local.standins_process import StandIns
from workbench.local.workers import Places, Worker

PROGRAMS = {"ours": PROJECT / "agent.py", "stock": Path(stock.__file__)}
LAG = "agent_call_event_loop_lag_seconds"
_READY_SECONDS = 60.0
_CALL_SECONDS = 120.0
_SETTLE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Burst:
    """How many come, within how many seconds, and how many lines each says."""

    callers: int
    within: float
    turns: int


@dataclass(frozen=True, slots=True)
class Found:
    """One burst of one worker."""

    calls: Sequence[CallerTold]
    seconds: float
    cpu: Mapping[str, float]
    """CPU seconds by party."""
    callers_late: float
    """The worst lag of the callers' own event loop, in seconds."""
    warnings: Counter[str]
    lag_buckets: Mapping[str, float]
    """Seconds of calls by the worst lag in them, cumulated; empty where nobody tells it."""

    @property
    def replies(self) -> list[float]:
        """In seconds, of all callers."""
        told = [line.reply_seconds for call in self.calls for line in call.lines]
        return sorted(each for each in told if each is not None)


def quantile(values: Sequence[float], share: float) -> float:
    """Of sorted values; NaN without any."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def middle(values: Sequence[float]) -> float:
    """The median; NaN without any."""
    return median(values) if values else float("nan")


@asynccontextmanager
async def scripted(logs: Path) -> AsyncIterator[tuple[StandIns, Process]]:
    """The providers, until the context is left."""
    argv = [sys.executable, "-m", "workbench.bench.burst.standins"]
    async with Process(Command("stand-ins", argv, logs / "stand-ins.log", cwd=PROJECT)) as process:
        line = await process.wait_for_line(
            lambda line: line.startswith("{"), timeout_seconds=_READY_SECONDS
        )
        yield StandIns.model_validate_json(line), process


async def measure(
    name: str,
    server: LiveKitServer,
    logs: Path,
    bursts: Sequence[Burst],
    settings: Mapping[str, str],
) -> list[Found]:
    """Start the worker of this name, and let each burst come to it in turn."""
    async with scripted(logs) as (stood_in, providers):
        port = free_port()
        told = {
            "AGENT_NAME": f"burst-{name}",
            "AGENT_METRICS_PORT": str(port),
            "LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS": "250",
            "LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE": "0",
            # Here the callers keep the CPU busy as well: calls that run late tell more.
            "AGENT_MAX_LOOP_LAG_MS": "30",
            "TUNED": "yes",
            **settings,
        }
        places = Places(server.access, stood_in, logs)
        worker = Worker(places, f"burst-{name}", told, "start", program=PROGRAMS[name])
        async with worker.taking_calls():
            await asyncio.sleep(_SETTLE_SECONDS)
            roots = {"server": server.process.pid, "stand-ins": providers.pid}
            return [await _one(worker, each, roots, logs, port) for each in bursts]


async def _one(
    worker: Worker, burst: Burst, roots: Mapping[str, int], logs: Path, port: int
) -> Found:
    lines_before, lags_before = len(worker.process.lines), await _lags(port)
    argv = [sys.executable, "-m", "workbench.bench.burst.callers", "--agent", worker.agent_name]
    for option in ("callers", "within", "turns"):
        argv += [f"--{option}", str(getattr(burst, option))]
    access = worker.access
    environment = {
        **os.environ,
        "LIVEKIT_URL": access.url,
        "LIVEKIT_API_KEY": access.api_key,
        "LIVEKIT_API_SECRET": access.api_secret,
    }
    log = logs / f"callers-{worker.agent_name}-{burst.callers}.log"
    async with Process(Command("callers", argv, log, environment, cwd=PROJECT)) as callers:
        costs = Costs({"agent": worker.process.pid, "callers": callers.pid, **roots})
        began = asyncio.get_running_loop().time()
        async with OwnedTask(costs.follow(), name="costs"):
            line = await callers.wait_for_line(
                lambda line: line.startswith('{"calls"'), timeout_seconds=_CALL_SECONDS
            )
        seconds, used = asyncio.get_running_loop().time() - began, costs.seconds()
    found = json.loads(line)
    return Found(
        [_read(each) for each in found["calls"]],
        seconds,
        used,
        found["late_seconds"],
        _warnings(list(worker.process.lines)[lines_before:]),
        {key: value - lags_before.get(key, 0) for key, value in (await _lags(port)).items()},
    )


def _read(told: dict[str, Any]) -> CallerTold:
    lines = tuple(Told(**{**each, "heard": tuple(each["heard"])}) for each in told.pop("lines"))
    return CallerTold(**told, lines=lines)


def _warnings(lines: Sequence[str]) -> Counter[str]:
    """How often each message was logged as a warning or worse."""
    found: Counter[str] = Counter()
    for line in lines:
        try:
            told = json.loads(line)
            level, message = str(told["level"]).lower(), str(told["message"])
        except (ValueError, KeyError, TypeError):
            continue
        if level in ("warning", "error", "critical"):
            found[message.partition("\n")[0][:60]] += 1
    return found


async def _lags(port: int) -> Mapping[str, float]:
    try:
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"http://127.0.0.1:{port}/metrics") as page,
        ):
            text = await page.text()
    except aiohttp.ClientError:
        return {}
    return {
        sample.labels["le"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"{LAG}_bucket"
    }
