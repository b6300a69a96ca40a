"""Whatever happens to a stream, in any order: its events are balanced, and each word is said once.

Two machines drive a whole stream over a service that really hears. In the first nothing happens
that may cost a word; in the second anything does.
"""

import json
import logging
import math
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from stt_assemblyai.errors import AssemblyAIError, ConfigurationError
from stt_assemblyai.events import Interrupted
from stt_assemblyai.timing import Timing
from workbench.bench.fuzz.messages import conversation, mutated
from workbench.bench.fuzz.speech_peer import SpeechPeer, SpeechService
from workbench.bench.fuzz.stream import CODES, UPDATES, Finds
from workbench.bench.fuzz.words import Call
from workbench.bench.fuzz.world import World
from workbench.standins.spelt_speech import audio, script

pytestmark = pytest.mark.timeout(300)  # 6 s of computing, on a machine that others use, too

SCRIPT_MS = 20_000
BRIEF = settings(
    max_examples=80,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
PASSING = st.sampled_from([1000, 1001, 1006, 1011, 3005])  # codes that a retry mends


class Service(SpeechService):
    """Checks that each session is opened for a reason, and no sooner than the wait allows."""

    retries = 0

    def open(self, world: World, key: int) -> SpeechPeer:
        if world.stream.sessions.attempts[key].reason not in ("start", "roll over", "audio again"):
            told = zip(world.told_at, world.events, strict=True)
            waits_until = [at + e.wait_seconds for at, e in told if isinstance(e, Interrupted)]
            self.retries += 1
            assert self.retries <= len(waits_until), "more than one session per wait"
            assert world.now >= waits_until[-1] - 1e-6, "a session before its time"
        return super().open(world, key)


class Caller(RuleBasedStateMachine):
    """A caller reads a script in odd pieces, pauses, and is heard over connections that break."""

    @initialize(
        seed=st.integers(0, 99),
        model=st.sampled_from(["universal-streaming-english", "universal-3-6-pro"]),
        expires_seconds=st.sampled_from([None, 5.0, 12.0]),
        idle_seconds=st.sampled_from([None, 3.0, 60.0]),
        chunk_ms=st.sampled_from([50, 73, 100]),
    )
    def begin(
        self,
        seed: int,
        model: str,
        expires_seconds: float | None,
        idle_seconds: float | None,
        chunk_ms: int,
    ) -> None:
        draw = random.Random(seed)
        timing = Timing(chunk_ms=chunk_ms, idle_seconds=idle_seconds, shortest_session_seconds=0.0)
        words = script(draw, SCRIPT_MS)
        self.call = Call(words, model, timing=timing, expires_seconds=expires_seconds, draw=draw)
        self.call.service.__class__ = Service
        self.world, self.stream = self.call.world, self.call.world.stream
        self.finds = Finds()
        logging.getLogger("stt_assemblyai").addHandler(self.finds)

    @property
    def peers(self) -> list[SpeechPeer]:
        return list(self.call.service.peers.values())

    @precondition(lambda self: self.call.said_ms < SCRIPT_MS)
    @rule(
        duration_ms=st.sampled_from([7, 50, 400, 1500, 3000]),
        piece_ms=st.sampled_from([20, 50, 73, 1000]),
        cut=st.integers(0, 999),
    )
    def speaks(self, duration_ms: int, piece_ms: int, cut: int) -> None:
        """Audio comes in pieces of any size, and a sample may be cut in two."""
        until_ms = self.call.said_ms + duration_ms
        while (left_ms := until_ms - self.call.said_ms) > 0:
            pcm = audio(self.call.said_ms, min(piece_ms, left_ms))
            self.world.advance(self.world.now + min(piece_ms, left_ms) / 1000)
            self.world.tell(self.stream.push, pcm[:cut])
            self.world.tell(self.stream.push, memoryview(pcm)[cut:])
            self.call.said_ms += min(piece_ms, left_ms)

    @precondition(lambda self: self.call.is_between_words)
    @rule(seconds=st.sampled_from([0.3, 1.1, 3.1, 30.0, 900.0]))
    def pauses(self, seconds: float) -> None:
        self.world.advance(self.world.now + seconds)

    @precondition(lambda self: self.call.is_between_words)
    @rule()
    def flushes(self) -> None:
        self.world.tell(self.stream.flush)

    @rule()
    def has_a_reply(self) -> None:
        self.world.tell(self.stream.commit_now)

    @rule(silence_ms=st.sampled_from([400, 700]))
    def changes_an_option(self, silence_ms: int) -> None:
        options = self.stream.sessions.config.options.revised(min_turn_silence=silence_ms)
        self.world.tell(self.stream.update, options)

    @rule(code=PASSING)
    def loses_every_connection(self, code: int) -> None:
        self.call.drop(code)

    @rule(blocked=st.booleans())
    def pipes_are_blocked_or_drained(self, blocked: bool) -> None:
        for peer in self.peers:
            peer.blocked = blocked

    @invariant()
    def what_is_due_is_done(self) -> None:
        self.world.advance(self.world.now)
        assert self.stream.deadline() > self.world.now

    @invariant()
    def two_sessions_are_sent_the_same_audio_in_a_roll_over_only(self) -> None:
        overlap = self.call.service.expires_seconds is not None
        assert self.world.most_sending <= 1 + overlap

    @invariant()
    def no_guard_has_caught_a_fault_of_our_own(self) -> None:
        assert not self.finds.faults

    def hangs_up(self) -> None:
        """Between two words: then each has to have been said once."""
        while not self.call.is_between_words:
            self.call.speak(50)
        self.call.end()

    def teardown(self) -> None:
        if not hasattr(self, "call"):
            return
        try:
            self.hangs_up()
            assert self.stream.deadline() == math.inf
        finally:
            logging.getLogger("stt_assemblyai").removeHandler(self.finds)


class Anything(Caller):
    """And the service says anything, in any order; the caller hangs up at any moment."""

    def frame(self, message: dict[str, Any] | str | bytes) -> None:
        for key in list(self.world.far_ends):
            self.world.say(key, json.dumps(message) if isinstance(message, dict) else message)

    @rule(code=st.sampled_from(CODES), reason=st.sampled_from(["", "too many sessions", "rate"]))
    def the_service_closes(self, code: int, reason: str) -> None:
        for key in list(self.world.far_ends):
            self.world.drop(key, code, reason)

    @rule(pcm=st.binary(min_size=1, max_size=999))
    def noise_comes(self, pcm: bytes) -> None:
        self.world.tell(self.stream.push, pcm)

    @rule(frame=st.one_of(st.text(max_size=9), st.binary(max_size=9)))
    def garbage_comes(self, frame: str | bytes) -> None:
        self.frame(frame)

    @rule(seed=st.integers(0, 2**16))
    def a_mutated_message_comes(self, seed: int) -> None:
        draw = random.Random(seed)
        self.frame(mutated(draw.choice(list(conversation(draw))), draw))

    @rule(
        order=st.integers(0, 4),
        over=st.booleans(),
        formatted=st.booleans(),
        start=st.sampled_from([-1, 0, 900, 30_000]),
    )
    def a_turn_comes_out_of_order(
        self, order: int, over: bool, formatted: bool, start: int
    ) -> None:
        word = {"text": "odd", "start": start, "end": start + 300, "word_is_final": over}
        fields = {"turn_order": order, "end_of_turn": over, "turn_is_formatted": formatted}
        self.frame({"type": "Turn", "transcript": "odd", "words": [word], **fields})

    @rule(expires_at=st.sampled_from([None, 0, 60, 2**40, "soon"]))
    def begin_comes_again(self, expires_at: int | str | None) -> None:
        self.frame({"type": "Begin", "id": "again", "expires_at": expires_at})

    @rule(update=st.sampled_from(UPDATES))
    def changes_any_option(self, update: dict[str, Any]) -> None:
        try:
            options = self.stream.sessions.config.options.revised(**update)
            self.world.tell(self.stream.update, options)
        except (ValueError, ConfigurationError):
            pass  # refused, and nothing is changed

    @rule()
    def flushes_in_mid_word(self) -> None:
        self.world.tell(self.stream.flush)

    @rule(seconds=st.floats(0, 2000))
    def falls_silent_in_mid_word(self, seconds: float) -> None:
        self.world.advance(self.world.now + seconds)

    @precondition(lambda self: self.call.said_ms > SCRIPT_MS / 4)  # or little else would happen
    @rule()
    def input_ends(self) -> None:
        self.world.tell(self.stream.end_input)

    @precondition(lambda self: self.call.said_ms > SCRIPT_MS / 4)
    @rule()
    def is_stopped(self) -> None:
        self.world.tell(self.stream.stop)

    def hangs_up(self) -> None:
        for peer in self.peers:
            peer.blocked = False
        self.world.tell(self.stream.end_input)
        self.world.finish()
        error = self.stream.sessions.error
        assert error is None or isinstance(error, AssemblyAIError)


TestCaller = Caller.TestCase
TestCaller.settings = BRIEF
TestAnything = Anything.TestCase
TestAnything.settings = BRIEF
