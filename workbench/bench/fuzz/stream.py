"""A hostile service, and an odd caller, for the whole stream: across its socket seam, no wait.

For a while the service refuses, says anything in any order, closes and falls silent; then it
behaves, so that the stream can end. Whatever a guard inside the stream caught is a find, too.
"""

import asyncio
import itertools
import logging
import random
import re
from typing import Any

import numpy as np

from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.errors import (
    AssemblyAIError,
    AuthenticationError,
    ConfigurationError,
    NetworkError,
    QuotaError,
    TransientError,
)
from stt_assemblyai.events import EndOfSpeech, Final, Interim, Opened, SessionUsage, StartOfSpeech
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience
from stt_assemblyai.transcriber import Timing, Transcriber
from workbench.bench.fuzz.balance import Balance
from workbench.bench.fuzz.messages import conversation, mutated, shuffled
from workbench.standins.scripted_service import ScriptedService, ScriptedSocket
from workbench.standins.virtual_time import run_virtually

__all__ = ["play"]

RATE = 8000
HOSTILE_SECONDS = 60.0
LONGEST_SECONDS = 900.0  # more than hostility, patience and the end of a session take
MODELS = ("universal-streaming-english", "universal-3-6-pro", "whisper-rt")
CODES = (1000, 1001, 1005, 1006, 1008, 1009, 1011, 1013, 3005, 3006, 3007, 3008, 3009, 4008)
SIZES = (0, 1, 2, 3, 799, 800, 801, 1601, 4000, 16_000, 160_001, 1_600_000)
UPDATES: tuple[dict[str, Any], ...] = (
    {"min_turn_silence": 400},
    {"min_turn_silence": None},
    {"max_turn_silence": 400},
    {"max_turn_silence": 6000},
    {"session_heartbeat": True},
    {"session_heartbeat": False},
    {"keyterms_prompt": ["Aldi"]},
    {"format_turns": False},
    {"format_turns": True},
    {"sample_rate": 16_000},
    {"vad_threshold": 0.5},
    {"prompt": "A call."},
)
CHUNK_BYTES = 800
SPELT = np.repeat(np.arange(1, 60_000, dtype="<u2"), 64).tobytes()  # a number every 8 ms
_GUARDED = re.compile(r"\w+ at \w+\.py:\d+")


class Finds(logging.Handler):
    """Faults that a guard inside the stream has caught."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        fault = str(getattr(record, "fault", ""))
        if _GUARDED.match(fault):
            self.faults.append(f"{record.getMessage()}: {fault}")


class HostileService:
    """Plays each session by chance until `HOSTILE_SECONDS`, and then well."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._loop = asyncio.get_running_loop()
        self._fatal = draw.random() < 0.1
        self.thrown = 0

    def open(self, socket: ScriptedSocket) -> None:
        draw = self._draw
        if self._loop.time() > HOSTILE_SECONDS:
            socket.say({"type": "Begin", "id": "good", "expires_at": None})
            return
        if draw.random() < 0.2:
            raise self._refusal()
        socket.slow = draw.random() < 0.3
        socket.answers_terminate = draw.random() < 0.7
        socket.ahead_seconds = draw.choice([None, 0.0, -1e9, 1e9])
        messages = shuffled(list(conversation(draw)), draw)
        messages[0].update(expires_at=draw.choice([None, 0, 40, 61, 10_800, 2**40, "x"]))
        at = draw.choice([0.0, 0.2, 3.0])
        for message in messages:
            self.thrown += 1
            frame = mutated(message, draw)
            self._loop.call_later(at, socket.say, frame)
            at += draw.choice([0.0, 0.01, 0.3, draw.expovariate(1)])
        if draw.random() < 0.7:
            self._loop.call_later(at, socket.drop, draw.choice(CODES), draw.choice(["", "x" * 99]))
        self._loop.call_at(HOSTILE_SECONDS + 1, socket.drop)

    def _refusal(self) -> AssemblyAIError:
        if self._fatal and self._draw.random() < 0.2:
            return self._draw.choice([AuthenticationError("No"), ConfigurationError("No")])
        return self._draw.choice(
            [NetworkError("No"), TransientError("No"), QuotaError("No", retry_after_seconds=12)]
        )


class OddCaller:
    """Pushes, flushes, updates and hurries by chance. What it says spells its own place: one that
    `counts` says it in order, so that it can be seen whether all of it was sent."""

    def __init__(self, draw: random.Random, transcriber: Transcriber) -> None:
        self._draw = draw
        self._transcriber = transcriber
        self._voice = SPELT if draw.random() < 0.7 else bytes(len(SPELT))
        self.counts = draw.random() < 0.5 and self._voice is SPELT
        self.said_bytes = 0

    async def speak(self) -> None:
        draw = self._draw
        loop = asyncio.get_running_loop()
        until = draw.choice([1.0, 10.0, HOSTILE_SECONDS])
        while loop.time() < until:
            self._act()
            await asyncio.sleep(draw.choice([0.0, 0.05, 0.05, 0.05, 0.1, 1.0, draw.uniform(0, 8)]))

    def _act(self) -> None:
        draw = self._draw
        match draw.randrange(20):
            case 0:
                self._transcriber.flush()
            case 1:
                self._transcriber.commit_now()
            case 2:
                self._transcriber.unreported_seconds()
            case 3:
                self._update()
            case 4 if not self.counts:
                self._transcriber.push(draw.randbytes(draw.choice(SIZES)))
            case _:
                size = draw.choice([*SIZES[:-3], *[CHUNK_BYTES] * 20])
                self._transcriber.push(self._voice[self.said_bytes : self.said_bytes + size])
                self.said_bytes += size

    def _update(self) -> None:
        before = self._transcriber.options
        try:
            self._transcriber.update(before.revised(**self._draw.choice(UPDATES)))
        except (ValueError, ConfigurationError):  # the model does not take it, or not in a session
            assert self._transcriber.options is before, "half an update"


def play(seed: int) -> int:
    """One stream; gives the number of messages that were thrown. Raises whatever is wrong."""
    finds = Finds()
    logger = logging.getLogger("stt_assemblyai")
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(finds)
    try:
        thrown = run_virtually(_play(random.Random(seed)))
    finally:
        logger.removeHandler(finds)
        logger.propagate = propagates
    assert not finds.faults, finds.faults[0]
    return thrown


async def _play(draw: random.Random) -> int:
    loop = asyncio.get_running_loop()
    unhandled: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    hostile = HostileService(draw)
    service = ScriptedService(hostile.open)
    told: list[Any] = []
    transcriber = Transcriber(
        service.dial,
        SessionOptions(speech_model=draw.choice(MODELS), sample_rate=RATE),
        told.append,
        timing=Timing(
            chunk_ms=draw.choice([50, 50, 73, 1000]),
            keep_seconds=draw.choice([1.0, 60.0]),
            begin_timeout_seconds=draw.choice([1.0, 10.0]),
            idle_seconds=draw.choice([None, 3.0, 60.0]),
            roll_over_seconds=draw.choice([5.0, 60.0]),
            unanswered_seconds=draw.choice([5.0, 30.0]),
        ),
        choices=TurnChoices(
            wait_for_formatted_ms=draw.choice([0, 300]),
            preflight_confidence=draw.choice([None, 0.0]),
            eager_ms=draw.choice([None, 80]),
            replies=draw.random() < 0.8,
        ),
        patience=Patience(total_seconds=draw.choice([5.0, 180.0])),
        draw=draw.random,
        wall=lambda: loop.time() + draw.choice([0.0, 0.0, -1e5, 1e5]),
    )
    caller = OddCaller(draw, transcriber)
    running = asyncio.create_task(transcriber.run())
    await caller.speak()
    if draw.random() < 0.8:
        transcriber.end_input()
    else:
        running.cancel()
    await asyncio.wait([running], timeout=LONGEST_SECONDS)
    assert running.done(), "the stream does not end"
    error = None if running.cancelled() else running.exception()
    if error is not None and not isinstance(error, AssemblyAIError):
        raise error
    assert not unhandled, unhandled[0]["message"]
    _check(told, transcriber, service)
    if caller.counts and not running.cancelled() and error is None:
        _check_audio(caller.said_bytes, transcriber, service)
    return hostile.thrown


def _check(told: list[Any], transcriber: Transcriber, service: ScriptedService) -> None:
    balance = Balance()
    balance.check(told)
    assert not balance.speaking, "a start without an end"
    latest_ms = transcriber.audio_ms + 5_100
    for event in told:
        match event:
            case StartOfSpeech(start_ms=at_ms) | EndOfSpeech(speech_end_ms=at_ms):
                assert 0 <= at_ms <= latest_ms, "a time outside the audio"
            case Interim(transcript=said) | Final(transcript=said):
                for word in said.words:
                    within = 0 <= word.start_ms <= word.end_ms <= latest_ms
                    assert within, "a word outside the audio"
            case _:
                pass
    opened = sum(isinstance(event, Opened) for event in told)
    usage = [event for event in told if isinstance(event, SessionUsage)]
    assert len(usage) == opened, "a session without its bill"
    assert all(len(socket.audio) % 2 == 0 for socket in service.sockets), "half a sample"
    for sooner, later in itertools.pairwise(service.dialled_at[::12]):
        assert later - sooner >= 10, "twelve connections within ten seconds"


def _check_audio(said_bytes: int, transcriber: Transcriber, service: ScriptedService) -> None:
    """Every sample has been sent to a session, or is counted as dropped."""
    heard = np.concatenate([np.frombuffer(each.audio, "<u2") for each in service.sockets])
    said = np.frombuffer(SPELT[: said_bytes // 2 * 2], "<u2")
    lost_ms = np.setdiff1d(said, heard).size * 8
    allowed_ms = transcriber.dropped_ms + 16 + 50  # its edges, and a rest too short for a message
    assert lost_ms <= allowed_ms, "audio was lost without being counted"
