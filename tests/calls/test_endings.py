"""How calls end, and what is left afterwards: nothing."""

import asyncio
import json
import signal
import time
from collections.abc import Iterable
from typing import Any

import psutil

from agent.caller.conversation import greeting
from workbench.local.calling.corpus import dickens


async def survivors(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended within 10 s; what is dead and merely not reaped has."""

    def look() -> list[psutil.Process]:
        running = [each for each in processes if each.is_running()]
        alive = [each for each in running if each.status() != psutil.STATUS_ZOMBIE]
        return list(psutil.wait_procs(alive, 10)[1])

    return await asyncio.to_thread(look)


async def out_of_its_room(job: psutil.Process) -> None:
    """Return once a process, which may go on with other calls, has no connection to any room."""
    async with asyncio.timeout(10):
        while job.is_running() and job.net_connections("udp"):  # noqa: ASYNC110  nothing tells
            await asyncio.sleep(0.05)


async def job_process(worker: Any, room: str) -> psutil.Process:
    line = json.loads(await worker.log_line('"call started"', f'"{room}"'))
    return psutil.Process(line["pid"])


async def test_the_job_ends_when_the_caller_hangs_up_in_mid_word(
    worker: Any, dial: Any, figure: Any
) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    job = await job_process(worker, caller.room_name)
    speaking = asyncio.create_task(caller.say(dickens()[0].samples))
    await caller.until(
        lambda: caller.transcript.said_by(caller.identity),
        timeout_seconds=40,
        what="the first words were understood",
    )
    assert not speaking.done()
    hung_up = time.monotonic()
    await caller.hang_up()
    speaking.cancel()
    await out_of_its_room(job)
    figure(f"hang-up to the agent's last connection to its room {time.monotonic() - hung_up:.2f} s")
    await worker.log_line('"call ended"', f'"{caller.room_name}"', "the caller left")


async def test_nothing_is_left_of_a_worker_that_is_interrupted_in_a_call(
    start_worker: Any, dial: Any
) -> None:
    worker = await start_worker()
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=30)
    family = psutil.Process(worker.process.pid).children(recursive=True)
    worker.process.signal_group(signal.SIGINT)
    assert await worker.process.wait(timeout_seconds=40) == 0
    assert len(family) > 2  # the worker, and at least one job besides
    assert await survivors(family) == []
    await caller.agent_gone(timeout_seconds=40)


async def test_a_wrong_speech_recognition_key_is_logged_in_the_servers_words(
    start_worker: Any, dial: Any
) -> None:
    worker = await start_worker(ASSEMBLYAI_API_KEY="mistyped")
    caller = await dial(worker)
    line = await worker.log_line("Unauthorized Connection: Invalid API key", timeout_seconds=40)
    assert "mistyped" not in line
    await worker.log_line('"call ended"', f'"{caller.room_name}"', timeout_seconds=40)
    # On a busy machine LiveKit reports, with a stack, that the loop stood still.
    stacks = [each for each in worker.process.lines if '"stack"' in each]
    assert [each for each in stacks if "event loop" not in each] == []
