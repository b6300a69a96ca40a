"""Nobody is left alone: an agent that dies is replaced, and a room without an agent gets one."""

import asyncio
import json
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from livekit import api

from agent.caller.conversation import greeting, take_turn
from agent.caller.transcript import words
from workbench.local.calling.corpus import synthesised
from workbench.local.calling.kept_sound import sides
from workbench.local.livekit_server import free_port
from workbench.local.redis_server import redis_server


def files_in(folder: Path, suffix: str) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix == suffix]


async def test_an_agent_that_is_killed_is_replaced_and_goes_on_where_it_was(
    places: Any, start_worker: Any, dial: Any, understand: Any, figure: Any, tmp_path: Path
) -> None:
    worker = await start_worker(
        AGENT_RECORD_DIR=str(tmp_path),
        AGENT_RECORD_AUDIO="true",
        AGENT_MAX_CALLS="6",
        AGENT_CALLS_PER_PROCESS="3",
    )
    caller = await dial(worker, '{"OPENAI_LLM_MODEL": "a-model-of-its-own"}')
    others = [await dial(worker) for _ in range(3)]
    greeted, _ = await greeting(caller, timeout_seconds=40)
    for each in others:
        await each.hear_reply(after_seconds=0, timeout_seconds=40)
    named = await take_turn(caller, synthesised("My name is Emma."), timeout_seconds=40)
    started = {each: await call_of(worker, each) for each in (caller, *others)}
    pids = {each: line["pid"] for each, line in started.items()}
    struck = [each for each in pids if pids[each] == pids[caller]]
    agents = {each: each.agent_identity for each in pids}
    psutil.Process(pids[caller]).kill()
    killed = {each: each.now_seconds for each in pids}
    backs = await asyncio.gather(*(back(each, agents[each], killed[each]) for each in struck))
    seconds = sorted(at - killed[each] for each, at in zip(struck, backs, strict=True))
    heard_after = ", ".join(f"{each:.1f}" for each in seconds)
    figure(f"process killed with {len(struck)} of 4 calls: heard again after {heard_after} s")
    assert [each for each in pids if each.agent_identity == agents[each]] == [
        each for each in pids if each not in struck
    ]
    first = await caller.hear_reply(after_seconds=killed[caller], timeout_seconds=40)
    assert "please go on" in words(await understand(caller.heard(first.start_seconds)))
    turn = await take_turn(caller, synthesised("What is my name?"), timeout_seconds=40)
    assert "emma" in words(turn.reply_text)
    bodies = [each["body"] for each in await places.stand_ins.received("openai/requests")]
    asked = [each for each in bodies if "what is my name" in json.dumps(each).lower()]
    assert {each["model"] for each in asked} == {"a-model-of-its-own"}
    await caller.hang_up()
    room = started[caller]["room_id"]
    recorded = [each for each in files_in(tmp_path, ".ogg") if each.name.startswith(room)]
    kept, kept_by_second = sorted(recorded, key=lambda path: len(path.name))
    said, heard = await asyncio.to_thread(sides, kept)  # its agent was killed
    first_words, answer = heard[0].start_seconds, heard[-1].start_seconds
    assert named.reply
    assert answer - first_words == pytest.approx(
        named.reply.start_seconds - greeted.start_seconds, abs=0.3
    )
    # The way to the agent and back lies between what the caller heard and what the agent did.
    assert 0 < answer - said[-1].end_seconds < named.reply.start_seconds - named.spoken.end_seconds
    assert len((await asyncio.to_thread(sides, kept_by_second))[1]) >= 2


async def call_of(worker: Any, caller: Any) -> dict[str, Any]:
    """The worker's log line that says in which process a caller's call has begun."""
    line = await worker.log_line('"call started"', f'"{caller.room_name}"')
    return dict(json.loads(line))


async def back(caller: Any, dead: str, killed_seconds: float) -> float:
    """When another agent than the dead one is heard."""
    await caller.another_agent(dead, timeout_seconds=40)
    first = await caller.hear_start(after_seconds=killed_seconds, timeout_seconds=40)
    return float(first.start_seconds)


async def test_a_caller_whom_nobody_was_sent_to_gets_an_agent(
    places: Any, start_worker: Any, dial: Any
) -> None:
    # The request is made while there is no worker of that name; LiveKit does not repeat it.
    caller = await dial(None)
    name = "too late"
    access = places.access
    async with api.LiveKitAPI(access.url, access.api_key, access.api_secret) as client:
        await client.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(room=caller.room_name, agent_name=name)
        )
    await start_worker(AGENT_NAME=name, AGENT_RESCUE_SECONDS="1")
    await greeting(caller, timeout_seconds=40)


async def test_a_process_waits_for_each_call_that_fits_and_none_is_started_while_a_call_begins(
    start_worker: Any, dial: Any
) -> None:
    worker = await start_worker(verb="start", AGENT_MAX_CALLS="3")
    ready = [line for line in worker.process.lines if '"process initialized"' in line]
    assert len(ready) == 3
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    assert [line for line in worker.process.lines if '"process initialized"' in line] == ready
    await caller.hang_up()
    await worker.process.wait_for_line(
        lambda line: '"process initialized"' in line and line not in ready, timeout_seconds=40
    )


async def test_twice_the_calls_that_fit_are_spread_and_the_others_told_and_taken_in_turn(
    start_worker: Any, dial: Any, figure: Any
) -> None:
    starting = (start_worker(verb="start", AGENT_MAX_CALLS="1") for _ in "ab")
    workers = await asyncio.gather(*starting)
    callers = await asyncio.gather(*(dial(workers[0]) for _ in range(4)))
    await asyncio.gather(*(each.attended(timeout_seconds=60) for each in callers))
    answered = [each for each in callers if each.agent_identity]
    assert len(answered) == 2
    greetings = await asyncio.gather(*(greeting(each, timeout_seconds=60) for each in answered))
    called = [reply.start_seconds for reply, _ in greetings]
    waited = [at - each.joined_seconds for at, each in zip(called, answered, strict=True)]
    figure(
        f"four calls, room for two: greeted {min(waited):.1f} to {max(waited):.1f} s after they "
        f"were in the room, {min(called):.1f} to {max(called):.1f} s after they set out"
    )
    for worker in workers:
        assert len([line for line in worker.process.lines if '"call started"' in line]) == 1
    await asyncio.gather(*(each.hang_up() for each in answered))
    others = [each for each in callers if each not in answered]
    await asyncio.gather(*(each.another_agent(None, timeout_seconds=60) for each in others))


async def test_who_finds_everybody_busy_is_told_and_answered_when_there_is_room(
    start_worker: Any, dial: Any, understand: Any, figure: Any
) -> None:
    port = free_port()
    worker = await start_worker(AGENT_MAX_CALLS="1", AGENT_METRICS_PORT=str(port))
    first, second = await dial(worker), await dial(worker)
    await greeting(first, timeout_seconds=30)
    await second.told_to_wait(timeout_seconds=40)
    told = await second.hear_reply(after_seconds=0, timeout_seconds=40)
    assert "everybody is busy" in words(await understand(second.heard(told.start_seconds)))
    assert second.agent_identity is None
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as page,
    ):
        assert "agent_callers_told_to_wait_total 1.0" in await page.text()
    figure(f"nobody free: told {told.start_seconds:.1f} s after joining")
    await first.hang_up()
    await second.another_agent(None, timeout_seconds=40)
    there = second.now_seconds
    reply = await second.hear_reply(after_seconds=there, timeout_seconds=40)
    assert "lighthouse" in words(await understand(second.heard(reply.start_seconds)))


async def test_a_worker_that_is_killed_with_its_calls_is_stood_in_for_by_another(
    start_worker: Any, dial: Any, understand: Any, figure: Any, tmp_path: Path
) -> None:
    """Each has a folder for records of its own; they share a Redis."""
    folders = [tmp_path / "one", tmp_path / "other"]
    async with redis_server(tmp_path / "redis", password="a-password-of-redis") as redis:
        told = {"AGENT_REDIS_URL": redis.url}
        first = await start_worker(AGENT_RECORD_DIR=str(folders[0]), **told)
        caller = await dial(first)
        await greeting(caller, timeout_seconds=40)
        await take_turn(caller, synthesised("My name is Emma."), timeout_seconds=40)
        dead = caller.agent_identity
        await start_worker(AGENT_RECORD_DIR=str(folders[1]), **told)
        first.process.signal_group(signal.SIGKILL)
        killed = caller.now_seconds
        await caller.another_agent(dead, timeout_seconds=40)
        back = await caller.hear_reply(after_seconds=killed, timeout_seconds=40)
        heard_after = f"heard again after {back.start_seconds - killed:.1f} s"
        figure(f"worker killed with its calls, other machine: {heard_after}")
        assert "please go on" in words(await understand(caller.heard(back.start_seconds)))
        await redis.kill()  # the call goes on without it
        turn = await take_turn(caller, synthesised("What is my name?"), timeout_seconds=40)
        assert "emma" in words(turn.reply_text)
    kept, goes_on = [files_in(each, ".jsonl")[0].read_text() for each in folders]
    assert goes_on.startswith(kept)
    assert "a-password-of-redis" not in "".join(first.process.lines)


async def test_a_worker_that_is_killed_and_started_again_takes_its_callers_back(
    start_worker: Any, dial: Any, understand: Any, figure: Any, tmp_path: Path
) -> None:
    told = {"AGENT_MAX_CALLS": "2", "AGENT_RECORD_DIR": str(tmp_path)}
    worker = await start_worker(verb="start", **told)
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    first = caller.agent_identity
    for program in psutil.Process(worker.process.pid).children():
        program.kill()  # its first process alone, as a supervisor sees it die
    killed = caller.now_seconds
    await start_worker(verb="start", **told)
    started = caller.now_seconds
    await caller.another_agent(first, timeout_seconds=40)
    back = await caller.hear_reply(after_seconds=killed, timeout_seconds=40)
    figure(
        f"the only worker killed: another registered after {started - killed:.1f} s, its caller "
        f"heard an agent again {back.start_seconds - started:.1f} s later"
    )
    assert "please go on" in words(await understand(caller.heard(back.start_seconds)))


async def test_a_worker_that_cannot_start_processes_takes_no_call_and_tells_callers(
    start_worker: Any, dial: Any
) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        worker = await start_worker(TMPDIR=folder, AGENT_MAX_CALLS="1")
        first = await dial(worker)
        await greeting(first, timeout_seconds=40)
        shutil.rmtree(folder)  # as cleaners of /tmp do
        await first.hang_up()
        await worker.log_line("job processes cannot be started", timeout_seconds=40)
        second = await dial(worker)
        await second.told_to_wait(timeout_seconds=40)
        assert second.agent_identity is None


async def test_a_caller_for_whom_no_session_is_left_is_told_that_nobody_is_free(
    start_worker: Any, dial: Any
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        worker = await start_worker(TMPDIR=folder, ASSEMBLYAI_NEW_SESSIONS_PER_MINUTE="1")
        first = await dial(worker)
        await greeting(first, timeout_seconds=40)
        second = await dial(worker)
        await second.told_to_wait(timeout_seconds=40)
        assert second.agent_identity is None
        assert first.agent_identity is not None
