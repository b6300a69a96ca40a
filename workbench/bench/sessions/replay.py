"""Plays a recording to a client: what was received comes at its time, what is sent is compared."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from stt_assemblyai.client import Closed, Socket
from workbench.bench.sessions.recording import (
    Dialled,
    PeerClosed,
    Received,
    Recording,
    SentAudio,
    SentText,
    Step,
)

__all__ = ["Replay", "ReplayError"]

_IN_FLIGHT = 2  # audio messages, more or fewer, that were sent when a connection broke off


class ReplayError(AssertionError):
    """The client did not do what it did when it was recorded."""


class Replay:
    """`async with Replay(recording) as connect: ...`, where a `Connect` is wanted.

    Leaving it raises `ReplayError` if anything sent differed, or any step was left over. Times
    count from the entry; with a virtual clock it takes no time.
    """

    def __init__(self, recording: Recording) -> None:
        self._steps: dict[int, list[Step]] = {}
        for step in recording.steps:
            self._steps.setdefault(step.connection, []).append(step)
        self._sockets: list[_ReplayedSocket] = []
        self._faults: list[str] = []

    async def __aenter__(self) -> Self:
        self._start = asyncio.get_running_loop().time()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._faults:
            raise ReplayError("; ".join(self._faults)) from error
        if error is None and (left_over := self._left_over()):
            raise ReplayError("; ".join(left_over))

    @contextlib.asynccontextmanager
    async def __call__(self, query: str) -> AsyncIterator[Socket]:
        """The next of the recorded connections."""
        number = len(self._sockets)
        script = self._steps.get(number)
        if script is None:
            raise self.differ(f"connection {number} was not recorded")
        dialled, *rest = script
        if not isinstance(dialled, Dialled) or dialled.query != query:
            raise self.differ(f"connection {number} asks for {query}")
        socket = _ReplayedSocket(self, number, rest, self._start)
        self._sockets.append(socket)
        try:
            yield socket
        finally:
            await socket.close()

    def _left_over(self) -> list[str]:
        never = list(self._steps)[len(self._sockets) :]
        texts = [text for socket in self._sockets for text in socket.left_over()]
        return texts + [f"connection {number} was never made" for number in never]

    def differ(self, fault: str) -> ReplayError:
        """Note a difference; it is raised at the end, too, should the client swallow it."""
        self._faults.append(fault)
        return ReplayError(fault)


class _ReplayedSocket:
    def __init__(self, replay: Replay, number: int, script: list[Step], start: float) -> None:
        self._replay = replay
        self._number = number
        self._start = start
        self._loop = asyncio.get_running_loop()
        self.alive_at = self._loop.time()
        self.ahead_seconds: float | None = None
        self._to_send = _frames(script)
        self._to_receive = _answers(script)
        self._broke_off = isinstance(script[-1], PeerClosed) and script[-1].code != 1000
        self._sent = 0
        self._received = 0
        self._closed: Closed | None = None
        self._stirred = asyncio.Event()

    def send_nowait(self, frame: str | bytes) -> bool:
        return False

    async def send(self, frame: str | bytes) -> None:
        if self._closed is not None:
            raise self._closed
        expected = self._to_send[self._sent] if self._sent < len(self._to_send) else None
        actual = json.loads(frame) if isinstance(frame, str) else len(frame)
        if expected is None and self._broke_off and isinstance(actual, int):
            extra = self._sent - len(self._to_send) + 1
            if extra > _IN_FLIGHT:
                raise self._replay.differ(f"connection {self._number}: {extra} frames too many")
        elif actual != expected:
            where = f"connection {self._number}, message {self._sent}"
            raise self._replay.differ(f"{where}: {_say(actual)} instead of {_say(expected)}")
        self._sent += 1
        self._stir()

    async def receive(self) -> str | bytes:
        """Not before its time, and not before what had been sent ahead of it."""
        while True:
            self._stirred.clear()
            if self._closed is not None:
                raise self._closed
            answer, sent_before = (
                self._to_receive[self._received]
                if self._received < len(self._to_receive)
                else (None, 0)
            )
            if answer is not None and self._sent >= sent_before and self._is_due(answer):
                break
            deadline = None if answer is None else self._start + answer.at_ms / 1000
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline if self._sent >= sent_before else None):
                    await self._stirred.wait()
        self._received += 1
        self.alive_at = self._loop.time()
        if isinstance(answer, PeerClosed):
            self._closed = Closed(answer.code, answer.reason)
            raise self._closed
        return json.dumps(answer.message)

    async def close(self) -> None:
        self._closed = self._closed or Closed(1000, "")
        self._stir()

    def left_over(self) -> list[str]:
        """What should have been sent or received, and was not."""
        unsent, unheard = self._to_send[self._sent :], self._to_receive[self._received :]
        texts = [f"{_say(one)} was not sent" for one in unsent]
        texts += [f"{_say(answer)} was not received" for answer, _ in unheard]
        return [f"connection {self._number}: {text}" for text in texts]

    def _is_due(self, answer: Received | PeerClosed) -> bool:
        return self._loop.time() >= self._start + answer.at_ms / 1000

    def _stir(self) -> None:
        self._stirred.set()


def _frames(script: list[Step]) -> list[dict[str, object] | int]:
    """What is to be sent: messages, and sizes of audio."""
    frames: list[dict[str, object] | int] = []
    for step in script:
        match step:
            case SentText(message=message):
                frames.append(message)
            case SentAudio(size=size, count=count):
                frames.extend([size] * count)
            case _:
                pass
    return frames


def _answers(script: list[Step]) -> list[tuple[Received | PeerClosed, int]]:
    """What comes, and how many frames had been sent before it."""
    sent = 0
    answers: list[tuple[Received | PeerClosed, int]] = []
    for step in script:
        match step:
            case Received() | PeerClosed():
                answers.append((step, sent))
            case SentAudio(count=count):
                sent += count
            case SentText():
                sent += 1
            case Dialled():
                pass
    return answers


def _say(frame: object) -> str:
    match frame:
        case int():
            return f"{frame} bytes of audio"
        case None:
            return "nothing"
        case Received(message=message):
            return json.dumps(message)
        case PeerClosed(code=code):
            return f"close {code}"
        case _:
            return json.dumps(frame)
