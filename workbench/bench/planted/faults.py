"""What goes wrong in each call: settings for its worker, and what happens in its faulty turn."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np

from agent.caller.caller import Caller
from agent.caller.conversation import take_turn
from agent.caller.microphone import SAMPLE_RATE
from workbench.bench.talk.stimuli import recorded_noises
from workbench.local.calling.corpus import dickens, synthesised
from workbench.local.standins_process import StandIns

ANSWER_SECONDS = 40.0
LONG = 5
"""The sentence of the corpus that the agent repeats: long enough to speak over it."""
_DELAY_MS = 2600
_STEP_SECONDS = 0.1
_ECHO_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Scene:
    """A call in progress, and what can be broken in it."""

    caller: Caller
    stand_ins: StandIns

    async def ask(self, question: str) -> None:
        """Say something, and hear the answer out, if there is one."""
        await take_turn(self.caller, synthesised(question), timeout_seconds=ANSWER_SECONDS)

    async def talk_long(self) -> None:
        """Say something that the agent repeats at length."""
        await take_turn(self.caller, dickens()[LONG], timeout_seconds=ANSWER_SECONDS)

    async def control(self, path: str, told: Any = None) -> None:
        """Tell the stand-ins what is to go wrong."""
        async with (
            aiohttp.ClientSession(self.stand_ins.control_url) as client,
            client.post(path, json=told) as answer,
        ):
            answer.raise_for_status()


Act = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault: where it lies, and how it is planted."""

    cause: str
    """What a reader is to find."""
    act: Act
    settings: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    """Options for stand-ins of its own."""
    needs: str = ""
    """What else has to run: `tool`, `full`; empty: nothing."""


async def slow_model(scene: Scene) -> None:
    await scene.control("/openai/faults", [{"endpoint": "chat", "delay_ms": _DELAY_MS}])
    await scene.ask("What is two plus two?")


async def slow_voice(scene: Scene) -> None:
    await scene.control(
        "/openai/faults", [{"endpoint": "speech", "delay_ms": _DELAY_MS, "times": 2}]
    )
    await scene.ask("What is two plus two?")


async def limited_rate(scene: Scene) -> None:
    fault = {"endpoint": "chat", "status": 429, "headers": {"Retry-After": "2"}, "times": 2}
    await scene.control("/openai/faults", [fault])
    await scene.ask("What is two plus two?")


async def lost_socket(scene: Scene) -> None:
    async def drop() -> None:
        await asyncio.sleep(1.0)
        await scene.control("/assemblyai/refuse")
        await scene.control("/assemblyai/sessions/-1/drop")
        await asyncio.sleep(2.0)
        await scene.control("/assemblyai/accept")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drop())
        await scene.ask("Please tell me, what is two plus two?")


async def noise(scene: Scene) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(scene.talk_long())
        await _agent_speaks(scene.caller)
        await asyncio.sleep(0.8)
        await scene.caller.say(recorded_noises()["baby_crying"][: int(1.2 * SAMPLE_RATE)])


async def echo(scene: Scene) -> None:
    async def send_back() -> None:
        caller = scene.caller
        while True:
            ends = caller.now_seconds - _ECHO_SECONDS + _STEP_SECONDS
            heard = caller.heard(ends - _STEP_SECONDS, ends)
            quieter = (heard.astype(np.float32) * 0.6).astype(np.int16)
            await caller.say(quieter[: int(_STEP_SECONDS * SAMPLE_RATE)])

    returning = asyncio.create_task(send_back())
    try:
        await scene.talk_long()
        await asyncio.sleep(4)
    finally:
        returning.cancel()
        await asyncio.wait([returning])


async def cut_dictation(scene: Scene) -> None:
    await scene.ask("Say after me: what is your phone number?")
    await scene.caller.say(synthesised("Five five five.").samples)
    await _agent_speaks(scene.caller)
    await asyncio.sleep(0.5)
    await scene.ask("One two three, four six.")


async def ask_for_a_tool(scene: Scene) -> None:
    await scene.ask("What is the order status of number four?")


async def ask(scene: Scene) -> None:
    await scene.ask("What is two plus two?")


async def _agent_speaks(caller: Caller) -> None:
    """Return when the agent begins to say something new."""
    before = len(caller.heard_spans)
    await caller.until(
        lambda: len(caller.heard_spans) > before,
        timeout_seconds=ANSWER_SECONDS,
        what="the agent began to speak",
    )


FAULTS = (
    Planted("the language model's first token was slow", slow_model),
    Planted("the voice's (TTS) first byte was slow", slow_voice),
    Planted("the connection to AssemblyAI was lost", lost_socket),
    Planted("a noise was taken for a barge-in", noise, {"AGENT_BARGE_IN": "eager"}),
    Planted(
        "the formatted text (twin) came late",
        ask,
        {"ASSEMBLYAI_WAIT_FOR_FORMATTED_MS": "0"},
        ("--twin-delay-ms", "2600"),
    ),
    Planted("the caller's dictation was cut off", cut_dictation),
    Planted("a tool hung", ask_for_a_tool, {"AGENT_TOOL_TIMEOUT_SECONDS": "6"}, needs="tool"),
    Planted("the language model limited the rate", limited_rate),
    Planted("the caller's line sent the agent's voice back (echo)", echo),
    Planted("the worker was full", ask, {"AGENT_MAX_CALLS": "1"}, needs="full"),
)
