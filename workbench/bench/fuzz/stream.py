"""A hostile service, and an odd caller, for the whole stream: no sockets, no waiting.

For a while the service refuses, says anything in any order, closes and falls silent; then it
behaves, so that the stream can end. Whatever a guard inside the stream caught is a find, too.
"""

import json
import logging
import random
import re
from typing import Any

import numpy as np

from stt_assemblyai.actions import StreamConfig
from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.errors import (
    AssemblyAIError,
    AuthenticationError,
    ConfigurationError,
    NetworkError,
    QuotaError,
    TransientError,
)
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.stream import Stream
from stt_assemblyai.timing import Timing
from workbench.bench.fuzz.messages import conversation, mutated, shuffled
from workbench.bench.fuzz.world import World

__all__ = ["play"]

RATE = 8000
HOSTILE_SECONDS = 60.0
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


class HostilePeer:
    """The far end of one connection: it keeps the audio, and may not answer Terminate."""

    def __init__(self, world: World, key: int, draw: random.Random) -> None:
        self._world = world
        self._key = key
        self.blocks = draw.random() if draw.random() < 0.3 else 0.0
        self._answers_terminate = draw.random() < 0.7
        self._draw = draw
        self.audio = bytearray()

    def take(self, frame: str | bytes) -> bool:
        """Takes a frame, or, by chance, none for now."""
        if self._draw.random() < self.blocks and self._world.now < HOSTILE_SECONDS:
            return False
        if isinstance(frame, bytes):
            self.audio += frame
        elif json.loads(frame)["type"] == "Terminate" and self._answers_terminate:
            self._say({"type": "Termination", "session_duration_seconds": 1})
        return True

    def _say(self, message: dict[str, Any]) -> None:
        self._world.at(self._world.now, lambda: self._world.say(self._key, json.dumps(message)))


class HostileService:
    """Plays each session by chance until `HOSTILE_SECONDS`, and then well."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._fatal = draw.random() < 0.1
        self.peers: list[HostilePeer] = []

    def open(self, world: World, key: int) -> HostilePeer:
        draw = self._draw
        if world.now <= HOSTILE_SECONDS and draw.random() < 0.2:
            raise self._refusal()
        peer = HostilePeer(world, key, draw)
        self.peers.append(peer)
        if world.now > HOSTILE_SECONDS:
            begin = json.dumps({"type": "Begin", "id": "good", "expires_at": None})
            world.at(world.now, lambda: world.say(key, begin))
        else:
            self._play(world, key)
        return peer

    def _play(self, world: World, key: int) -> None:
        draw = self._draw
        messages = shuffled(list(conversation(draw)), draw)
        messages[0].update(expires_at=draw.choice([None, 0, 40, 61, 10_800, 2**40, "x"]))
        at = world.now + draw.choice([0.0, 0.2, 3.0])
        for message in messages:
            frame = mutated(message, draw)
            world.at(at, lambda frame=frame: world.say(key, frame))  # type: ignore[misc]
            at += draw.choice([0.0, 0.01, 0.3, draw.expovariate(1)])
        if draw.random() < 0.7:
            code, reason = draw.choice(CODES), draw.choice(["", "x" * 99])
            world.at(at, lambda: world.drop(key, code, reason))
        world.at(HOSTILE_SECONDS + 1, lambda: world.drop(key))

    def _refusal(self) -> AssemblyAIError:
        if self._fatal and self._draw.random() < 0.2:
            return self._draw.choice([AuthenticationError("No"), ConfigurationError("No")])
        return self._draw.choice(
            [NetworkError("No"), TransientError("No"), QuotaError("No", retry_after_seconds=12)]
        )


class OddCaller:
    """Pushes, flushes, updates and hurries by chance. What it says spells its own place: one that
    `counts` says it in order, so that it can be seen whether all of it was sent."""

    def __init__(self, draw: random.Random, world: World) -> None:
        self._draw = draw
        self._world = world
        self._voice = SPELT if draw.random() < 0.7 else bytes(len(SPELT))
        self.counts = draw.random() < 0.5 and self._voice is SPELT
        self.said_bytes = 0

    def speak(self) -> None:
        """Act until it is tired; time passes between the acts, and sometimes jumps."""
        draw, world = self._draw, self._world
        until = draw.choice([1.0, 10.0, HOSTILE_SECONDS])
        while world.now < until and not world.stream.over:
            self._act()
            pause = draw.choice([0.0, 0.05, 0.05, 0.05, 0.1, 1.0, draw.uniform(0, 8)])
            world.advance(world.now + pause)

    def _act(self) -> None:
        draw, tell, stream = self._draw, self._world.tell, self._world.stream
        match draw.randrange(20):
            case 0:
                tell(stream.flush)
            case 1:
                tell(stream.commit_now)
            case 2:
                stream.sessions.usage.report(self._world.now)
            case 3:
                self._update()
            case 4 if not self.counts:
                tell(stream.push, draw.randbytes(draw.choice(SIZES)))
            case _:
                size = draw.choice([*SIZES[:-3], *[CHUNK_BYTES] * 20])
                tell(stream.push, self._voice[self.said_bytes : self.said_bytes + size])
                self.said_bytes += size

    def _update(self) -> None:
        stream = self._world.stream
        before = stream.sessions.config.options
        try:
            self._world.tell(stream.update, before.revised(**self._draw.choice(UPDATES)))
        except (ValueError, ConfigurationError):  # the model does not take it, or not in a session
            assert stream.sessions.config.options is before, "half an update"


def play(seed: int) -> int:
    """One stream; gives the number of steps. Raises whatever is wrong."""
    finds = Finds()
    logger = logging.getLogger("stt_assemblyai")
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(finds)
    try:
        steps = _play(random.Random(seed))
    finally:
        logger.removeHandler(finds)
        logger.propagate = propagates
    assert not finds.faults, finds.faults[0]
    return steps


def _play(draw: random.Random) -> int:
    service = HostileService(draw)
    world = World(
        _stream(draw),
        service,
        delay_seconds=lambda: draw.choice([0.0, 0.1, 2.0]),
        ahead_seconds=lambda: draw.choice([None, 0.0, -1e9, 1e9]),
        host_ahead_seconds=lambda: draw.choice([0.0, 0.0, -1e5, 1e5]),
    )
    world.tell(world.stream.start)
    caller = OddCaller(draw, world)
    caller.speak()
    stopped = draw.random() < 0.2
    world.tell(world.stream.stop if stopped else world.stream.end_input)
    world.finish()
    if caller.counts and not stopped and world.stream.sessions.error is None:
        _check_audio(caller.said_bytes, world, service)
    return world.steps


def _stream(draw: random.Random) -> Stream:
    options = SessionOptions(speech_model=draw.choice(MODELS), sample_rate=RATE)
    choices = TurnChoices(
        wait_for_formatted_ms=draw.choice([0, 300]),
        preflight_confidence=draw.choice([None, 0.0]),
        eager_ms=draw.choice([None, 80]),
        replies=draw.random() < 0.8,
    )
    timing = Timing(
        chunk_ms=draw.choice([50, 50, 73, 1000]),
        keep_seconds=draw.choice([1.0, 60.0]),
        begin_timeout_seconds=draw.choice([1.0, 10.0]),
        idle_seconds=draw.choice([None, 3.0, 60.0]),
        roll_over_seconds=draw.choice([5.0, 60.0]),
        unanswered_seconds=draw.choice([5.0, 30.0]),
    )
    patience = Patience(total_seconds=draw.choice([5.0, 180.0]))
    return Stream(StreamConfig(options, choices, timing), Retries(patience, draw.random))


def _check_audio(said_bytes: int, world: World, service: HostileService) -> None:
    """Every sample has been sent to a session, or is counted as dropped."""
    heard = np.concatenate([np.frombuffer(peer.audio, "<u2") for peer in service.peers])
    said = np.frombuffer(SPELT[: said_bytes // 2 * 2], "<u2")
    lost_ms = np.setdiff1d(said, heard).size * 8
    # Edges, a rest that is too short, and a burst in each pipe that breaks while the service
    # pretends to have heard it.
    in_pipe_ms = 6 * _chunk_ms(world) * sum(peer.blocks > 0 for peer in service.peers)
    allowed_ms = world.stream.input.replay.dropped_ms + 16 + 50 + in_pipe_ms
    assert lost_ms <= allowed_ms, "audio was lost without being counted"


def _chunk_ms(world: World) -> int:
    replay = world.stream.input.replay
    return round(replay.milliseconds(replay.chunk_bytes))
