"""Whatever a stream was about when it ended, nothing of it stays: no task, no socket, no thread."""

import asyncio
import contextlib
import threading
from typing import Any

import psutil  # type: ignore[import-untyped] # it has no stubs
import pytest
from livekit import rtc
from livekit.agents import APIError

from stt_assemblyai.stt import STT, SpeechStream
from workbench.standins.assemblyai_v3.knobs import Fault, Knobs
from workbench.standins.assemblyai_v3.scripted import ScriptedWord
from workbench.standins.assemblyai_v3.server import LOCAL_KEY, AssemblyAIStandIn

RATE = 16000
KNOBS = Knobs(begin_delay_ms=0, throttle=None, format_twin_delay_ms=10, termination_delay_ms=5)
LONG_TURN = [ScriptedWord(f"word{n}", 200 + 300 * n, 450 + 300 * n, 0.1) for n in range(99)]

FAULTS: dict[str, tuple[Fault, ...]] = {
    "connecting": (Fault(upgrade_delay_ms=60_000),),
    "waiting for Begin": (Fault(never_begin=True),),
    "between attempts": (Fault(http_status=503),) * 99,
    "in a turn": (),
    "replaying": (Fault(drop_at_ms=500), Fault(begin_delay_ms=100)),
    "half open": (Fault(half_open_at_ms=300),),
    "refused": (Fault(reject=(1008, "Unauthorized Connection: Invalid API key")),),
    "rolling over": (Fault(session_cap_seconds=2),) * 9,
    "never terminated": (Fault(never_terminate=True),),
}


def footprint() -> tuple[set[asyncio.Task[Any]], set[threading.Thread], set[int]]:
    sockets = {found.fd for found in psutil.Process().net_connections(kind="inet")}
    return asyncio.all_tasks(), set(threading.enumerate()), sockets


async def listen(stream: SpeechStream) -> None:
    with contextlib.suppress(APIError):
        async with stream:
            async for _ in stream:
                pass


async def speak(stream: SpeechStream, seconds: float) -> None:
    """As a microphone does, until the stream is in its state."""
    samples = RATE // 20
    for _ in range(round(seconds * 20)):
        with contextlib.suppress(RuntimeError):  # it was refused, and is over
            stream.push_frame(rtc.AudioFrame(bytes(2 * samples), RATE, 1, samples))
        await asyncio.sleep(0.05)


async def leave(stream: SpeechStream, way: str) -> None:
    listening = asyncio.create_task(listen(stream))
    await asyncio.sleep(0)
    match way:
        case "closed":
            await stream.aclose()
        case "cancelled":
            listening.cancel()
        case "input ended":
            with contextlib.suppress(RuntimeError):
                stream.end_input()
            await asyncio.wait([listening], timeout=0.5)
            await stream.aclose()
    await asyncio.wait([listening])


async def use(state: str, way: str) -> None:
    async with AssemblyAIStandIn(
        scripts=[LONG_TURN] * 9, faults=FAULTS[state], knobs=KNOBS
    ) as stand_in:
        speech = STT(
            api_key=LOCAL_KEY,
            base_url=stand_in.url,
            termination_timeout_seconds=0.3,
            roll_over_seconds=1.5,
        )
        stream = speech.stream()
        await speak(stream, 1.5 if state == "rolling over" else 0.6)
        assert stand_in.sessions
        await leave(stream, way)


@pytest.mark.parametrize("state", FAULTS)
async def test_nothing_stays_of_a_stream(state: str) -> None:
    """However it ended: closed, cancelled, or by the end of its input."""
    before = footprint()
    await asyncio.gather(*(use(state, way) for way in ("closed", "cancelled", "input ended")))
    tasks, threads, sockets = footprint()
    assert {task for task in tasks - before[0] if not task.done()} == set()
    assert threads <= before[1]
    assert sockets <= before[2]
