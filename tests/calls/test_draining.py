"""How a worker stops: no new calls, running ones finish, and who is in a hurry says sorry."""

import signal
from typing import Any

import psutil

from agent.caller.conversation import greeting, take_turn
from agent.caller.transcript import words
from workbench.local.calling.corpus import synthesised


async def test_a_worker_that_is_told_to_stop_finishes_its_call_and_takes_no_other(
    start_worker: Any, dial: Any
) -> None:
    worker = await start_worker(verb="start", AGENT_MAX_CALLS="2")
    first = await dial(worker)
    await greeting(first, timeout_seconds=40)
    # As systemd, supervisord and `timeout` do it: to all processes of the worker.
    worker.process.signal_group(signal.SIGTERM)
    await worker.log_line("draining worker")
    second = await dial(worker)
    await second.told_to_wait(timeout_seconds=40)
    turn = await take_turn(first, synthesised("What is seven plus five?"), timeout_seconds=40)
    assert "twelve" in words(turn.reply_text)
    await first.hang_up()
    assert await worker.process.wait(timeout_seconds=40) == 0
    assert second.agent_identity is None


async def test_a_worker_in_a_hurry_apologises_in_its_calls(
    start_worker: Any, dial: Any, understand: Any
) -> None:
    worker = await start_worker(verb="start", AGENT_MAX_CALLS="2")
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    worker.terminate()
    await worker.log_line("draining worker")
    await worker.hurry()
    await caller.agent_gone(timeout_seconds=60)
    assert "something on our side has failed" in words(await understand(caller.heard()))
    assert await worker.process.wait(timeout_seconds=40) == 0


async def test_a_closed_terminal_drains_and_a_call_that_outlasts_it_ends_with_an_apology(
    start_worker: Any, dial: Any, understand: Any
) -> None:
    worker = await start_worker(verb="start", AGENT_MAX_CALLS="2", AGENT_DRAIN_SECONDS="1")
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    family = psutil.Process(worker.process.pid).children(recursive=True)
    worker.process.signal_group(signal.SIGHUP)
    await caller.agent_gone(timeout_seconds=60)
    assert "something on our side has failed" in words(await understand(caller.heard()))
    assert await worker.process.wait(timeout_seconds=40) == 0
    assert [each for each in worker.process.lines if "Traceback" in each] == []
    _, left = psutil.wait_procs(family, timeout=5)
    assert left == []
