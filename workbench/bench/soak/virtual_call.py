"""A call without sockets, a room or a clock that waits: the session, the speech stream, the voice
detector and the clients of the model and the voice are the product's.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import io

from agent.assistant import Assistant
from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools, change_patience_tool, end_call_tool
from agent.call.providers import Clients
from agent.call.session import SessionParts, build_parts, build_session, prepare_parts
from agent.call.session_events import subscribe
from agent.call.turn_record.recorder import CallRecorder
from agent.call.turns.turn_taking import TurnTaking
from agent.capacity.one_turn import ANSWERED, CYCLE_MS, SPOKEN_MS, Hearing
from agent.capacity.trial import settings_for
from workbench.bench.misbehaviour.audio_output import NotedAudioOutput
from workbench.bench.misbehaviour.network import Asked, Network, Reply
from workbench.bench.misbehaviour.replies import answer, pcm, sound

__all__ = ["a_call", "parts_without_network"]

_RATE, _FRAME = 16_000, 800
_ANSWER = " ".join(ANSWERED)
_ANSWER_SOUND = pcm(2.0)


class Peer:
    """AssemblyAI at the other end of a connection that is none: it hears the turn of a cycle."""

    def __init__(self) -> None:
        self._hearing = Hearing()
        self._inbox: asyncio.Queue[str] = asyncio.Queue()
        self.ahead_seconds = None
        self._say({"type": "Begin", "id": "virtual", "expires_at": None})

    @property
    def alive_at(self) -> float:
        return asyncio.get_running_loop().time()

    def send_nowait(self, frame: str | bytes) -> bool:
        if isinstance(frame, bytes):
            for message in self._hearing.hear(frame):
                self._say(message)
        elif "Terminate" in frame:
            self._say({"type": "Termination", "session_duration_seconds": 1})
        return True

    async def send(self, frame: str | bytes) -> None:
        self.send_nowait(frame)

    async def receive(self) -> str:
        return await self._inbox.get()

    async def close(self) -> None: ...

    def _say(self, message: dict[str, Any]) -> None:
        self._inbox.put_nowait(json.dumps(message))


class Caller(io.AudioInput):
    """Says the same once in a cycle, in frames of 50 ms, by the event loop's clock."""

    def __init__(self) -> None:
        super().__init__(label="caller")
        voice = np.random.default_rng(0).normal(scale=3000, size=SPOKEN_MS * _RATE // 1000)
        self._cycle = np.zeros(CYCLE_MS * _RATE // 1000, np.int16)
        self._cycle[: voice.size] = voice
        self._position = 0
        self._began_at = asyncio.get_running_loop().time()

    async def __anext__(self) -> rtc.AudioFrame:
        self._position += _FRAME
        loop = asyncio.get_running_loop()
        due = self._began_at + self._position / _RATE
        await asyncio.sleep(max(0.0, due - loop.time()))
        at = (self._position - _FRAME) % self._cycle.size
        return rtc.AudioFrame(self._cycle[at : at + _FRAME].tobytes(), _RATE, 1, _FRAME)


def parts_without_network() -> SessionParts:
    """All that calls of one process share, with providers that need no socket."""
    settings = settings_for(1)
    loaded = prepare_parts(settings)
    network = Network(_reply)
    network.requests = _Forgetful()
    clients = Clients.of(settings.openai, network.pool)
    return build_parts(settings, clients, loaded.vad, loaded.end_of_turn)


class _Forgetful(list[Asked]):
    """Keeps no request: what grows here shall be the product's."""

    def append(self, _: Asked) -> None: ...


def _reply(asked: Asked) -> Reply:
    return answer(_ANSWER) if asked.path.endswith("completions") else sound(_ANSWER_SOUND)


@asynccontextmanager
async def a_call(shared: SessionParts) -> AsyncIterator[AgentSession[None]]:
    """A session whose caller speaks at once; closed on the way out."""
    parts = shared.again()

    @asynccontextmanager
    async def connect(_: str, **__: Any) -> AsyncIterator[Peer]:
        yield Peer()

    parts.assemblyai._connector = connect  # type: ignore[assignment] # in place of a network
    session = build_session(parts)
    taking = TurnTaking(parts.settings, parts.assemblyai, session)
    recorder = CallRecorder([lambda _: None])
    tools = CallTools(
        session,
        change_patience_tool(taking),
        end_call_tool(parts.settings.agent.goodbye, lambda: None),
    )
    agents = CallAgents(session, taking, tools, "", recorder=recorder)
    subscribe(session, parts.assemblyai, recorder, taking, agents, tools.limits)
    recorder.begin()
    session.input.audio, session.output.audio = Caller(), NotedAudioOutput()
    await session.start(Assistant(parts.settings.prompt, {}), record=False)
    try:
        yield session
    finally:
        await session.aclose()
