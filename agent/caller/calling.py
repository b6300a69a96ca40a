"""Holds a call: joins, hears the greeting, says one thing after the other, hears each answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Never

from livekit import rtc

from agent.caller import report
from agent.caller.access import Access
from agent.caller.caller import CallEndedError, Caller
from agent.caller.conversation import greeting, take_turn, take_typed_turn
from agent.caller.outcome import Call, Greeting
from agent.caller.transcript import Segment
from agent.caller.utterance import Utterance
from agent.caller.waiting import WaitedTooLongError
from agent.tasks import OwnedTask

CONNECT_SECONDS = 15.0
AGENT_SECONDS = 20.0
GREETING_SECONDS = 15.0
ANSWER_SECONDS = 30.0
"""How long a caller waits for each; an agent that greets nobody is spoken to all the same."""
LONGEST_PAUSE_SECONDS = 3600.0
"""For somebody who types."""


class NotConnectedError(Exception):
    """LiveKit cannot be reached, or does not let the caller in."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to call, and how."""

    access: Access
    room: str
    agent_name: str = ""
    """Asked for; empty: an agent without a name comes by itself."""
    metadata: str = ""
    """The call's own settings, as JSON (docs/per-call.md)."""
    typed: bool = False
    """Converse in writing: without a microphone."""


async def hold(
    plan: Plan,
    sayings: AsyncIterator[Utterance],
    show: Callable[[str], None],
    keep: Callable[[Caller], None] = lambda _: None,
) -> Call:
    """Hold the call until there is nothing left to say, or something goes wrong.

    `show` gets each line as it becomes known, `keep` the caller before it hangs up, whatever
    happened. Raises NotConnectedError.
    """
    source = None if plan.typed else rtc.TrackSource.SOURCE_MICROPHONE
    joining = Caller.join(
        plan.access, plan.room, "caller", plan.agent_name, metadata=plan.metadata, source=source
    )
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                caller = await stack.enter_async_context(joining)
        except (rtc.ConnectError, TimeoutError):
            raise NotConnectedError from None
        call = Call(plan.room)
        try:
            await _converse(caller, call, sayings, show)
        except (WaitedTooLongError, CallEndedError) as error:
            call.trouble = str(error)
        finally:
            keep(caller)
        return call


async def _converse(
    caller: Caller, call: Call, sayings: AsyncIterator[Utterance], show: Callable[[str], None]
) -> None:
    await caller.attended(timeout_seconds=AGENT_SECONDS)
    if caller.agent_identity is None:
        call.trouble = "nobody is free"
        return
    call.agent = caller.agent_identity
    try:
        reply, text = await greeting(caller, timeout_seconds=GREETING_SECONDS)
    except WaitedTooLongError:
        pass
    else:
        call.greeting = Greeting(text, reply.start_seconds - caller.joined_seconds)
        show(report.greeting(call.greeting))
    while utterance := await _next(caller, sayings, show):
        take = take_turn if utterance.samples.size else take_typed_turn
        turn = await take(caller, utterance, timeout_seconds=ANSWER_SECONDS)
        call.turns.append(turn)
        for line in report.turn(turn):
            show(line)
        if turn.fault:
            return


async def _next(
    caller: Caller, sayings: AsyncIterator[Utterance], show: Callable[[str], None]
) -> Utterance | None:
    """What is said next; None if nothing is left.

    Somebody who types may take their time: what the agent says meanwhile is shown. Raises
    CallEndedError if the call ends before it is known.
    """
    async with (
        OwnedTask(_from(sayings), name="what is said next", is_watched=True) as saying,
        OwnedTask(_overhear(caller, show), name="what the agent says", is_watched=True) as hearing,
    ):
        tasks = {saying.task, hearing.task}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return hearing.task.result() if saying.task.cancelled() else saying.task.result()


async def _from(sayings: AsyncIterator[Utterance]) -> Utterance | None:
    return await anext(sayings, None)


async def _overhear(caller: Caller, show: Callable[[str], None]) -> Never:
    """Show each of the agent's sentences from now on. Raises CallEndedError at the call's end."""
    since_seconds, shown = caller.now_seconds, set[str]()

    def unshown() -> Segment | None:
        segments = (each for each in caller.transcript.segments if each.final)
        own = (each for each in segments if each.speaker == caller.agent_identity)
        new = (each for each in own if each.opened_seconds >= since_seconds)
        return next((each for each in new if each.segment_id not in shown), None)

    while True:
        segment = await caller.until(
            unshown, timeout_seconds=LONGEST_PAUSE_SECONDS, what="anybody said anything"
        )
        shown.add(segment.segment_id)
        show(report.line("agent", segment.text))
