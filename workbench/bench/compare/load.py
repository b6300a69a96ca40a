"""Many streams of one client at once, and what they cost this process."""

import asyncio
import cProfile
import gc
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
from livekit import rtc

from workbench.bench.compare.clients import Client
from workbench.bench.compare.floor import BareSocket, Listener
from workbench.bench.compare.spoken import say, sentences
from workbench.local.standins_process import StandIns, stand_ins

__all__ = ["Bench", "Cost", "Load", "scripted_stand_in"]

_FRAME_MS = 50  # as LiveKit's room input cuts them
_CLOSING_SECONDS = 10.0
_OPENING_SECONDS = 3.0
_PARAMETERS = {"model": "universal-streaming-english", "format_turns": True, "sample_rate": 16_000}


@dataclass(frozen=True, slots=True)
class Load:
    """What is heard at once: how many streams, for how long (over 3 s), of which input."""

    streams: int
    seconds: float
    input_rate: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What one stream costs this process."""

    second_ms: float
    """Processor time for a second of audio, once the stream is open."""
    held_kb: float
    """Memory, at the end."""


class Bench:
    """Runs loads against a stand-in that is already there."""

    def __init__(self, stand_ins: StandIns, http: aiohttp.ClientSession) -> None:
        self._stand_ins = stand_ins
        self._http = http

    async def hear(
        self,
        make: Callable[[], Listener] | None,
        load: Load,
        profiler: cProfile.Profile | None = None,
    ) -> Cost:
        """Open the streams, and feed them in real time.

        Without streams the frames go nowhere: the cost of the feeder. What is measured, and
        profiled, begins when all are open and have caught up with the audio meanwhile.
        """
        await self._prepare(load)
        streams = [make() for _ in range(load.streams)] if make else []
        listening = [asyncio.create_task(_listen(stream)) for stream in streams]
        samples = load.input_rate * _FRAME_MS // 1000
        frame = rtc.AudioFrame(bytes(2 * samples), load.input_rate, 1, samples)
        _settle_memory()
        held_before = _held_kb()
        feeding = asyncio.gather(
            *(
                _feed(streams[n] if streams else None, frame, load, offset=n / load.streams)
                for n in range(load.streams)
            )
        )
        await asyncio.sleep(_OPENING_SECONDS)
        opened = time.process_time()
        with profiler or nullcontext():
            await feeding
        ended = time.process_time()
        gc.collect()
        held = _held_kb() - held_before
        await _close(streams, listening)
        seconds = (load.seconds - _OPENING_SECONDS) * load.streams
        return Cost(second_ms=(ended - opened) * 1000 / seconds, held_kb=held / load.streams)

    def stream(self, client: Client) -> Listener:
        """A stream of a client. Both cut the same chunks, and are told the same."""
        return client.make(
            api_key=self._stand_ins.assemblyai_api_key,
            base_url=self._stand_ins.assemblyai_base_url,
            http_session=self._http,
            **_PARAMETERS,
        ).stream()

    def bare_socket(self) -> Listener:
        """The same bytes and messages, without a client."""
        stand_ins, wire = self._stand_ins, dict(_PARAMETERS)
        wire["speech_model"] = wire.pop("model")
        return BareSocket(stand_ins.assemblyai_base_url, stand_ins.assemblyai_api_key, **wire)

    async def _prepare(self, load: Load) -> None:
        """Every session hears the same talk, without a pause longer than a breath."""
        script = [
            {
                "text": word.text,
                "start_ms": word.start_ms,
                "end_ms": word.end_ms,
                "end_of_turn_confidence": 0.9 if word.text.endswith(".") else 0.1,
            }
            for word in say(sentences(load.seconds))
        ]
        control = self._stand_ins.control_url
        async with self._http.delete(f"{control}/assemblyai") as done:
            done.raise_for_status()
        scripts = [script] * load.streams
        async with self._http.post(f"{control}/assemblyai/scripts", json=scripts) as done:
            done.raise_for_status()


async def _feed(
    stream: Listener | None, frame: rtc.AudioFrame, load: Load, *, offset: float
) -> None:
    """Real time; streams do not push at the same instant."""
    loop = asyncio.get_running_loop()
    start = loop.time() + offset * _FRAME_MS / 1000
    for n in range(round(load.seconds * 1000 / _FRAME_MS)):
        await asyncio.sleep(max(0.0, start + n * _FRAME_MS / 1000 - loop.time()))
        if stream is not None:
            stream.push_frame(frame)


async def _listen(stream: Listener) -> Counter[str]:
    return Counter([event.type.value async for event in stream])


async def _close(
    streams: Sequence[Listener], listening: Sequence[asyncio.Task[Counter[str]]]
) -> None:
    for stream in streams:
        with suppress(RuntimeError):
            stream.end_input()
    if listening:
        _, late = await asyncio.wait(listening, timeout=_CLOSING_SECONDS)
        for task in late:
            task.cancel()
        heard = [task.result()["final_transcript"] for task in listening if not task.cancelled()]
        if not all(heard):
            raise RuntimeError("a stream heard nothing: the figures would mean nothing")
    for stream in streams:
        await stream.aclose()


def _settle_memory() -> None:
    """What is there already shall cost nobody a search for garbage: with all that LiveKit brings
    one takes 0.2 s, and whom it befalls is chance."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _held_kb() -> float:
    return float(psutil.Process().memory_full_info().uss) / 1024


@asynccontextmanager
async def scripted_stand_in() -> AsyncIterator[StandIns]:
    """The stand-in in a process of its own, with transcripts from scripts."""
    with tempfile.TemporaryDirectory() as directory:
        running = stand_ins(Path(directory) / "log", options=("--mode", "scripted"))
        async with running as (stood_in, _):
            yield stood_in
