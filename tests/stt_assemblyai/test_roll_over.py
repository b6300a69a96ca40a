"""When the next session opens and takes over: by the service's clock, or by ours if it fits."""

import math

import pytest

from stt_assemblyai.attempt import Attempt, Connection
from stt_assemblyai.errors import TransientError
from stt_assemblyai.events import Ended
from stt_assemblyai.messages import Termination
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.outbox import Input, Outbox
from stt_assemblyai.roll_over import Lifetimes, RollOver, Step, overlaps
from stt_assemblyai.timing import Timing

USUAL = 10_800.0
TIMING = Timing(roll_over_seconds=60.0, shortest_session_seconds=30.0)


def lifetimes(seen_seconds: float | None = None) -> Lifetimes:
    seen = Lifetimes(shortest_seconds=30)
    if seen_seconds is not None:
        seen.expired(seen_seconds)
    return seen


@pytest.mark.parametrize(
    ("by_service", "by_host", "seen", "believed"),
    [
        (USUAL, USUAL, None, USUAL),
        (USUAL, -4000.0, None, USUAL),  # this machine's clock is ahead
        (60.0, 20_000.0, None, 60.0),  # and behind; a token's session is short
        (60.0, 60.0, USUAL, 60.0),
        (30.0, USUAL, None, None),  # too near to be true
        (-5.0, USUAL, None, None),
        (-5.0, USUAL, 70.0, 70.0),
        (None, USUAL, None, USUAL),
        (None, USUAL - 59, None, USUAL - 59),
        (None, USUAL + 59, None, USUAL + 59),
        (None, USUAL - 61, None, None),
        (None, USUAL + 61, None, None),
        (None, 60.0, None, None),  # a token, or a clock that is wrong: nobody knows
        (None, 60.0, 59.5, 59.5),  # until the service has ended one
        (None, USUAL, 59.5, 59.5),
        (None, USUAL, USUAL + 20, USUAL),
    ],
)
def test_how_long_a_session_lives(
    by_service: float | None, by_host: float, seen: float | None, believed: float | None
) -> None:
    assert lifetimes(seen).believed(by_service, by_host) == believed


def test_a_session_that_was_over_at_once_tells_nothing_of_the_next() -> None:
    assert lifetimes(29.0).believed(None, 0.0) is None


def attempt(
    *,
    from_ms: float = 0.0,
    expires_at: int | None = None,
    opened_at: float = 0.0,
    ahead_seconds: float | None = 0.0,
    host_ahead_seconds: float = 0.0,
) -> Attempt:
    """A session that is open."""
    outbox = Outbox(Input(8000, TIMING).replay, TIMING, from_ms=from_ms)
    session = Attempt(1, "start", SessionOptions(sample_rate=8000), outbox, TIMING)
    session.connect(opened_at)
    connection = Connection(opened_at, ahead_seconds, host_ahead_seconds)
    session.connected(connection, from_ms, opened_at)
    expiry = "null" if expires_at is None else str(expires_at)
    session.receive(f'{{"type": "Begin", "id": "s", "expires_at": {expiry}}}', opened_at)
    return session


class Rolling:
    """The roll-over of a session that opened at 0 and expires after 3 hours."""

    def __init__(self) -> None:
        self.active = attempt(expires_at=10_800)
        self.active.take_over()
        self.roll_over = RollOver(TIMING)
        assert self.roll_over.plan(self.active, now=0.0) is None

    def step(self, now: float, told_until_ms: float = 0.0, *, in_turn: bool = False) -> Step:
        return self.roll_over.step(self.active, told_until_ms, now, in_turn=in_turn)


def test_the_next_session_opens_a_minute_before_the_old_one_expires() -> None:
    rolling = Rolling()
    assert rolling.roll_over.look_at == 10_740
    assert rolling.step(10_739.9) is Step.WAIT
    assert rolling.step(10_740.0) is Step.OPEN


@pytest.mark.parametrize(
    ("lifetime_seconds", "look_at"),
    [
        (600, 540),
        (90, 60),  # a third of a short session
        (33, 30),  # never sooner than the shortest session is used
        (31, 30),
    ],
)
def test_a_short_session_is_replaced_later(lifetime_seconds: int, look_at: float) -> None:
    roll_over = RollOver(TIMING)
    assert roll_over.plan(attempt(expires_at=lifetime_seconds), now=0.0) is None
    assert roll_over.look_at == look_at


def test_the_expiry_is_on_the_service_s_clock_whatever_ours_says() -> None:
    roll_over = RollOver(TIMING)
    session = attempt(expires_at=1_000_600, ahead_seconds=1e6, host_ahead_seconds=-1e9)
    assert roll_over.plan(session, now=0.0) is None
    assert roll_over.look_at == pytest.approx(540)


@pytest.mark.parametrize(
    ("ahead_seconds", "host_ahead_seconds", "doubted_seconds"),
    [(0.0, 0.0, 10.0), (None, -40.0, 50.0)],
)
def test_an_expiry_that_is_not_believed_is_reported_and_plans_nothing(
    ahead_seconds: float | None, host_ahead_seconds: float, doubted_seconds: float
) -> None:
    roll_over = RollOver(TIMING)
    session = attempt(
        expires_at=10, ahead_seconds=ahead_seconds, host_ahead_seconds=host_ahead_seconds
    )
    assert roll_over.plan(session, now=0.0) == doubted_seconds
    assert roll_over.look_at == math.inf


def test_without_an_expiry_there_is_nothing_to_plan() -> None:
    roll_over = RollOver(TIMING)
    assert roll_over.plan(attempt(), now=0.0) is None
    assert roll_over.look_at == math.inf


def test_the_next_session_takes_over_when_it_knows_what_the_old_one_would_still_say() -> None:
    rolling = Rolling()
    rolling.roll_over.spare = attempt(from_ms=5000)
    assert rolling.step(10_741.0, told_until_ms=5599) is Step.WAIT
    assert rolling.step(10_741.05, told_until_ms=5600) is Step.WAIT  # looked at every 0.1 s
    assert rolling.step(10_741.1, told_until_ms=5600) is Step.HAND_OVER


def test_it_does_not_take_over_in_mid_turn() -> None:
    rolling = Rolling()
    rolling.roll_over.spare = attempt(from_ms=5000)
    assert rolling.step(10_741.0, told_until_ms=9000, in_turn=True) is Step.WAIT


def test_it_does_not_take_over_before_it_is_open() -> None:
    rolling = Rolling()
    rolling.roll_over.spare = spare = attempt(from_ms=5000)
    spare.opened = None
    assert rolling.step(10_741.0, told_until_ms=9000) is Step.WAIT


def until(sent_until_ms: float) -> Outbox:
    audio = Input(8000, TIMING)
    audio.add(bytes(16 * 60_000), 0.0)
    outbox = Outbox(audio.replay, TIMING)
    outbox.start(sent_until_ms, 0.0)
    return outbox


def test_at_the_last_moment_the_old_one_says_its_last_words() -> None:
    rolling = Rolling()
    rolling.roll_over.spare = attempt(from_ms=0)
    assert rolling.step(10_797.0, in_turn=True) is Step.WAIT  # too little was sent to both
    rolling.active.outbox = until(1000)
    assert rolling.step(10_796.9, in_turn=True) is Step.WAIT
    assert rolling.step(10_797.2, in_turn=True) is Step.FINISH


def test_a_spare_session_that_fails_is_opened_again_after_a_pause() -> None:
    rolling = Rolling()
    rolling.roll_over.spare = attempt(from_ms=5000)
    rolling.roll_over.spare.fail(TransientError("lost"), 10_741.0)
    assert rolling.step(10_741.0, told_until_ms=9000) is Step.WAIT
    assert rolling.roll_over.spare is None
    assert rolling.step(10_746.9) is Step.WAIT
    assert rolling.step(10_747.0) is Step.OPEN


def test_the_spare_session_is_taken_once() -> None:
    rolling = Rolling()
    rolling.roll_over.spare = spare = attempt(from_ms=5000)
    assert rolling.roll_over.take(rolling.active, told_until_ms=5600) is spare
    assert rolling.roll_over.take(rolling.active, told_until_ms=5600) is None


def test_a_spare_session_that_has_missed_words_is_not_taken() -> None:
    rolling = Rolling()
    rolling.roll_over.spare = spare = attempt(from_ms=5000)
    assert rolling.roll_over.take(rolling.active, told_until_ms=5599) is None
    assert rolling.roll_over.spare is spare  # to be ended


def test_after_the_last_word_of_the_old_session_nothing_can_be_missed() -> None:
    rolling = Rolling()
    rolling.roll_over.spare = spare = attempt(from_ms=5000)
    rolling.active.outcome = Ended(Termination(type="Termination"))
    assert rolling.roll_over.take(rolling.active, told_until_ms=0) is spare


def test_a_spare_session_that_has_failed_is_not_taken() -> None:
    rolling = Rolling()
    rolling.roll_over.spare = attempt(from_ms=5000)
    rolling.roll_over.spare.fail(TransientError("lost"), 0.0)
    assert rolling.roll_over.take(rolling.active, told_until_ms=9000) is None


def test_a_whole_word_has_to_be_heard_by_both() -> None:
    assert overlaps(attempt(from_ms=1000), until_ms=1600)
    assert not overlaps(attempt(from_ms=1000), until_ms=1599)
