"""Keeps the sound of a call: what the caller said, and what they really heard.

The agent's voice is taken where it goes into the room, with its pauses, and without what an
interruption cut off. Both sides are placed on the event loop's clock.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol

import av
from livekit import rtc

from agent.call.recording.sound_file import CALLER, Change, Cut, Sounded, SoundFile, new_file
from agent.call.recording.timeline import Heard, Played
from agent.tasks import OwnedTask

log = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
"""How often the file gets what has sounded."""
LATE_SECONDS = 0.3
"""How long after it sounded: until then it may arrive, or be cut."""
LONGEST_STALL_SECONDS = 30.0
"""A disk that takes longer for a piece ends the recording: what waits for it fills the memory."""
CLOSING_SECONDS = 5.0


class Tap(Protocol):
    """Learns what of one of the agent's voices is heard."""

    def play(self, frame: rtc.AudioFrame) -> None:
        """This frame follows those before it, at the earliest now."""

    def cut(self) -> None:
        """Frames that have not sounded yet will not be heard."""


def open_recorder(record: Path) -> "Recorder | None":
    """Begin to record sound into a new file beside this record of the call; None if the disk does
    not let us. Call it in the event loop."""
    try:
        path, descriptor = new_file(record)
    except OSError as error:
        _tell(error)
        return None
    return Recorder(path, SoundFile(descriptor), ThreadPoolExecutor(1, "recording"))


class Recorder:
    """Records one call, from its making in the event loop until `aclose`. Never raises: a call goes
    on without its recording, and one line in the log says so."""

    def __init__(self, path: Path, file: SoundFile, thread: Executor) -> None:
        """`thread` does one thing after the other; the recorder shuts it down."""
        self.path = path
        self._loop = asyncio.get_running_loop()
        self.began = self._loop.time()
        """On the loop's clock, in seconds: the file's beginning."""
        self._file = file
        self._thread = thread
        self._changes: list[Change] = []
        self._is_over = False
        self._heard = Heard()
        self._voices = CALLER
        self._writing = OwnedTask(self._write_on(), name="recording")

    def hear(self, frame: rtc.AudioFrame) -> None:
        """A frame of the caller's voice arrives now."""
        self.change(Sounded(CALLER, self._heard.start(self.now, frame.duration), frame))

    def tap(self) -> Tap:
        """For another one of the agent's voices."""
        self._voices += 1
        return _Voice(self, self._voices)

    async def aclose(self) -> None:
        """Write the rest. Returns when the file is whole, at the latest after CLOSING_SECONDS."""
        if await self._end():
            await self._do(partial(self._finish, self._changes, self.now), CLOSING_SECONDS)

    async def discard(self) -> None:
        """End the recording, and remove what was recorded."""
        if await self._end():
            await self._do(self._file.abandon, CLOSING_SECONDS)
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("a recording could not be removed", extra={"error": error.strerror})

    @property
    def now(self) -> float:
        """Seconds since the file's beginning."""
        return self._loop.time() - self.began

    def change(self, change: Change) -> None:
        """Something sounds, or is cut."""
        if not self._is_over:
            self._changes.append(change)

    async def _end(self) -> bool:
        """Take in no more. Returns whether the file is still open."""
        was_open, self._is_over = not self._is_over, True
        await self._writing.aclose()
        return was_open

    async def _write_on(self) -> None:
        while not self._is_over:
            await asyncio.sleep(EVERY_SECONDS)
            changes, self._changes = self._changes, []
            write = partial(self._file.write, changes, self.now - LATE_SECONDS)
            if not await self._do(write, LONGEST_STALL_SECONDS):
                self._is_over, self._changes = True, []
                self._leave()

    def _finish(self, changes: list[Change], until: float) -> None:
        self._file.write(changes, until)
        self._file.close()

    async def _do(self, work: Callable[[], None], within_seconds: float) -> bool:
        """Have the thread do this. Returns whether it has; the disk may be full, gone or slow."""
        try:
            async with asyncio.timeout(within_seconds):
                await asyncio.wrap_future(self._thread.submit(work))
        except (OSError, av.FFmpegError) as error:
            _tell(error)
            return False
        return True

    def _leave(self) -> None:
        self._thread.submit(self._file.abandon)
        self._thread.shutdown(wait=False)


class _Voice:
    def __init__(self, recorder: Recorder, number: int) -> None:
        self._recorder = recorder
        self._number = number
        self._played = Played()

    def play(self, frame: rtc.AudioFrame) -> None:
        start = self._played.start(self._recorder.now, frame.duration)
        self._recorder.change(Sounded(self._number, start, frame))

    def cut(self) -> None:
        now = self._recorder.now
        self._played.cut(now)
        self._recorder.change(Cut(self._number, now))


def _tell(error: OSError | av.FFmpegError) -> None:
    reason = error.strerror or type(error).__name__
    log.warning("the call's sound is no longer recorded", extra={"error": reason})
