"""One contestant in a process of its own: many streams, fed in real time until SIGTERM.

It prints `{"pid": 123}` as soon as it feeds, and `{"held_kb": 1.5, "heard": 9}` when it has ended:
what a stream holds, and how many events its streams gave. Whoever started it counts its CPU time
from outside, at the instants at which it counts that of all others.
"""

import asyncio
import cProfile
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np
import psutil
from livekit import rtc

from workbench.arguments import command, positive
from workbench.bench.compare.clients import CLIENTS, Client
from workbench.bench.compare.spoken import SpokenWord, say, sentences
from workbench.bench.stt.floor import BareResampler, BareSocket, Listener
from workbench.local.standins_process import StandIns

__all__ = [
    "FEEDER",
    "NAMES",
    "NEEDED_RATE",
    "RESAMPLER",
    "SOCKET",
    "Load",
    "hear",
    "maker",
    "script",
]

FEEDER, SOCKET, RESAMPLER = "feeder", "a bare socket", "LiveKit's resampler"
NAMES = (*(client.name for client in CLIENTS), SOCKET, RESAMPLER, FEEDER)
NEEDED_RATE = 16_000
_FRAME_MS = 50  # as LiveKit's room input cuts them
_CLOSING_SECONDS = 5.0
_VOICE, _ROOM = 3000, 20  # a voice, and a quiet room: standard deviation of a sample
_PARAMETERS = {
    "model": "universal-streaming-english",
    "format_turns": True,
    "sample_rate": NEEDED_RATE,
}

Maker = Callable[[], Listener]


@dataclass(frozen=True, slots=True)
class Load:
    """What is heard at once: how many streams, of which input, and for how long at most."""

    streams: int
    input_rate: int
    longest_seconds: float


def _words(load: Load) -> Sequence[SpokenWord]:
    """What every stream says: talk without a pause longer than a breath."""
    return say(sentences(load.longest_seconds))


def script(load: Load) -> list[dict[str, object]]:
    """The same for the stand-in, which hears it in a session."""
    return [
        {
            "text": word.text,
            "start_ms": word.start_ms,
            "end_ms": word.end_ms,
            "end_of_turn_confidence": 0.9 if word.text.endswith(".") else 0.1,
        }
        for word in _words(load)
    ]


def maker(name: str, load: Load, stand_ins: StandIns, http: aiohttp.ClientSession) -> Maker | None:
    """What makes a contestant's streams; None for the feeder, which has none. All of them cut the
    same chunks, and are sent the same messages."""
    clients = {client.name: client for client in CLIENTS}
    if name in clients:
        return lambda: _stream(clients[name], stand_ins, http)
    if name == SOCKET:
        return lambda: _bare_socket(stand_ins)
    return (lambda: BareResampler(load.input_rate, NEEDED_RATE)) if name == RESAMPLER else None


def _stream(client: Client, stand_ins: StandIns, http: aiohttp.ClientSession) -> Listener:
    return client.make(
        api_key=stand_ins.assemblyai_api_key,
        base_url=stand_ins.assemblyai_base_url,
        http_session=http,
        **_PARAMETERS,
    ).stream()


def _bare_socket(stand_ins: StandIns) -> Listener:
    wire = dict(_PARAMETERS)
    wire["speech_model"] = wire.pop("model")
    return BareSocket(stand_ins.assemblyai_base_url, stand_ins.assemblyai_api_key, **wire)


async def hear(make: Maker | None, load: Load, ended: asyncio.Event) -> tuple[float, int]:
    """Open the streams, and feed them until that event or to the end of the talk.

    Without streams the frames go nowhere: the cost of the feeder. Returns the kB that a stream
    holds, and how many events all gave. Raises RuntimeError if one of them gave none.
    """
    streams = [make() for _ in range(load.streams)] if make else []
    heard = [0] * len(streams)
    listening = [asyncio.create_task(_count(each, n, heard)) for n, each in enumerate(streams)]
    frames = _frames(load)
    _settle_memory()
    held_before = _held_kb()
    print(json.dumps({"pid": os.getpid()}), flush=True)
    async with asyncio.TaskGroup() as feeding:
        for n in range(load.streams):
            stream = streams[n] if streams else None
            feeding.create_task(_feed(stream, frames, ended, offset=n / load.streams))
    gc.collect()
    held = _held_kb() - held_before
    await _close(streams, listening)
    if not all(heard):
        raise RuntimeError("a stream heard nothing: the figures would mean nothing")
    return held / load.streams, sum(heard)


def _frames(load: Load) -> list[rtc.AudioFrame]:
    """The sound of the words, frame by frame: only a few frames of noise, again and again."""
    samples = load.input_rate * _FRAME_MS // 1000
    noise = np.random.default_rng(0)

    def frame(deviation: float) -> rtc.AudioFrame:
        sound = noise.normal(scale=deviation, size=samples).astype(np.int16)
        return rtc.AudioFrame(sound.tobytes(), load.input_rate, 1, samples)

    voice, room = ([frame(deviation) for _ in range(4)] for deviation in (_VOICE, _ROOM))
    count = round(load.longest_seconds * 1000 / _FRAME_MS)
    loud = np.zeros(count, bool)
    for word in _words(load):
        loud[word.start_ms // _FRAME_MS : -(-word.end_ms // _FRAME_MS)] = True
    return [(voice if loud[n] else room)[n % 4] for n in range(count)]


async def _feed(
    stream: Listener | None,
    frames: Sequence[rtc.AudioFrame],
    ended: asyncio.Event,
    *,
    offset: float,
) -> None:
    """Real time; streams do not push at the same instant."""
    loop = asyncio.get_running_loop()
    start = loop.time() + offset * _FRAME_MS / 1000
    for n, frame in enumerate(frames):
        await asyncio.sleep(max(0.0, start + n * _FRAME_MS / 1000 - loop.time()))
        if ended.is_set():
            return
        if stream is not None:
            stream.push_frame(frame)


async def _count(stream: Listener, place: int, heard: list[int]) -> None:
    async for _ in stream:
        heard[place] += 1


async def _close(streams: Sequence[Listener], listening: Sequence[asyncio.Task[None]]) -> None:
    """In good order; not for longer than the stand-in of a busy machine may need."""
    for stream in streams:
        with suppress(RuntimeError):
            stream.end_input()
    if listening:
        _, late = await asyncio.wait(listening, timeout=_CLOSING_SECONDS)
        for task in late:
            task.cancel()
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


async def _run(name: str, load: Load, stand_ins: StandIns, profile: Path | None) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with aiohttp.ClientSession() as http:
        profiler = cProfile.Profile(time.process_time) if profile else None  # waiting is free
        if profiler:
            profiler.enable()
        held_kb, heard = await hear(maker(name, load, stand_ins, http), load, ended)
        if profiler and profile:
            profiler.disable()
            profiler.dump_stats(profile)
    print(json.dumps({"held_kb": round(held_kb, 1), "heard": heard}), flush=True)


def main() -> int:
    """The exit status."""
    parser = command("workbench.bench.stt.contestant", __doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--streams", type=positive, default=20, help="at once")
    parser.add_argument("--rate", type=positive, default=NEEDED_RATE, help="Hz, of the input")
    parser.add_argument("--seconds", type=positive, default=60, help="of talk, at most")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="write a profile of it")
    parser.add_argument("--stand-ins", required=True, help="as they print themselves, JSON")
    options = parser.parse_args()
    load = Load(options.streams, options.rate, options.seconds)
    stand_ins = StandIns.model_validate_json(options.stand_ins)
    asyncio.run(_run(options.name, load, stand_ins, options.profile))
    return 0


if __name__ == "__main__":
    sys.exit(main())
