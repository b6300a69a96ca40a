"""One session's life: when it hears, what it sends, when it is given up, and what its end means."""

import json
import math
from typing import Any

import pytest

from stt_assemblyai.attempt import Attempt, Connection, Role
from stt_assemblyai.errors import (
    AssemblyAIError,
    NetworkError,
    RenewalError,
    TransientError,
)
from stt_assemblyai.events import Ended, Opened
from stt_assemblyai.messages import ForceEndpoint, Termination
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.outbox import Chunk, Input, Outbox
from stt_assemblyai.protocol import Failed
from stt_assemblyai.timing import Timing
from stt_assemblyai.usage import Sent

RATE = 8000
CHUNK = b"\1\0" * 400  # 50 ms
BEGIN = '{"type": "Begin", "id": "s"}'
TERMINATE = '{"type": "Terminate"}'
TERMINATION = '{"type": "Termination", "session_duration_seconds": 3}'


class World:
    """One attempt and the stream's audio. Each step says how far the attempt has come."""

    def __init__(self, *, from_ms: float = 0.0, **timing: Any) -> None:
        all_timing = Timing(**timing)
        self.audio = Input(RATE, all_timing)
        outbox = Outbox(self.audio.replay, all_timing, from_ms=from_ms)
        options = SessionOptions(sample_rate=RATE)
        self.attempt = Attempt(1, "start", options, outbox, all_timing)

    def connected(self, now: float = 0.0) -> "World":
        self.attempt.take_over()
        self.attempt.connect(now)
        self.attempt.connected(Connection(now), 0.0, now)
        return self

    def opened(self, now: float = 0.0) -> "World":
        self.connected(now)
        self.attempt.receive(BEGIN, now)
        return self

    def push(self, pcm: bytes = CHUNK, now: float = 0.0) -> None:
        self.audio.add(pcm, now)

    def send(self, now: float = 0.0, *, ended: bool = False) -> list[str | bytes]:
        return [frame for frame, _ in self.attempt.frames(now, ended=ended)]


def test_it_connects_with_its_own_options() -> None:
    attempt = World().attempt
    assert attempt.connect(0.0) == attempt.options.query()


@pytest.mark.parametrize(("from_ms", "begins_at"), [(50.0, 50.0), (math.inf, 100.0)])
def test_a_session_ahead_hears_the_stream_from_where_the_active_one_has_come_to(
    from_ms: float, begins_at: float
) -> None:
    world = World(from_ms=from_ms)
    world.push(CHUNK * 3)
    world.attempt.connected(Connection(0.0), 100.0, 0.0)
    assert world.attempt.outbox.from_ms == begins_at
    _, chunk = next(world.attempt.frames(0.0, ended=False))
    assert chunk == Chunk(begins_at, CHUNK)


def test_it_sends_nothing_without_a_connection_that_takes_frames() -> None:
    world = World()
    world.push()
    assert world.send() == []
    world.opened()
    world.attempt.set_blocked_at(0.0)
    assert world.send() == []
    world.attempt.set_blocked_at(math.inf)
    assert world.send() == [CHUNK]


def test_audio_may_leave_before_begin_and_messages_wait_for_it() -> None:
    world = World().connected()
    world.push()
    world.attempt.outbox.queue(ForceEndpoint(), 0.0)
    assert world.send() == [CHUNK]
    opened = world.attempt.receive(BEGIN, 2.5)
    assert opened == Opened("s", None, (), opening_seconds=2.5)
    assert (world.attempt.opened, world.attempt.opened_at) == (opened, 2.5)
    assert world.send() == ['{"type": "ForceEndpoint"}']


@pytest.mark.parametrize("why", ["end of input", "idle"])
def test_the_end_is_a_terminate_after_which_nothing_is_sent(why: str) -> None:
    world = World().opened()
    world.push(CHUNK + CHUNK[:100])
    world.attempt.idle = why == "idle"
    assert world.send(ended=why == "end of input") == [CHUNK, CHUNK[:100], TERMINATE]
    world.push()
    assert world.send() == []


def test_every_frame_shows_that_the_peer_is_alive() -> None:
    world = World().opened()
    world.attempt.receive("garbage", 7.0)
    assert world.attempt.connection == Connection(alive_at=7.0)


def test_an_answer_to_a_ping_shows_it_too_but_not_before_there_is_a_connection() -> None:
    world = World()
    world.attempt.alive(1.0)
    world.connected(now=2.0)
    assert world.attempt.connection == Connection(alive_at=2.0)
    world.attempt.alive(3.0)
    assert world.attempt.connection == Connection(alive_at=3.0)


def test_a_session_that_does_not_begin_in_time_is_given_up() -> None:
    world = World(begin_timeout_seconds=10.0).connected(now=5.0)
    assert world.attempt.deadline(ended=False) == 15.0
    assert world.attempt.expire(14.9) is None
    failed = world.attempt.expire(15.0)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, NetworkError)


def test_a_session_that_has_begun_may_last() -> None:
    world = World().opened()
    assert world.attempt.deadline(ended=False) == math.inf
    assert world.attempt.expire(1e9) is None


def test_a_session_that_does_not_finish_in_time_has_ended_with_words_missing() -> None:
    world = World(termination_timeout_seconds=5.0).opened()
    assert world.send(now=1.0, ended=True) == [TERMINATE]
    assert world.attempt.deadline(ended=True) == 6.0
    ended = world.attempt.expire(6.0)
    assert isinstance(ended, Ended)
    assert isinstance(ended.error, TransientError)
    assert world.attempt.over
    assert not world.attempt.terminated


def test_the_deadline_is_when_there_is_something_to_send() -> None:
    world = World().opened()
    world.push(CHUNK * 100)
    world.send()
    due_at = world.attempt.deadline(ended=False)
    assert 0 < due_at < 0.05
    assert len(world.send(due_at)) == 1
    assert World().opened().attempt.deadline(ended=True) == -math.inf


@pytest.mark.parametrize(
    ("role", "last_frame", "finally_in"),
    [
        (Role.FINISHING, TERMINATE, Role.FINISHING),
        (Role.LEAVING, TERMINATE, Role.LEAVING),
        (Role.ACTIVE, TERMINATE, Role.ACTIVE),
    ],
)
def test_an_open_session_is_ended_with_terminate(
    role: Role, last_frame: str, finally_in: Role
) -> None:
    attempt = World().opened().attempt
    assert attempt.end_as(role, 0.0) == last_frame
    assert attempt.role is finally_in
    assert not attempt.may_send
    assert not attempt.over
    attempt.receive(TERMINATION, 1.0)
    assert attempt.terminated


def test_a_session_ahead_says_no_last_words() -> None:
    world = World()
    world.attempt.connect(0.0)
    world.attempt.connected(Connection(0.0), 0.0, 0.0)
    world.attempt.receive(BEGIN, 0.0)
    assert world.attempt.end_as(Role.FINISHING, 0.0) == TERMINATE
    assert world.attempt.role is Role.LEAVING
    world.attempt.take_over()
    assert world.attempt.role is Role.LEAVING  # for good


def test_a_session_that_has_not_begun_just_ends() -> None:
    attempt = World().connected().attempt
    assert attempt.end_as(Role.FINISHING, 0.0) is None
    assert attempt.outcome == Ended(None)


def test_a_session_is_asked_to_end_once() -> None:
    world = World().opened()
    assert world.attempt.end_as(Role.FINISHING, 0.0) == TERMINATE
    assert world.attempt.end_as(Role.LEAVING, 0.0) is None
    assert world.attempt.role is Role.FINISHING
    ending = World().opened()
    assert ending.send(ended=True) == [TERMINATE]
    assert ending.attempt.end_as(Role.LEAVING, 0.0) is None
    assert ending.attempt.has_reported_all


@pytest.mark.parametrize(
    ("role", "settled", "retired"),
    [
        (Role.AHEAD, False, False),
        (Role.ACTIVE, False, False),
        (Role.FINISHING, False, True),
        (Role.LEAVING, True, True),
    ],
)
def test_who_has_more_to_report(role: Role, settled: bool, retired: bool) -> None:
    attempt = World().attempt
    attempt.role = role
    assert (attempt.has_reported_all, attempt.retired) == (settled, retired)
    attempt.fail(TransientError("lost"), 0.0)
    assert attempt.has_reported_all


def test_a_session_has_one_outcome() -> None:
    attempt = World().connected().attempt
    error = NetworkError("no way")
    assert attempt.fail(error, 0.0) == Failed(error)
    assert attempt.closed(1006, "", 0.0) is None
    assert attempt.receive(BEGIN, 0.0) is None
    assert attempt.error is error


LOST = TransientError("lost")
TERMINATED = Ended(Termination(type="Termination"))


@pytest.mark.parametrize(
    ("outcome", "role", "in_turn", "cause"),
    [
        (None, Role.LEAVING, False, None),
        (Failed(LOST), Role.ACTIVE, False, LOST),
        (TERMINATED, Role.ACTIVE, True, None),
        (Ended(None, LOST), Role.ACTIVE, False, None),  # nothing was being said
        (Ended(None, LOST), Role.ACTIVE, True, LOST),
        (Ended(None, LOST), Role.FINISHING, False, LOST),
        (Ended(None), Role.ACTIVE, True, None),  # it had not begun
    ],
)
def test_why_another_session_is_needed(
    outcome: Ended | Failed | None, role: Role, in_turn: bool, cause: AssemblyAIError | None
) -> None:
    attempt = World().attempt
    attempt.outcome, attempt.role = outcome, role
    assert attempt.cause(in_turn=in_turn) is cause


@pytest.mark.parametrize(
    ("error", "idle", "late_seconds", "in_turn", "was_idle"),
    [
        (None, True, 60.0, False, True),  # we ended it
        (None, False, 60.0, False, False),
        (RenewalError("inactivity"), False, 5.0, False, True),  # the service did
        (RenewalError("expired"), False, 4.9, False, False),
        (RenewalError("expired"), False, 60.0, True, False),
        (LOST, False, 60.0, False, False),
    ],
)
def test_whether_it_ended_because_no_audio_came(
    error: AssemblyAIError | None, idle: bool, late_seconds: float, in_turn: bool, was_idle: bool
) -> None:
    world = World().opened()
    world.push(now=100.0)
    world.attempt.idle = idle
    if error is not None:
        world.attempt.fail(error, 100.0)
    assert world.attempt.was_idle(world.audio, 100.0 + late_seconds, in_turn=in_turn) is was_idle


def late(world: World, *, in_turn: bool) -> float:
    return world.attempt.late_at(world.audio, in_turn=in_turn)


def test_in_mid_turn_audio_is_late_after_a_second_and_silence_follows_on_silence() -> None:
    world = World(mute_after_ms=1000).opened()
    world.push(now=10.0)
    world.send(now=10.0)
    assert late(world, in_turn=True) == 11.0
    world.attempt.outbox.take_silence(now=11.0)
    assert late(world, in_turn=True) == pytest.approx(11.05)
    world.push(CHUNK[:100], now=11.02)  # too little to send, but it shows that audio comes
    assert late(world, in_turn=True) == pytest.approx(12.02)


def test_between_turns_an_idle_session_is_ended() -> None:
    world = World(idle_seconds=60.0).opened(now=10.0)
    assert late(world, in_turn=False) == 70.0
    world.push(now=20.0)
    world.send(now=20.0)
    assert late(world, in_turn=False) == 80.0


@pytest.mark.parametrize(
    "why", ["ahead", "not open", "unlimited", "retired", "idle", "more", "end"]
)
def test_when_audio_is_never_late(why: str) -> None:
    world = World(idle_seconds=0 if why == "unlimited" else 60.0)
    (world.connected if why == "not open" else world.opened)()
    if why == "ahead":
        world.attempt.role = Role.AHEAD
    elif why == "retired":
        world.attempt.end_as(Role.FINISHING, 0.0)
    elif why == "more":
        world.push()
    world.attempt.idle, world.audio.ended = why == "idle", why == "end"
    assert late(world, in_turn=False) == math.inf


def test_a_session_that_the_service_ends_has_its_error() -> None:
    world = World().opened()
    message = {"type": "Error", "error_code": 3008, "error": "Session Expired"}
    failed = world.attempt.receive(json.dumps(message), 3.0)
    assert isinstance(failed, Failed)
    assert isinstance(world.attempt.error, RenewalError)
    assert world.attempt.over


def test_what_it_costs_is_the_service_s_figure_if_there_is_one() -> None:
    world = World().opened()
    assert world.attempt.billed_seconds is None
    world.send(ended=True)
    world.attempt.receive(TERMINATION, 3.0)
    assert world.attempt.billed_seconds == 3
    broken = World().opened().attempt
    broken.closed(1006, "", 3.0)
    assert broken.billed_seconds is None
    unanswered = World().opened()
    unanswered.send(ended=True)
    unanswered.attempt.closed(1006, "", 3.0)
    assert unanswered.attempt.billed_seconds is None


def test_it_knows_what_it_was_sent() -> None:
    world = World(from_ms=50.0).opened()
    world.push(CHUNK * 3)
    world.send()
    world.attempt.outbox.take_silence(1.0)
    assert world.attempt.sent == Sent(from_ms=50.0, until_ms=150.0, total_ms=150.0)


def test_silence_of_the_service_means_something_only_while_it_can_hear_and_speak() -> None:
    world = World()
    world.attempt.set_blocked_at(math.inf)
    assert not world.attempt.may_answer
    assert world.opened().attempt.may_answer
    world.attempt.set_blocked_at(0.0)
    assert not world.attempt.may_answer
    world.attempt.set_blocked_at(math.inf)
    world.attempt.end_as(Role.FINISHING, 0.0)
    assert not world.attempt.may_answer


def test_mu_law_is_really_sent() -> None:
    timing = Timing()
    audio = Input(RATE, timing)
    options = SessionOptions(sample_rate=RATE, encoding="pcm_mulaw")
    attempt = Attempt(1, "start", options, Outbox(audio.replay, timing, from_ms=0.0), timing)
    attempt.connected(Connection(0.0), 0.0, 0.0)
    audio.add(bytes(800), 0.0)
    (frame, _), *_ = attempt.frames(0.0, ended=False)
    assert frame == b"\xff" * 400
    attempt.receive(BEGIN, 0.0)
    assert attempt.push_live(bytes(400), 0.0, may_wait=False) == b""
    assert attempt.push_live(bytes(400), 0.0, may_wait=False) == b"\xff" * 400
    assert attempt.push_live(bytes(800), 0.05, may_wait=True) == b""
    pcm = World().opened().attempt.push_live(bytes(800), 0.0, may_wait=False)
    assert pcm == bytes(800)


def test_a_connection_that_takes_nothing_for_ten_seconds_is_given_up() -> None:
    world = World(begin_timeout_seconds=10.0).opened()
    world.attempt.set_blocked_at(5.0)
    assert world.attempt.deadline(ended=False) == 15.0
    assert world.attempt.expire(14.9) is None
    world.attempt.expire(15.0)
    assert isinstance(world.attempt.error, NetworkError)
    assert world.attempt.deadline(ended=False) == math.inf
