"""A Prometheus server with the configuration and the alerts that we ship, for these workers."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from workbench.local.livekit_server import free_port
from workbench.local.processes import Command, Process
from workbench.local.prometheus import find
from workbench.local.running import PROJECT
from workbench.local.workers import Worker

SHIPPED = PROJECT / "deploy" / "monitoring"
_READY_SECONDS = 30
_TARGET = re.compile(r"( +- )127\.0\.0\.1:9091.*\n")
_PAGE = re.compile(r"metrics exposed at http://([\d.]+:\d+)/metrics")


class Prometheus:
    """A running server."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def firing(self) -> set[str]:
        """The names of the alerts that fire now."""
        found = await self._ask("/api/v1/alerts")
        return {
            each["labels"]["alertname"] for each in found["alerts"] if each["state"] == "firing"
        }

    async def value(self, expression: str) -> float | None:
        """The first value of an expression now; None if it has none."""
        found = (await self._ask("/api/v1/query", query=expression))["result"]
        return float(found[0]["value"][1]) if found else None

    async def _ask(self, path: str, **query: str) -> dict[str, Any]:
        async with self._http.get(path, params=query) as answer:
            answer.raise_for_status()
            found: dict[str, Any] = (await answer.json())["data"]
            return found


@asynccontextmanager
async def prometheus_server(workers: Sequence[Worker], folder: Path) -> AsyncIterator[Prometheus]:
    """A server that asks these workers, until the context is left. Each needs a page of metrics.

    Raises NoPrometheusError, and ProcessDiedError with its last words.
    """
    configuration = folder / "prometheus.yml"
    pages = [await page_of(each) for each in workers]
    configuration.write_text(asking(pages), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    argv = [
        str(find("prometheus")),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address={address}",
    ]
    async with Process(Command("prometheus", argv, folder / "prometheus.log")) as process:
        await process.wait_for_line(
            lambda line: "ready to receive web requests" in line, timeout_seconds=_READY_SECONDS
        )
        async with aiohttp.ClientSession(f"http://{address}") as http:
            yield Prometheus(http)


async def page_of(worker: Worker) -> str:
    """Host and port of a worker's page of metrics, by its log."""
    line = await worker.log_line("metrics exposed at")
    found = _PAGE.search(line)
    assert found, line
    return found[1]


def asking(pages: Sequence[str]) -> str:
    """The shipped configuration, with its intervals and alerts, for these pages."""
    shipped = (SHIPPED / "prometheus.yml").read_text("utf-8")
    with_rules = shipped.replace("- alerts.yml", f"- {SHIPPED / 'alerts.yml'}")
    return _TARGET.sub(lambda found: "".join(f"{found[1]}{each}\n" for each in pages), with_rules)
