"""What goes wrong, and which alert has to fire. Each fault lasts until it is cancelled."""

import asyncio
import itertools
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from agent.caller.caller import CallEndedError, Caller
from agent.caller.conversation import greeting, take_turn
from agent.caller.utterance import Utterance
from agent.caller.waiting import WaitedTooLongError
from workbench.bench.chaos.faults import control
from workbench.bench.chaos.fleet import AGENT_NAME, Fleet
from workbench.local.calling.corpus import synthesised, with_pause

QUESTION = "What is seven plus five?"
ANSWER_SECONDS = 25.0
GREETING_SECONDS = 30.0
MANY = 10_000
SLOW_MS = 4000
PAUSE_SECONDS = 0.5
CALLERS = 2

_NUMBERS = itertools.count(1)


async def kill_an_agent(fleet: Fleet) -> None:
    """The process of a call dies."""
    async with AsyncExitStack() as stack:
        caller = await _join(fleet, stack)
        await greeting(caller, timeout_seconds=GREETING_SECONDS)
        for job in fleet.jobs():
            with suppress(ProcessLookupError):
                os.kill(job, signal.SIGKILL)
        await asyncio.Event().wait()


async def slow_the_model(fleet: Fleet) -> None:
    """Each answer of the language model is four seconds late."""
    await control(
        fleet, "/openai/faults", [{"endpoint": "chat", "times": MANY, "delay_ms": SLOW_MS}]
    )
    await _ask_again(fleet, synthesised(QUESTION))


async def break_the_model(fleet: Fleet) -> None:
    """The language model answers nothing but errors."""
    await control(fleet, "/openai/faults", [{"endpoint": "chat", "times": MANY, "status": 503}])
    await _ask_again(fleet, synthesised(QUESTION))


async def hesitate(fleet: Fleet) -> None:
    """Callers pause where a turn could be over, and go on."""
    first, second = synthesised(QUESTION), synthesised("What is two plus two?")
    await _ask_again(fleet, with_pause(first, second, PAUSE_SECONDS))


async def fill_all_places(fleet: Fleet) -> None:
    """Callers take all places, and say nothing."""
    await _fill(fleet, more=0)


async def one_caller_too_many(fleet: Fleet) -> None:
    """The same, and one more calls."""
    await _fill(fleet, more=1)


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault, and its alert."""

    alert: str
    fault: Callable[[Fleet], Awaitable[None]]

    @property
    def name(self) -> str:
        """The fault's name, in words."""
        return self.fault.__name__.replace("_", " ")


PLANTED: Sequence[Planted] = (
    Planted("AgentReplaced", kill_an_agent),
    Planted("AgentRepliesWasted", hesitate),
    Planted("AgentReplyTime", slow_the_model),
    Planted("AgentProviderFailing", break_the_model),
    Planted("AgentFull", fill_all_places),
    Planted("AgentCallersWaiting", one_caller_too_many),
)
"""In this order no fault makes the alert of a later one fire."""

PLACES = 2
"""Of each worker."""


async def _join(fleet: Fleet, stack: AsyncExitStack) -> Caller:
    room = f"call {next(_NUMBERS)}"
    joining = Caller.join(fleet.ground.access, room, f"caller of {room}", AGENT_NAME)
    return await stack.enter_async_context(joining)


async def _ask_again(fleet: Fleet, said: Utterance) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(_call_again(fleet, said))


async def _call_again(fleet: Fleet, said: Utterance) -> None:
    """Call, say this once, hear the answer out or the apology, hang up; again."""
    while True:
        async with AsyncExitStack() as stack:
            with suppress(WaitedTooLongError, CallEndedError):
                caller = await _join(fleet, stack)
                await greeting(caller, timeout_seconds=GREETING_SECONDS)
                await take_turn(caller, said, timeout_seconds=ANSWER_SECONDS)


async def _fill(fleet: Fleet, *, more: int) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(PLACES * len(fleet.workers)):
            caller = await _join(fleet, stack)
            await caller.another_agent(None, timeout_seconds=GREETING_SECONDS)
        for _ in range(more):
            await _join(fleet, stack)
        await asyncio.Event().wait()
