"""How many calls a worker takes."""

import asyncio
import math
from typing import Any

import pytest
from livekit.agents import JobRequest
from livekit.protocol import agent as proto

from agent.worker.admission import FULL, Admission
from agent.worker.load_shedding import ON_SECONDS, LoadShedding, cores
from agent.worker.pace import LONGEST_WAIT_SECONDS, START_CORE_SECONDS


class ActiveCalls:
    """So many calls in progress, and the processes that were to be kept ready beside them."""

    def __init__(self, calls: int) -> None:
        self.active_jobs = [object()] * calls
        self.ready: list[int] = []

    def keep_ready(self, processes: int) -> None:
        self.ready.append(processes)


def request(answers: list[str], begun: asyncio.Event | None = None) -> JobRequest:
    """A request as LiveKit makes it, which notes each answer; `begun` holds the call back."""

    async def on_reject(terminate: bool) -> None:
        answers.append("given up" if terminate else "left to another worker")

    async def on_accept(_arguments: Any) -> None:
        answers.append("accepted")
        if begun:
            await begun.wait()

    return JobRequest(job=proto.Job(id="job"), on_reject=on_reject, on_accept=on_accept)


def test_the_reported_load_is_full_exactly_at_capacity() -> None:
    admission = Admission(4, LoadShedding(1))
    assert [round(admission.load(ActiveCalls(calls)), 3) for calls in range(5)] == [
        0.0,
        0.175,
        0.35,
        0.525,
        FULL,
    ]


async def test_a_call_beyond_capacity_is_left_to_another_worker() -> None:
    answers: list[str] = []
    await Admission(2, LoadShedding(1)).decide(request(answers), ActiveCalls(2))
    assert answers == ["left to another worker"]


async def test_a_burst_is_counted_before_its_calls_have_begun() -> None:
    answers: list[str] = []
    admission, begun = Admission(2, LoadShedding(1)), asyncio.Event()
    both = [admission.decide(request(answers, begun), ActiveCalls(0)) for _ in "ab"]
    burst = [asyncio.create_task(each) for each in both]
    await asyncio.sleep(0)  # both tasks have run up to their acceptance
    await admission.decide(request(answers), ActiveCalls(0))
    begun.set()
    await asyncio.gather(*burst)
    assert answers == ["accepted", "accepted", "left to another worker"]


async def test_a_process_is_kept_ready_for_each_place_and_none_started_while_a_call_begins() -> (
    None
):
    admission, begun, floor = Admission(4, LoadShedding(1)), asyncio.Event(), ActiveCalls(1)
    admission.load(floor)
    accepted = asyncio.create_task(admission.decide(request([], begun), floor))
    await asyncio.sleep(0)  # the call is accepted, and has not begun
    admission.load(floor)
    begun.set()
    await accepted
    assert floor.ready == [3, 2, 2]


def shedding() -> LoadShedding:
    load_shedding = LoadShedding(0.9)
    for _ in range(ON_SECONDS):
        load_shedding.add_sample(0.95)
    return load_shedding


def test_a_worker_with_a_call_takes_no_more_while_the_cpu_is_busy() -> None:
    admission = Admission(4, shedding())
    assert admission.load(ActiveCalls(1)) == FULL
    assert admission.places(1) == 0


def test_a_worker_without_a_call_takes_one_whatever_keeps_the_cpu_busy() -> None:
    assert Admission(4, shedding()).places(0) > 0


def test_a_worker_that_stops_takes_no_more_calls() -> None:
    admission = Admission(4, LoadShedding(1))
    admission.close()
    assert admission.load(ActiveCalls(0)) == FULL


async def test_a_limit_that_is_reached_makes_a_worker_full_whatever_its_capacity() -> None:
    answers: list[str] = []
    allowed = [2]
    admission = Admission(4, LoadShedding(1), lambda recent: allowed[0] - recent)
    for _ in range(3):
        await admission.decide(request(answers), ActiveCalls(0))
    assert answers == ["accepted", "accepted", "left to another worker"]
    assert admission.load(ActiveCalls(0)) == FULL
    allowed[0] = 3
    assert admission.places(0) == 1


async def test_why_no_place_is_free_is_known() -> None:
    shedding, limit = LoadShedding(0.5), [4]
    admission = Admission(4, shedding, lambda _: limit[0])
    assert [admission.shortage(calls) for calls in (0, 3, 4)] == [None, None, "full"]
    limit[0] = 0
    assert admission.shortage(0) == admission.shortage(3) == "limited"
    limit[0] = 4
    for _ in range(ON_SECONDS):
        shedding.add_sample(1.0)
    assert [admission.shortage(calls) for calls in (0, 3, 4)] == [None, "busy", "full"]
    admission.close()
    assert admission.shortage(4) is None


@pytest.mark.looptime
async def test_of_many_at_once_those_begin_that_the_machine_can_start_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)
    admission, answers = Admission(100, LoadShedding(1)), list[str]()
    begun_at: list[float] = []

    async def come() -> None:
        await admission.decide(request(answers), ActiveCalls(0))
        if answers[-1] == "accepted":
            begun_at.append(asyncio.get_running_loop().time())

    at_once = math.floor(cores() + 1)
    soon = at_once + math.floor(LONGEST_WAIT_SECONDS * cores() / START_CORE_SECONDS)
    begin = asyncio.get_running_loop().time()
    await asyncio.gather(*(come() for _ in range(soon + 5)))
    assert soon - 1 <= answers.count("accepted") <= soon + 1
    assert begun_at[at_once - 1] == begin
    assert max(begun_at) - begin <= LONGEST_WAIT_SECONDS
    assert admission.shortage(1) == "busy"
    monkeypatch.setattr("time.monotonic", lambda: 1010.0)
    assert admission.shortage(1) is None
