"""Where a client's processor time goes, by the steps that audio and words take through it."""

import inspect
import pstats
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from stt_assemblyai.client import _WebSocket
from stt_assemblyai.hearing import Hearing
from stt_assemblyai.livekit.stream import SpeechStream
from stt_assemblyai.protocol import Session
from stt_assemblyai.transcriber import Transcriber
from workbench.bench.stt.contestant import _count
from workbench.local.running import PROJECT

__all__ = ["dearest_functions", "parts"]


def _module(file: str) -> str:
    """What a function belongs to: our modules one by one, others by package."""
    path = Path(file)
    if "site-packages" in path.parts:
        rest = path.parts[path.parts.index("site-packages") + 1 :]
        return "/".join(rest[: 2 if rest[0] == "livekit" else 1])
    if path.is_relative_to(PROJECT):
        return path.relative_to(PROJECT).with_suffix("").as_posix()
    return path.stem if path.parent.name.startswith("python") else path.parent.name


def _name(function: Callable[..., Any]) -> str:
    return f"{_module(inspect.getfile(function))} {function.__name__}"


# Ours by reference: a new name of one of them is found by the type checker.
_PUSH_FRAME, _RESAMPLE = _name(SpeechStream.push_frame), "livekit/rtc push"
_PUSH, _SEND = _name(Transcriber.push), _name(_WebSocket.send_nowait)
_WRITE, _READ = "asyncio write", "asyncio _read_ready"
_DECODE, _JUDGE = _name(Session.receive), _name(Hearing.heard)
_RETELL, _LISTEN = _name(SpeechStream._on_event), _name(_count)
_PARTS = {  # a function with all that it calls, less those that are parts by themselves
    "LiveKit's frame: checks, PCM": (_PUSH_FRAME, _PUSH, _RESAMPLE),
    "LiveKit's resampler": (_RESAMPLE,),
    "replay buffer, pacing, clock, watchdogs, timer": (_PUSH, _SEND),
    "framing and masking": (_SEND, _WRITE),
    "write to the socket": (_WRITE,),
    "read from the socket, unframe": (_READ,),
    "decode": (_DECODE,),
    "turns: words, splices, events": (_JUDGE,),
    "converted to LiveKit's events": (_RETELL,),
    "LiveKit's channel, who listens": (_LISTEN,),
}


def parts(stats: pstats.Stats) -> dict[str, float]:
    """The share of each part in all that was profiled, 0 to 1; without the event loop's own.

    The profiler makes short calls look dearer than they are.
    """
    spent: dict[str, float] = defaultdict(float)
    for name, _, _, cumulative in _functions(stats):
        spent[name] += cumulative
    total: float = stats.total_tt  # type: ignore[attr-defined] # typeshed leaves it out
    return {
        part: max(0.0, spent[whole] - sum(spent[other] for other in less)) / total
        for part, (whole, *less) in _PARTS.items()
    }


def dearest_functions(stats: pstats.Stats, count: int) -> list[tuple[str, int, float, float]]:
    """Name, calls, own seconds and seconds with callees of those that take most of all."""
    return sorted(_functions(stats), key=lambda row: -row[3])[:count]


def _functions(stats: pstats.Stats) -> Iterator[tuple[str, int, float, float]]:
    functions: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    functions = stats.stats  # type: ignore[attr-defined] # typeshed leaves it out
    for (file, _, name), (_, calls, own, cumulative, _) in functions.items():
        yield f"{_module(file)} {name}", calls, own, cumulative
