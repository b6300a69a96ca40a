"""Which modules of the speech module one audio frame, one interim and one final Turn cross.

Run by path, with the tree that is measured on PYTHONPATH: it then works on every revision, because
it finds `Transcriber`, `SessionOptions` and `Closed` by name, whatever module they stand in. It
prints JSON: for each event the modules in the order of their first use, and how often the code of
one module called that of another.
"""

import argparse
import ast
import asyncio
import contextlib
import importlib
import importlib.util
import json
import math
import runpy
import struct
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

PACKAGE = "stt_assemblyai"
RATE_HZ = 16_000
FRAME_MS = 50
LEAD_FRAMES = 12  # before anything is traced: what is done once is done
TRACED_FRAMES = 16


@dataclass
class Crossing:
    """What ran between two moments."""

    modules: list[str] = field(default_factory=list)
    """By their first use."""
    calls: Counter[str] = field(default_factory=Counter)
    """How often another module of the package than the one that ran was called: `from -> to`."""


class Tracer:
    """Follows which module of a package runs, in this thread. A context manager."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._running: str | None = None
        self.crossing = Crossing()

    def __enter__(self) -> "Tracer":
        sys.setprofile(self._on_event)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _on_event(self, frame: FrameType, event: str, _: Any) -> None:
        module = self._module(frame)
        if module is None:
            return
        if event == "call":
            self._enter(module)
        elif event == "return":
            self._running = self._caller(frame) or self._running

    def _enter(self, module: str) -> None:
        if self._running not in (None, module):
            self.crossing.calls[f"{self._running} -> {module}"] += 1
        if module not in self.crossing.modules:
            self.crossing.modules.append(module)
        self._running = module

    def _caller(self, frame: FrameType) -> str | None:
        """The module of the package that goes on when this frame returns, perhaps at a distance."""
        outer = frame.f_back
        while outer is not None:
            if module := self._module(outer):
                return module
            outer = outer.f_back
        return None

    def _module(self, frame: FrameType) -> str | None:
        """The name below the package; None for code of anybody else."""
        name = str(frame.f_globals.get("__name__", ""))
        return name.partition(".")[2] or None if name.startswith(f"{self._package}.") else None


class Socket:
    """One session's socket, whose far end says what the trace makes it say."""

    ahead_seconds = None
    is_open = True

    def __init__(self, closed: Callable[[int, str], Exception]) -> None:
        self._closed = closed
        self._frames: asyncio.Queue[str] = asyncio.Queue()
        self._is_over = False
        self.alive_at = 0.0

    def say(self, message: dict[str, Any]) -> None:
        """A message of the service."""
        self._frames.put_nowait(json.dumps(message))

    async def send(self, frame: str | bytes) -> None:
        if isinstance(frame, str) and json.loads(frame)["type"] == "Terminate":
            self.say({"type": "Termination", "session_duration_seconds": 1})
            self._is_over = True

    def send_nowait(self, frame: bytes) -> bool:
        return bool(frame)

    async def receive(self) -> str:
        if self._is_over and self._frames.empty():
            raise self._closed(1000, "")
        self.alive_at = asyncio.get_running_loop().time()
        return await self._frames.get()

    async def close(self) -> None:
        self._is_over = True


def found(name: str, root: Path) -> Any:
    """The class of that name, in whatever module of the package below `root` it stands.

    Raises LookupError.
    """
    for path in sorted((root / PACKAGE).rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        if any(isinstance(node, ast.ClassDef) and node.name == name for node in tree.body):
            module = ".".join(path.relative_to(root).with_suffix("").parts)
            return getattr(importlib.import_module(module), name)
    raise LookupError(f"{PACKAGE} has no class {name}")


def turn(text: str, *, over: bool) -> dict[str, Any]:
    """A Turn whose words are 200 ms long and follow each other from 100 ms on."""
    words = [
        {"text": word, "start": 100 + 200 * i, "end": 300 + 200 * i, "confidence": 0.9}
        | {"word_is_final": True}
        for i, word in enumerate(text.split())
    ]
    return {
        "type": "Turn",
        "turn_order": 0,
        "turn_is_formatted": over,
        "end_of_turn": over,
        "end_of_turn_confidence": 0.9 if over else 0.1,
        "transcript": text,
        "words": words,
    }


async def crossings(root: Path) -> dict[str, Crossing]:
    """What a frame of live audio, an interim and a final Turn cross, in a session that is open.

    Of several frames the usual one, and the one that crosses most: now and then a frame brings more
    to do than to be sent.
    """
    closed, service = found("Closed", root), list[Socket]()

    @contextlib.asynccontextmanager
    async def dial(_: str) -> AsyncIterator[Socket]:
        service.append(Socket(closed))
        service[-1].say({"type": "Begin", "id": "s", "expires_at": None})
        yield service[-1]

    options = found("SessionOptions", root)(
        speech_model="universal-streaming-english", sample_rate=RATE_HZ
    )
    with contextlib.suppress(LookupError):  # earlier revisions take the options alone
        options = found("StreamConfig", root)(options)
    stream = found("Transcriber", root)(dial, options, lambda _: None)
    running = asyncio.create_task(stream.run())
    frames = voice(FRAME_MS)
    for _ in range(LEAD_FRAMES):
        await heard(stream, next(frames))
    seen = [await heard(stream, next(frames)) for _ in range(TRACED_FRAMES)]
    seen.sort(key=lambda each: (each.calls.total(), len(each.modules)))
    service[-1].say(turn("two", over=False))
    await settled()
    result = {"audio frame": seen[len(seen) // 2], "busiest audio frame": seen[-1]}
    for name, message in (
        ("interim Turn", turn("two tickets", over=False)),
        ("final Turn", turn("Two tickets.", over=True)),
    ):
        service[-1].say(message)
        with Tracer(PACKAGE) as tracer:
            await settled()
        result[name] = tracer.crossing
    stream.end_input()
    await running
    return result


async def heard(stream: Any, pcm: bytes) -> Crossing:
    """Push one frame; return what it crossed, in `push` and in what `push` woke."""
    with Tracer(PACKAGE) as tracer:
        stream.push(pcm)
        await settled()
    await asyncio.sleep(FRAME_MS / 1000)
    return tracer.crossing


async def settled() -> None:
    """Let run what is ready to run, and nothing that waits for the clock."""
    for _ in range(10):
        await asyncio.sleep(0)


def voice(milliseconds: int) -> Iterator[bytes]:
    """A loud tone in frames of that length."""
    count = RATE_HZ * milliseconds // 1000
    tone = [round(8000 * math.sin(i / 5)) for i in range(count)]
    while True:
        yield struct.pack(f"<{count}h", *tone)


def main() -> None:
    """Print what the events cross in the tree that stands first on the path of imports."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{PACKAGE} is not on the path of imports")
    virtual = runpy.run_path(str(Path(__file__).parents[2] / "standins" / "virtual_time.py"))
    measured = virtual["run_virtually"](crossings(Path(spec.origin).parents[1]))
    print(json.dumps({name: vars(each) for name, each in measured.items()}))


if __name__ == "__main__":
    main()
