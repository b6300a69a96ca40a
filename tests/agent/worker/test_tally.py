"""Job processes report to the worker."""

import asyncio
import multiprocessing
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from agent.worker.tally import LONGEST_BYTES, Tally


def new_tally() -> tuple[Tally, list[Mapping[str, Any]]]:
    taken: list[Mapping[str, Any]] = []
    return Tally(taken.append), taken


async def read(tally: Tally, *, looks: int = 2) -> None:
    """Let the loop look at the pipe."""
    with tally.listening():
        for _ in range(looks):
            await asyncio.sleep(0)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["forkserver", "spawn"])
async def test_another_process_reports_to_this_one(method: str) -> None:
    tally, taken = new_tally()
    # LiveKit hands its set-up function to job processes in this way.
    process = multiprocessing.get_context(method).Process(  # type: ignore[attr-defined]
        target=partial(tally.sender, {"said": "echo", "seconds": 1.5, "is_right": True})
    )
    process.start()
    await asyncio.to_thread(process.join)
    await read(tally)
    assert process.exitcode == 0
    assert taken == [{"said": "echo", "seconds": 1.5, "is_right": True}]


async def test_no_call_waits_for_a_worker_that_does_not_read_and_what_is_lost_is_told() -> None:
    tally, taken = new_tally()
    sent = 20_000
    for number in range(sent):
        tally.sender({"number": number})
    await read(tally, looks=100)
    kept = len(taken)
    assert 1000 < kept < sent
    assert taken == [{"number": number} for number in range(kept)]
    for number in (1, 2):
        tally.sender({"number": number})
    await read(tally)
    assert taken[kept:] == [{"number": 1, "lost": sent - kept}, {"number": 2}]


async def test_a_message_is_sent_in_one_piece_or_not_at_all() -> None:
    tally, taken = new_tally()
    fits = "x" * (LONGEST_BYTES - len('{"text":""}'))
    tally.sender({"text": fits + "x"})
    assert taken == []
    for _ in range(200):  # until a piece of one would be left over
        tally.sender({"text": fits})
    await read(tally)
    assert taken
    assert {str(each["text"]) for each in taken} == {fits}


async def test_the_loop_gets_its_turn_between_many_messages() -> None:
    tally, taken = new_tally()
    for number in range(250):
        tally.sender({"number": number})
    await read(tally)
    assert len(taken) < 250
    await read(tally, looks=4)
    assert len(taken) == 250


def test_no_call_minds_a_worker_that_is_gone() -> None:
    tally, _ = new_tally()
    sender = tally.sender
    del tally
    sender({"number": 1})
