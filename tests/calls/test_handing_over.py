"""A worker that is told to stop gives its calls to another one, and no caller hears anything."""

import asyncio
from typing import Any

from agent.caller.conversation import agent_words, greeting, take_turn
from agent.caller.transcript import words
from workbench.local.calling.corpus import synthesised

CUT_OFF = "cut off"


async def test_a_call_goes_to_another_worker_in_mid_conversation_and_nobody_is_cut_off(
    start_worker: Any, dial: Any, figure: Any
) -> None:
    settings = {"AGENT_HAND_OVER_SECONDS": "60", "AGENT_MAX_CALLS": "1"}
    old = await start_worker(verb="start", **settings)
    caller = await dial(old)
    starting = asyncio.create_task(start_worker(verb="start", **settings))
    await greeting(caller, timeout_seconds=40)
    await take_turn(caller, synthesised("My name is Emma."), timeout_seconds=40)
    await starting
    first, asked = caller.agent_identity, synthesised("What is seven plus five?")
    spoken = await caller.say(asked.samples)
    old.terminate()  # while the caller waits for the answer
    told = caller.now_seconds
    reply = await caller.hear_reply(after_seconds=spoken.end_seconds, timeout_seconds=40)
    assert await old.process.wait(timeout_seconds=40) == 0
    gone = caller.now_seconds - told
    assert caller.agent_identity not in (None, first)
    figure(f"hand-over: the old worker was gone {gone:.1f} s after SIGTERM, the answer included")
    before = [each.text for each in caller.transcript.segments]
    assert len([each for each in before if "twelve" in words(each)]) == 1
    turn = await take_turn(caller, synthesised("What is my name?"), timeout_seconds=40)
    assert "emma" in words(turn.reply_text)
    assert not [each for each in caller.transcript.segments if CUT_OFF in words(each.text)]
    assert reply.start_seconds - spoken.end_seconds < 10
    await caller.hang_up()


async def test_a_call_that_nobody_can_take_stays_until_its_end(
    start_worker: Any, dial: Any
) -> None:
    worker = await start_worker(verb="start", AGENT_HAND_OVER_SECONDS="3", AGENT_MAX_CALLS="1")
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    first = caller.agent_identity
    worker.terminate()
    await worker.log_line("the call stays here until its end", timeout_seconds=40)
    turn = await take_turn(caller, synthesised("What is seven plus five?"), timeout_seconds=40)
    assert "twelve" in words(turn.reply_text)
    assert agent_words(caller, since_seconds=0.0)
    assert caller.agent_identity == first
    await caller.hang_up()
    assert await worker.process.wait(timeout_seconds=40) == 0
