"""Simulated calls: sessions as the worker holds them, without a room."""

import asyncio
import logging
import os
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from agent.assistant import Assistant
from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools, change_patience_tool, end_call_tool
from agent.call.output.canned_prompts import SAMPLE_RATE, CannedPrompt
from agent.call.session import SessionParts, build_parts, build_session, prepare_parts
from agent.call.session_events import subscribe
from agent.call.turns.turn_taking import TurnTaking
from agent.capacity.line import RATE, Codec, Input, Output, Samples
from agent.capacity.one_turn import CYCLE_MS, SPOKEN_MS
from agent.loop_lag import Lag, LoopTimer
from agent.worker.garbage import set_aside
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Told:
    """What one process reports of a second; times in seconds."""

    lag: Lag
    replies: tuple[float, ...]
    """From the end of a caller's voice to the first sound of the reply."""


def hold_calls(settings: Settings, count: int, pipe: Connection) -> None:
    """A process: hold this many calls, and report each second, until the pipe closes."""
    logging.disable(logging.CRITICAL)
    parts = prepare_parts(settings)
    set_aside()
    asyncio.run(_hold(parts, count, pipe))


async def _hold(parts: SessionParts, count: int, pipe: Connection) -> None:
    voice = await spoken()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    calls = [_Call(parts, voice) for _ in range(count)]

    def tell(lag: Lag) -> None:
        try:
            pipe.send(Told(lag, tuple(wait for each in calls for wait in each.new_waits())))
        except OSError:  # the pipe is closed
            over.set()

    loop.add_reader(pipe.fileno(), over.set)
    for number, each in enumerate(calls):
        await asyncio.sleep(CYCLE_MS / 1000 / count if number else 0)
        await each.begin()
    LoopTimer(tell)
    await over.wait()
    os._exit(0)  # closing it all would take seconds


class _Call:
    def __init__(self, parts: SessionParts, voice: Samples) -> None:
        self._parts = build_parts(parts.settings, parts.clients, parts.vad, parts.end_of_turn)
        self._voice = voice
        self._output = Output()
        self._known = 0
        self._input: Input | None = None

    async def begin(self) -> None:
        """Start the session; its caller begins to speak at once."""
        parts = self._parts
        self._session = session = build_session(parts)
        turn_taking = TurnTaking(parts.settings, parts.assemblyai, session)
        tools = CallTools(
            session,
            change_patience_tool(turn_taking),
            end_call_tool(parts.settings.agent.goodbye, lambda: None),
        )
        agents = CallAgents(session, turn_taking, tools, "")
        subscribe(session, parts.assemblyai, turn_taking, agents, tools.limits)
        self._input = Input(self._voice, CYCLE_MS / 1000, Codec())
        session.input.audio = self._input
        session.output.audio = self._output
        assistant = Assistant(parts.settings.prompt, {})
        await session.start(assistant, record=False)

    def new_waits(self) -> list[float]:
        """How long the replies took that have begun since the last look."""
        replies = self._output.replies[self._known :]
        self._known += len(replies)
        return self._input.waits(replies) if self._input else []


async def spoken() -> Samples:
    """A voice for the callers: the beginning of a recorded prompt, at `line.RATE`."""
    frames = CannedPrompt.APOLOGY.recorded("en").frames()
    sound = b"".join([bytes(each.data) async for each in frames])
    samples = np.frombuffer(sound, np.int16)
    wanted = round(RATE * SPOKEN_MS / 1000)
    places = np.arange(wanted) * (SAMPLE_RATE / RATE)
    voice: Samples = np.interp(places, np.arange(samples.size), samples).astype(np.int16)
    return voice
