"""Which session hears the stream, from where, and when the next one opens.

Each test is a scenario on a clock of its own, from the first session to the last.
"""

import json
import logging
import math
from typing import Any

import numpy as np
import pytest

from stt_assemblyai.actions import StreamConfig
from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.errors import (
    AssemblyAIError,
    AuthenticationError,
    ConfigurationError,
    NetworkError,
)
from stt_assemblyai.events import (
    EndOfSpeech,
    Final,
    Interrupted,
    NothingToEnd,
    StartOfSpeech,
    StreamEvent,
)
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.stream import Stream
from stt_assemblyai.timing import Timing
from workbench.bench.fuzz.world import World

RATE = 8000
VOICE = (np.sin(np.arange(RATE // 20)) * 8000).astype("<i2").tobytes()  # 50 ms
QUIET = bytes(len(VOICE))


def word(text: str, start: int, end: int) -> dict[str, Any]:
    return {"text": text, "start": start, "end": end, "word_is_final": True}


def turn(order: int, *words: dict[str, Any], over: bool = False) -> dict[str, Any]:
    said = " ".join(each["text"] for each in words)
    fields = {"turn_order": order, "end_of_turn": over, "transcript": said, "words": list(words)}
    return {"type": "Turn", "turn_is_formatted": over, **fields}


HELLO = word("hello", 100, 900)


class Service:
    """Opens each session at once, unless there are `refusals`; lets go of one that terminates,
    unless it is `stuck`. Without `begins` it says nothing. `lifetime_seconds` None gives no
    expiry."""

    def __init__(self, lifetime_seconds: float | None) -> None:
        self.refusals: list[AssemblyAIError] = []
        self.lifetime_seconds = lifetime_seconds
        self.begins, self.stuck = True, False
        self.sent: dict[int, list[str]] = {}  # to each session; audio in milliseconds

    def open(self, world: World, key: int) -> "FarEnd":
        if self.refusals:
            raise self.refusals.pop(0)
        begin: dict[str, Any] = {"type": "Begin", "id": f"s{key}"}
        if self.lifetime_seconds is not None:
            begin["expires_at"] = int(world.now + self.lifetime_seconds)
        if self.begins:
            world.at(world.now, lambda: world.say(key, json.dumps(begin)))
        return FarEnd(self, world, key)


class FarEnd:
    """Keeps what one session is sent, and answers Terminate."""

    def __init__(self, service: Service, world: World, key: int) -> None:
        self._service, self._world, self._key = service, world, key
        self._sent = service.sent[key] = []

    def take(self, frame: str | bytes) -> bool:
        if isinstance(frame, bytes):
            self._sent.append("audio")
            return True
        self._sent.append(json.loads(frame)["type"])
        if self._sent[-1] == "Terminate" and not self._service.stuck:
            goodbye = '{"type": "Termination", "session_duration_seconds": 7}'
            self._world.at(self._world.now, lambda: self._world.say(self._key, goodbye))
        return True


class Call:
    """A stream, and its service."""

    def __init__(
        self, lifetime_seconds: float | None = None, *, starts: bool = True, **timing: Any
    ) -> None:
        options = SessionOptions(sample_rate=RATE, speech_model="universal-streaming-english")
        config = StreamConfig(options, TurnChoices(wait_for_formatted_ms=0), Timing(**timing))
        self.stream = Stream(config, Retries(Patience(total_seconds=60), lambda: 0.5))
        self.service = Service(lifetime_seconds)
        self.world = World(self.stream, self.service, ahead_seconds=lambda: 0.0)
        if starts:
            self.world.tell(self.stream.start)
            self.wait(0.0)

    @property
    def keys(self) -> list[int]:
        """The sessions that have a connection, or want one."""
        return list(self.stream.sessions.attempts)

    @property
    def speech(self) -> list[str]:
        return [
            f"final {event.transcript.text}" if isinstance(event, Final) else type(event).__name__
            for event in self.world.events
            if isinstance(event, StartOfSpeech | Final | EndOfSpeech)
        ]

    @property
    def reasons(self) -> list[str]:
        return [usage.reason for usage in self.stream.sessions.usage.sessions]

    def wait(self, seconds: float) -> None:
        self.world.advance(self.world.now + seconds)

    def hear(self, pcm: bytes, seconds: float) -> None:
        """Live audio, and a service that answers pings."""
        for _ in range(round(seconds * 20)):
            self.wait(0.05)
            for key in self.keys:
                self.stream.alive(key, self.world.now)
            self.world.tell(self.stream.push, pcm)

    def say(self, message: dict[str, Any], key: int | None = None) -> None:
        self.world.say(self.keys[0] if key is None else key, json.dumps(message))

    def error(self, code: int, text: str = "") -> None:
        self.say({"type": "Error", "error_code": code, "error": text})

    def end(self) -> AssemblyAIError | None:
        self.world.tell(self.stream.end_input)
        self.world.finish()
        return self.stream.sessions.error


def test_no_session_is_opened_before_the_start() -> None:
    call = Call(starts=False)
    call.wait(60)
    assert call.keys == []
    call.world.tell(call.stream.start)
    assert call.keys == [1]


def test_a_stream_that_ended_before_its_start_stays_so() -> None:
    call = Call(starts=False)
    call.world.tell(call.stream.abandon)
    call.world.tell(call.stream.start)
    assert call.stream.over
    assert call.keys == []


def test_a_stream_is_one_session_if_nothing_breaks() -> None:
    call = Call()
    call.hear(VOICE, 1)
    call.say(turn(0, HELLO, over=True))
    assert call.end() is None
    assert call.speech == ["StartOfSpeech", "final hello", "EndOfSpeech"]
    assert call.service.sent == {1: ["audio"] * 20 + ["Terminate"]}
    (usage,) = call.stream.sessions.usage.sessions
    assert (usage.session_id, usage.reason, usage.billed_seconds) == ("s1", "start", 7)


def test_what_breaks_off_is_heard_again_from_where_it_was_not_told() -> None:
    call = Call()
    call.hear(VOICE, 2)
    call.say(turn(0, HELLO))
    call.world.drop(1)
    call.hear(VOICE, 1)
    assert call.keys == [2]
    call.say(turn(0, HELLO, word("there", 900, 1400), over=True))
    assert call.end() is None
    assert call.speech == ["StartOfSpeech", "final hello there", "EndOfSpeech"]
    assert call.service.sent[2] == ["audio"] * 60 + ["Terminate"]
    (interrupted,) = [event for event in call.world.events if isinstance(event, Interrupted)]
    assert interrupted.wait_seconds < 0.25
    assert call.reasons == ["start", "TransientError"]
    assert call.stream.sessions.usage.sessions[1].audio_resent_seconds == 2


def test_the_next_session_is_tried_after_growing_waits_until_patience_runs_out() -> None:
    call = Call(starts=False)
    call.service.refusals = [NetworkError("no way")] * 1000
    call.world.tell(call.stream.start)
    call.world.finish()
    assert isinstance(call.stream.sessions.error, NetworkError)
    waits = np.diff(call.world.connected_at)
    assert waits[:3] == pytest.approx([0.1875, 0.375, 0.75])
    assert call.world.now < 61 + 15


def test_an_error_that_no_retry_mends_ends_the_stream_and_an_open_turn() -> None:
    call = Call()
    call.hear(VOICE, 1)
    call.say(turn(0, HELLO))
    call.service.refusals = [refusal := AuthenticationError("no")]
    call.world.drop(1)
    call.wait(1)
    assert call.stream.over
    assert call.stream.sessions.error is refusal
    assert call.speech == ["StartOfSpeech", "final hello", "EndOfSpeech"]


def test_an_outage_ends_with_the_first_new_word() -> None:
    call = Call()
    retries = call.stream.sessions.retries
    call.world.drop(1)
    assert (retries.failures, retries.since) == (1, 0.0)
    call.hear(VOICE, 1)
    call.say(turn(0, HELLO, over=True))
    call.world.drop(2)
    assert (retries.failures, retries.since) == (1, call.world.now)


@pytest.mark.parametrize("ends", ["by us", "by the service"])
def test_an_outage_ends_with_a_session_that_was_only_idle(ends: str) -> None:
    call = Call(idle_seconds=5.0 if ends == "by us" else None)
    call.world.drop(1)
    call.wait(6)
    if ends == "by the service":
        call.error(3006, "Session cancelled for inactivity")
    call.wait(900)
    call.hear(QUIET, 0.1)
    call.world.drop(3)
    call.wait(1)
    assert call.keys == [4]
    assert call.end() is None


def test_a_session_without_audio_ends_and_audio_opens_the_next() -> None:
    call = Call(idle_seconds=20.0)
    call.hear(QUIET, 1)
    call.wait(20)
    assert call.keys == []
    call.wait(3600)
    call.world.tell(call.stream.push, QUIET[:100])
    assert call.keys == []
    call.hear(QUIET, 1)
    assert call.keys == [2]
    assert call.end() is None
    assert call.reasons == ["start", "audio again"]
    assert call.service.sent[2] == ["audio"] * 20 + ["audio", "Terminate"]  # and the rest
    assert call.stream.sessions.usage.sessions[1].audio_resent_seconds == 0


def test_a_session_that_the_service_ends_for_want_of_audio_is_awaited_by_audio_too() -> None:
    call = Call(idle_seconds=None)
    call.hear(QUIET, 1)
    call.wait(30)
    call.error(3006, "Session cancelled for inactivity")
    assert call.keys == []
    assert not any(isinstance(event, Interrupted) for event in call.world.events)
    assert call.end() is None
    assert call.reasons == ["start"]


def test_an_input_that_ends_in_a_pause_needs_no_session() -> None:
    call = Call(idle_seconds=20.0)
    call.wait(30)
    assert call.keys == []
    call.world.tell(call.stream.end_input)
    assert call.stream.over


def test_the_rest_of_the_input_is_worth_a_session() -> None:
    call = Call(idle_seconds=20.0, chunk_ms=1000)
    call.wait(30)
    call.world.tell(call.stream.push, QUIET * 2)
    assert call.keys == []
    assert call.end() is None
    assert call.service.sent[2] == ["audio", "Terminate"]


def test_the_next_session_takes_over_between_two_turns(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    call = Call(lifetime_seconds=90.0)
    call.hear(QUIET, 59)
    assert call.keys == [1]
    call.hear(QUIET, 1.1)
    assert call.keys == [1, 2]
    call.hear(QUIET, 5)
    assert call.keys == [2]
    assert call.stream.sessions.opened == call.stream.sessions.attempts[2].opened
    assert call.end() is None
    assert call.reasons == ["start", "roll over"]
    assert "AssemblyAI session rolls over" in caplog.messages
    assert not any(isinstance(event, Interrupted) for event in call.world.events)
    assert call.service.sent[1][-1] == "Terminate"


def test_what_is_asked_while_two_sessions_hear_the_stream_is_asked_of_both() -> None:
    call = Call(lifetime_seconds=90.0)
    call.hear(QUIET, 60.5)
    call.world.tell(call.stream.flush)
    assert call.service.sent[1][-1] == call.service.sent[2][-1] == "ForceEndpoint"


def in_overlap() -> tuple[Call, list[dict[str, Any]]]:
    """A long turn is open, as the first session tells it, and the second hears it since 60 s."""
    call = Call(lifetime_seconds=90.0)
    call.hear(QUIET, 59)
    words = [word("word0", 57_000, 58_000)]
    call.say(turn(0, *words))
    return call, words


def talk(call: Call, words: list[dict[str, Any]], seconds: int) -> None:
    """A new word every second, of which the first session tells."""
    for _ in range(seconds):
        call.hear(VOICE, 1)
        now_ms = call.stream.input.end_ms
        words.append(word(f"word{len(words)}", round(now_ms) - 900, round(now_ms) - 200))
        call.say(turn(0, *words), 1)


def test_a_turn_that_is_open_when_the_session_expires_goes_on_in_the_next() -> None:
    call, words = in_overlap()
    talk(call, words, 27)
    assert call.keys == [1, 2]
    from_ms = round(call.stream.sessions.attempts[2].outbox.from_ms)
    heard = [
        each | {"start": each["start"] - from_ms, "end": each["end"] - from_ms}
        for each in words
        if each["start"] > from_ms
    ]
    call.say(turn(0, *heard), 2)
    call.hear(VOICE, 3)
    assert call.keys == [2]
    call.say(turn(0, *heard, word("end", 29_000, 29_500), over=True))
    assert call.end() is None
    said = " ".join(each["text"] for each in words)
    assert call.speech == ["StartOfSpeech", f"final {said} end", "EndOfSpeech"]


def test_last_words_that_do_not_come_are_left_to_the_session_that_heard_them_too() -> None:
    call, words = in_overlap()
    call.service.stuck = True
    talk(call, words, 27)
    call.hear(VOICE, 2)
    assert call.service.sent[1][-1] == "Terminate"
    assert call.keys == [1, 2]
    call.hear(VOICE, 5)  # its patience with the old session
    assert call.keys == [2]
    assert not any(isinstance(event, Interrupted) for event in call.world.events)


def test_a_session_that_breaks_off_is_replaced_by_the_one_that_hears_the_stream_already() -> None:
    call, words = in_overlap()
    talk(call, words, 5)
    call.world.drop(1)
    call.wait(1)
    assert call.keys == [2]
    assert call.stream.sessions.active is call.stream.sessions.attempts[2]
    assert len(call.world.connected_at) == 2


def test_one_that_has_missed_words_is_left_and_the_words_are_heard_again() -> None:
    call, _ = in_overlap()
    call.hear(VOICE, 3)
    call.world.drop(1)
    call.wait(1)
    assert call.keys == [3]
    assert call.service.sent[2][-1] == "Terminate"


def test_a_session_ahead_that_fails_is_opened_again() -> None:
    call = Call(lifetime_seconds=90.0)
    call.service.refusals = []
    call.hear(QUIET, 59)
    call.service.refusals = [NetworkError("no way")]
    call.hear(QUIET, 8)
    assert len(call.world.connected_at) == 3
    assert call.stream.sessions.retries.failures == 0
    assert call.end() is None


def test_a_roll_over_waits_while_no_session_hears_the_stream() -> None:
    call = Call(lifetime_seconds=90.0)
    call.service.refusals = [NetworkError("no way")] * 3
    call.world.drop(1)
    call.wait(0.5)
    assert call.stream.sessions.active is None or not call.stream.sessions.active.is_open
    assert call.stream.sessions.roll_over.look_at == math.inf


def test_an_expiry_that_cannot_be_right_is_learnt_from_the_service(
    caplog: pytest.LogCaptureFixture,
) -> None:
    call = Call(lifetime_seconds=10.0)
    assert any("cannot be right" in message for message in caplog.messages)
    call.hear(QUIET, 80)
    assert call.keys == [1]
    call.error(3008, "Session Expired")
    call.hear(QUIET, 0.1)
    assert call.keys == [2]
    call.hear(QUIET, 52)
    assert call.keys == [2]
    call.hear(QUIET, 10)
    assert call.keys == [3]
    assert call.end() is None
    assert call.reasons == ["start", "RenewalError", "roll over"]


def test_options_that_are_refused_in_mid_session_are_taken_back() -> None:
    call = Call()
    before = call.stream.sessions.config.options
    call.world.tell(call.stream.update, before.revised(min_turn_silence=900))
    assert call.service.sent[1] == ["UpdateConfiguration"]
    call.error(3006, "no such silence")
    call.wait(1)
    assert call.stream.sessions.config.options == before
    assert call.keys == [2]
    assert call.end() is None
    assert call.service.sent[2] == ["Terminate"]


def test_options_that_are_refused_when_a_session_opens_with_them_end_the_stream() -> None:
    call = Call()
    call.error(3006, "no such silence")
    assert call.stream.over
    assert isinstance(call.stream.sessions.error, ConfigurationError)


def test_messages_wait_for_the_next_session_and_updates_are_in_its_options() -> None:
    call = Call()
    call.hear(VOICE, 1)
    call.world.drop(1)
    options = call.stream.sessions.config.options.revised(min_turn_silence=900)
    call.world.tell(call.stream.update, options)
    call.world.tell(call.stream.flush)
    call.wait(2)
    assert call.stream.sessions.attempts[2].options == options
    assert call.service.sent[2] == ["audio"] * 20 + ["ForceEndpoint"]


def test_last_words_that_are_missing_at_the_end_are_heard_again() -> None:
    call = Call()
    call.service.stuck = True
    call.hear(VOICE, 1)
    call.say(turn(0, HELLO))
    call.world.tell(call.stream.end_input)
    call.world.drop(1)
    call.wait(1)
    call.say(turn(0, HELLO, over=True))
    call.world.finish()
    assert call.speech == ["StartOfSpeech", "final hello", "EndOfSpeech"]
    assert len(call.world.connected_at) == 2


def test_a_break_after_the_last_word_is_the_end() -> None:
    call = Call()
    call.service.stuck = True
    call.hear(QUIET, 1)
    call.world.tell(call.stream.end_input)
    call.world.drop(1)
    assert call.stream.over
    assert call.stream.sessions.error is None


def test_a_stream_that_is_stopped_hears_last_words() -> None:
    call = Call()
    call.service.stuck = True
    call.hear(VOICE, 1)
    call.say(turn(0, HELLO))
    call.world.tell(call.stream.stop)
    assert call.service.sent[1][-1] == "Terminate"
    call.say(turn(0, HELLO, word("there", 900, 950), over=True))
    call.world.finish()
    assert call.world.now < 1 + 5.1
    assert call.speech == ["StartOfSpeech", "final hello there", "EndOfSpeech"]
    assert call.stream.sessions.error is None


def test_a_stream_that_is_stopped_leaves_the_session_that_it_opened_ahead() -> None:
    call, words = in_overlap()
    talk(call, words, 5)
    call.world.tell(call.stream.stop)
    assert call.service.sent[2][-1] == "Terminate"
    call.world.finish()


def test_a_stream_that_is_stopped_between_sessions_is_over_at_once() -> None:
    call = Call()
    call.hear(VOICE, 1)
    call.say(turn(0, HELLO))
    call.world.drop(1)
    call.world.tell(call.stream.stop)
    assert call.stream.over
    assert call.speech == ["StartOfSpeech", "final hello", "EndOfSpeech"]
    assert len(call.world.connected_at) == 1


def test_a_stream_that_is_stopped_before_its_session_has_begun_is_over_at_once() -> None:
    call = Call(starts=False)
    call.service.begins = False
    call.world.tell(call.stream.start)
    call.wait(1)
    call.world.tell(call.stream.stop)
    assert call.stream.over
    assert call.service.sent == {1: []}


def nothing_to_end(call: Call) -> list[StreamEvent]:
    return [event for event in call.world.events if isinstance(event, NothingToEnd)]


def test_while_no_session_is_needed_a_flush_is_answered_at_once() -> None:
    call = Call(idle_seconds=20.0)
    call.hear(QUIET, 1)
    call.wait(60)
    call.world.tell(call.stream.flush)
    assert nothing_to_end(call)
    assert call.stream.deadline() == math.inf


def test_while_a_session_is_awaited_a_flush_waits_too() -> None:
    call = Call()
    call.hear(QUIET, 1)
    call.service.refusals = [NetworkError("no way")] * 4
    call.world.drop(1)
    call.world.tell(call.stream.flush)
    call.wait(2)
    assert not nothing_to_end(call)
    call.wait(20)
    assert nothing_to_end(call)
    assert "ForceEndpoint" in call.service.sent[6]


@pytest.mark.parametrize("pcm", [QUIET, VOICE])
def test_a_stream_that_is_over_does_not_mind_a_flush(pcm: bytes) -> None:
    call = Call()
    call.hear(pcm, 1)
    call.end()
    call.world.tell(call.stream.flush)
    assert call.stream.deadline() == math.inf
    assert not nothing_to_end(call)
