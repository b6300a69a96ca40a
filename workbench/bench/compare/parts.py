"""Where a client's processor time goes, by the steps that audio and words take through it."""

import pstats
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

__all__ = ["dearest_functions", "parts"]

_PROJECT = Path(__file__).parents[3]
_PUSH_FRAME, _RESAMPLE = "stt_assemblyai/stt push_frame", "livekit/rtc push"
_PUSH, _SEND = "stt_assemblyai/transcriber push", "stt_assemblyai/client send_nowait"
_WRITE, _READ = "asyncio write", "asyncio _read_ready"
_DECODE, _JUDGE = "stt_assemblyai/protocol receive", "stt_assemblyai/leg _judge"
_RETELL, _LISTEN = "stt_assemblyai/stt _on_event", "workbench/bench/compare/load _listen"
_PARTS = {  # a function with all that it calls, less those that are parts by themselves
    "LiveKit's frame: checks, PCM": (_PUSH_FRAME, _PUSH, _RESAMPLE),
    "LiveKit's resampler": (_RESAMPLE,),
    "replay buffer, pace, clock, what to mind": (_PUSH, _SEND),
    "framing and masking": (_SEND, _WRITE),
    "write to the socket": (_WRITE,),
    "read from the socket, unframe": (_READ,),
    "decode": (_DECODE,),
    "turns: words, seams, events": (_JUDGE, _RETELL),
    "retold in LiveKit's words": (_RETELL,),
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


def _module(file: str) -> str:
    """What a function belongs to: our modules one by one, others by package."""
    path = Path(file)
    if "site-packages" in path.parts:
        rest = path.parts[path.parts.index("site-packages") + 1 :]
        return "/".join(rest[: 2 if rest[0] == "livekit" else 1])
    if path.is_relative_to(_PROJECT):
        return path.relative_to(_PROJECT).with_suffix("").as_posix()
    return path.stem if path.parent.name.startswith("python") else path.parent.name
