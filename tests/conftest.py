"""What holds for all tests."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from workbench.bench import flaky
from workbench.local.redis_server import RedisServer, redis_server

# The virtual clock's plugin asks every test for its event loop, those without one as well, and so
# would make loops that nobody closes. Once a loop was set, even to none, asking makes no new one.
asyncio.set_event_loop(None)

# Tests do not time: a machine may stand still for longer than any limit of one example.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

# These run in real time, or start programs: `make test` runs them, `make check` has no minute left.
SLOW = {
    "test_call.py",
    "test_commands.py",
    "test_compare.py",
    "test_bench_stt.py",
    "test_console.py",
    "test_doctor.py",
    "test_doors.py",
    "test_exporting.py",
    "test_heard.py",
    "call/test_hearing.py",
    "fleet/test_budget.py",
    "fleet/test_client.py",
    "fleet/test_lease.py",
    "fleet/test_membership.py",
    "fleet/test_live_calls.py",
    "test_leaks.py",
    "test_standins_heard.py",
    "test_standins_program.py",
    "test_main.py",
    "test_redis_probe.py",
    "test_redis_server.py",
    "test_soak.py",
    "stt_assemblyai/test_session.py",
}


# Of the slow ones those which listen or answer in real time: a process that stands still for
# seconds spoils them, so they get the CPU as spoken calls do.
TIMED = {
    "fleet/test_membership.py",
    "call/test_hearing.py",
    "livekit/test_stt.py",
    "stt_assemblyai/test_heard.py",
    "stt_assemblyai/test_leaks.py",
    "stt_assemblyai/test_session.py",
    "workbench/test_compare.py",
    "workbench/test_bench_stt.py",
    "workbench/test_latency.py",
    "workbench/test_soak.py",
    "workbench/test_standins_heard.py",
}

# Those that take longest, in this order, begin first: two at a time, neither waits for the other at
# the end. Seconds on two cores, from `--durations`.
LONGEST_FIRST = (
    "calls/test_replacing.py",  # 200
    "calls/test_ways_to_end.py",  # 150
    "calls/test_failing_providers.py",  # 135
    "calls/test_run.py",  # 135
    "image/test_image.py",  # 95
    "calls/test_outage.py",  # 90
    "calls/test_draining.py",  # 65
    "calls/test_page.py",  # 65
    "calls/test_conversation.py",  # 60
    "calls/test_two_nodes.py",  # 60
    "calls/test_interruptions.py",  # 55
    "calls/test_chaos.py",  # 55
    "calls/test_words_over_the_agent.py",  # 50
    "calls/test_developing.py",  # 40
    "calls/test_staying_quiet.py",  # 40
    "calls/test_latency_in_a_room.py",  # 40
    "calls/test_who_is_served.py",  # 35
    "calls/test_fleet.py",  # 30
    "workbench/test_latency.py",  # 30
    "stt_assemblyai/test_heard.py",  # 25
    "workbench/test_soak.py",  # 20
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in SLOW or name_of(item) in SLOW:
            item.add_marker(pytest.mark.slow)
        if name_of(item) in TIMED and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timed)
        # Real time on shared cores: a second try, which the summary of the run names. tests/calls
        # has a third.
        is_timed = item.get_closest_marker("slow") or item.get_closest_marker("image")
        if is_timed and not item.get_closest_marker("flaky"):
            item.add_marker(pytest.mark.flaky(reruns=1))
    order = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(name_of(item), len(order)))


def name_of(item: pytest.Item) -> str:
    """A test's file, with its folder."""
    return f"{item.path.parent.name}/{item.path.name}"


@pytest.fixture(autouse=True, scope="module")
def _empty_caches() -> None:
    """What a test module runs must not depend on who has filled our caches before."""
    for name in list(sys.modules):
        if name.partition(".")[0] in ("agent", "config", "stt_assemblyai"):
            for value in list(vars(sys.modules[name]).values()):
                if hasattr(type(value), "cache_clear"):
                    value.cache_clear()


@pytest.fixture(autouse=True, scope="module")
def _nothing_lost(request: pytest.FixtureRequest) -> None:
    """Tests that read sources come after all lost tasks are gone: Python 3.11's parser fails
    ("recursion depth mismatch") when one is found and logged with its stack meanwhile."""
    if request.path.parent == Path(__file__).parent:
        gc.collect()


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A real Redis server of this test's own, without a password."""
    async with redis_server(tmp_path / "redis") as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures that were measured, and what needed a second try, from whichever process."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    _tell(
        terminalreporter,
        "figures of the spoken calls",
        [
            str(value)
            for each in reports
            for name, value in each.user_properties
            if name == "figure"
        ],
    )
    reruns = [f"{each.nodeid}: {_reason(each)}" for each in terminalreporter.getreports("rerun")]
    _tell(terminalreporter, "passed or failed at a further try", reruns)
    again = _names(terminalreporter, "rerun")
    # Fast tests are too many to be counted; those that needed a further try are named.
    tried = _names(terminalreporter, "passed", "failed", "error", marked="flaky")
    if (tried or again) and not hasattr(terminalreporter.config, "workerinput"):  # xdist's, too
        run = flaky.Run(
            revision=_revision(),
            ended_at=datetime.now(UTC),
            ran=tuple(dict.fromkeys((*tried, *again))),
            tried_again=again,
        )
        _tell(
            terminalreporter,
            "further tries in the last ten runs of each test",
            flaky.summary(run, flaky.add(run)),
        )


def _names(reporter: pytest.TerminalReporter, *outcomes: str, marked: str = "") -> tuple[str, ...]:
    """The tests with such an outcome, each once; of those with a mark, if one is given.

    What could not be collected has no marks, and is no test.
    """
    reports = (report for outcome in outcomes for report in reporter.getreports(outcome))
    tests = (report for report in reports if isinstance(report, pytest.TestReport))
    return tuple(
        dict.fromkeys(each.nodeid for each in tests if marked in each.keywords or not marked)
    )


def _revision() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, check=False)
    return done.stdout.decode().strip() or "unknown"


def _tell(reporter: pytest.TerminalReporter, title: str, lines: list[str]) -> None:
    if lines:
        reporter.section(title)
        for line in dict.fromkeys(lines):
            reporter.write_line(line)


def _reason(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message).splitlines()[0] if crash else report.when or ""
