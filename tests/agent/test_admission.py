"""How many calls a worker takes."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from livekit.agents import AgentServer, JobRequest
from livekit.protocol import agent as proto

from agent.worker.admission import FULL, Admission


def worker(calls: int) -> AgentServer:
    """A worker as far as admission looks at it: its calls in progress."""
    return cast("AgentServer", SimpleNamespace(active_jobs=[object()] * calls))


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
    admission = Admission(4)
    assert [round(admission.load(worker(calls)), 3) for calls in range(5)] == [
        0.0,
        0.175,
        0.35,
        0.525,
        FULL,
    ]


async def test_a_call_beyond_capacity_is_left_to_another_worker() -> None:
    answers: list[str] = []
    await Admission(2).decide(request(answers), worker(2))
    assert answers == ["left to another worker"]


async def test_a_burst_is_counted_before_its_calls_have_begun() -> None:
    answers: list[str] = []
    admission, begun = Admission(2), asyncio.Event()
    burst = [
        asyncio.create_task(admission.decide(request(answers, begun), worker(0))) for _ in "ab"
    ]
    await asyncio.sleep(0)  # both tasks have run up to their acceptance
    await admission.decide(request(answers), worker(0))
    begun.set()
    await asyncio.gather(*burst)
    assert answers == ["accepted", "accepted", "left to another worker"]
