"""A worker that cannot start processes for calls takes none, tries with pauses, and recovers."""

import math
from typing import Any, cast

import pytest
from livekit.agents.ipc.job_executor import JobExecutor
from livekit.agents.ipc.proc_pool import EventTypes
from livekit.agents.utils import EventEmitter

from agent.worker.starts import ATTEMPTS, HOPELESS_SECONDS, Starts

WANTED = 8


class Pool(EventEmitter[EventTypes]):
    """Like LiveKit's: it looks every 0.1 s, and starts what is missing; time is ours."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.broken = False
        self.started = 0
        self.idle: list[JobExecutor] = []
        self.target_idle_processes = WANTED

    def set_target_idle_processes(self, num_idle_processes: int) -> None:
        self.target_idle_processes = num_idle_processes

    def run(self, starts: Starts, seconds: float) -> None:
        for tick in range(round(seconds * 10)):
            self.now += 0.1
            if tick % 10 == 9:
                starts.try_again()
            for _ in range(self.target_idle_processes - len(self.idle)):
                self._start()

    def take_one(self) -> None:
        self.emit("process_job_launched", self.idle.pop())

    def _start(self) -> None:
        process = cast("JobExecutor", object())
        self.started += 1
        self.emit("process_created", process)
        if self.broken:
            self.emit("process_closed", process)
        else:
            self.idle.append(process)
            self.emit("process_ready", process)


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def starts(pool: Pool) -> Starts:
    starts = Starts(lambda: pool.now)
    starts.watch(cast("Any", pool))
    return starts


def test_as_many_processes_wait_as_there_are_places(pool: Pool, starts: Starts) -> None:
    pool.run(starts, 1)
    assert len(pool.idle) == pool.started == WANTED
    pool.take_one()
    starts.keep_ready(WANTED - 1)
    pool.run(starts, 1)
    assert pool.started == WANTED
    assert not starts.are_failing


def test_where_no_process_starts_one_is_tried_after_pauses_that_grow(
    pool: Pool, starts: Starts, caplog: pytest.LogCaptureFixture
) -> None:
    pool.broken = True
    pool.run(starts, 600)
    assert starts.are_failing
    assert pool.started < WANTED + 30
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_process_that_fails_by_chance_changes_nothing(pool: Pool, starts: Starts) -> None:
    pool.run(starts, 1)
    pool.take_one()
    pool.broken = True
    pool.run(starts, 0.1)
    pool.broken = False
    pool.run(starts, 2)
    assert not starts.are_failing
    assert len(pool.idle) == WANTED


def test_a_worker_that_can_start_processes_again_takes_calls_again(
    pool: Pool, starts: Starts, caplog: pytest.LogCaptureFixture
) -> None:
    pool.broken = True
    pool.run(starts, 20)
    assert starts.are_failing
    starts.keep_ready(0)  # what a full worker asks for
    pool.broken = False
    pool.run(starts, 30)
    assert not starts.are_failing
    starts.keep_ready(WANTED)
    pool.run(starts, 1)
    assert len(pool.idle) == WANTED
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_it_is_hopeless_after_a_while_and_not_before(pool: Pool, starts: Starts) -> None:
    pool.broken = True
    pool.run(starts, HOPELESS_SECONDS)
    assert starts.are_failing
    assert not starts.are_hopeless
    pool.run(starts, math.ceil(ATTEMPTS))
    assert starts.are_hopeless
