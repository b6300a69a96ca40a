"""A whole stream by hand: verbs in, actions out, each at its time."""

import json
import logging
import math
import sys
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from stt_assemblyai.actions import Action, Close, Connect, Emit, Send, StreamConfig
from stt_assemblyai.attempt import Connection, Role
from stt_assemblyai.audio import ReplayBuffer
from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.errors import AuthenticationError, ConfigurationError, NetworkError
from stt_assemblyai.events import (
    Ended,
    EndOfSpeech,
    Final,
    Interim,
    Interrupted,
    NothingToEnd,
    Noticed,
    Opened,
    Overdue,
    SessionUsage,
    StartOfSpeech,
    StreamEvent,
    Unanswered,
)
from stt_assemblyai.messages import Heartbeat, Termination, Unknown
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.stream import Stream
from stt_assemblyai.timing import Timing

RATE = 8000
VOICE = (np.sin(np.arange(RATE // 20)) * 8000).astype("<i2").tobytes()  # 50 ms
QUIET = bytes(len(VOICE))
FORCE_ENDPOINT = '{"type": "ForceEndpoint"}'
TERMINATE = '{"type": "Terminate"}'
HELLO = {"text": "hello", "start": 100, "end": 900, "word_is_final": True}


def turn(order: int, *words: dict[str, Any], over: bool = False) -> str:
    said = " ".join(each["text"] for each in words)
    fields = {"turn_order": order, "end_of_turn": over, "transcript": said, "words": list(words)}
    return json.dumps({"type": "Turn", "turn_is_formatted": False, **fields})


class Played:
    """A stream, and its time. Each step returns the actions that follow from it."""

    def __init__(self, *, expires_at: int | None = None, **timing: Any) -> None:
        self.now = 0.0
        self.options = SessionOptions(
            sample_rate=RATE, speech_model="universal-streaming-english", max_turn_silence=2400
        )
        choices = TurnChoices(wait_for_formatted_ms=300, replies=False)
        config = StreamConfig(self.options, choices, Timing(**timing))
        self.stream = Stream(config, Retries(Patience(), lambda: 0.5))
        self.begin = json.dumps({"type": "Begin", "id": "s", "expires_at": expires_at})

    def tell(self, verb: Any, *what: Any) -> list[Action]:
        verb(*what, self.now)
        return self.stream.actions()

    def events(self, verb: Any, *what: Any) -> list[StreamEvent]:
        return [each.event for each in self.tell(verb, *what) if isinstance(each, Emit)]

    def frames(self, verb: Any, *what: Any) -> list[str | bytes]:
        return [each.frame for each in self.tell(verb, *what) if isinstance(each, Send)]

    def open(self, key: int = 1) -> "Played":
        """The session is connected, and has begun."""
        if key == 1:
            self.tell(self.stream.start)
        self.tell(self.stream.connected, key, Connection(self.now, ahead_seconds=0.0))
        self.tell(self.stream.receive, key, self.begin)
        return self

    def hear(self, pcm: bytes, count: int) -> list[Action]:
        """Live audio; timers ring when they are due."""
        actions: list[Action] = []
        for _ in range(count):
            actions += self.wait(0.05) + self.push(pcm)
            for key in self.stream.sessions.attempts:
                self.stream.alive(key, self.now)
        return actions

    def push(self, pcm: bytes) -> list[Action]:
        """As the transcriber does it: live if that is all."""
        frame = self.stream.push_live(pcm, self.now)
        if frame is None:
            return self.tell(self.stream.push, pcm)
        sent: list[Action] = [Send(self.stream.live_key, frame)] if frame else []
        return sent + (self.tell(self.stream.look) if frame and self.stream.look_is_due else [])

    def wait(self, seconds: float) -> list[Action]:
        """Time passes; timers ring when they are due."""
        until, actions = self.now + seconds, []
        while (deadline := self.stream.deadline()) <= until:
            self.now = max(self.now, deadline)
            actions += self.tell(self.stream.tick)
        self.now = until
        return actions

    def in_turn(self) -> "Played":
        self.open()
        self.hear(VOICE, 20)
        self.tell(self.stream.receive, 1, turn(0, HELLO))
        return self


def test_a_stream_from_its_first_action_to_its_last() -> None:
    played = Played()
    stream = played.stream
    assert played.tell(stream.start) == [Connect(1, played.options.query())]
    played.now = 0.2
    assert played.tell(stream.connected, 1, Connection(0.2)) == []
    opened = Opened("s", None, (), opening_seconds=0.2)
    assert played.tell(stream.receive, 1, played.begin) == [Emit(opened)]
    assert played.tell(stream.push, VOICE[:300]) == []
    assert played.tell(stream.push, VOICE[300:]) == [Send(1, VOICE)]
    played.now = 1.0
    assert played.tell(stream.end_input) == [Send(1, TERMINATE)]
    assert not stream.over
    goodbye = '{"type": "Termination", "session_duration_seconds": 2}'
    usage = SessionUsage("s", "start", 2.0, False, 0.05, 0.0)
    assert played.tell(stream.receive, 1, goodbye) == [
        Emit(Ended(Termination(type="Termination", session_duration_seconds=2))),
        Close(1),
        Emit(usage),
    ]
    assert stream.over
    assert stream.deadline() == math.inf


def test_a_turn_leaves_as_events() -> None:
    played = Played().in_turn()
    settled = played.events(played.stream.receive, 1, turn(0, HELLO, over=True))
    assert settled == []  # the formatted text is awaited
    assert played.stream.deadline() == played.now + 0.3
    final, end = [each.event for each in played.wait(0.3) if isinstance(each, Emit)]
    assert isinstance(final, Final)
    assert isinstance(end, EndOfSpeech)


def test_a_reply_that_is_ready_ends_the_wait() -> None:
    played = Played().in_turn()
    played.tell(played.stream.receive, 1, turn(0, HELLO, over=True))
    assert [type(event) for event in played.events(played.stream.commit_now)] == [
        Final,
        EndOfSpeech,
    ]


def test_what_concerns_no_session_is_ignored() -> None:
    played = Played().open()
    for verb, *what in (
        (played.stream.connected, 7, Connection(0.0)),
        (played.stream.receive, 7, turn(0, HELLO)),
        (played.stream.closed, 7, 1006, ""),
        (played.stream.refused, 7, NetworkError("no")),
        (played.stream.blocked, 7),
        (played.stream.drained, 7),
        (played.stream.alive, 7),
    ):
        assert played.tell(verb, *what) == []


def test_a_connection_that_is_refused_or_breaks_is_tried_again_after_a_wait() -> None:
    played = Played()
    played.tell(played.stream.start)
    closed, told = played.tell(played.stream.refused, 1, NetworkError("no"))
    assert closed == Close(1)
    assert isinstance(told, Emit)
    assert isinstance(told.event, Interrupted)
    assert played.stream.deadline() == pytest.approx(0.1875)
    assert played.wait(0.2) == [Connect(2, played.options.query())]
    played.open(key=2)
    assert Close(2) in played.tell(played.stream.closed, 2, 1006, "")


def test_audio_waits_while_a_connection_is_blocked_and_silence_means_nothing_then() -> None:
    played = Played().in_turn()
    assert played.tell(played.stream.blocked, 1) == []
    assert played.tell(played.stream.push, VOICE) == []
    assert played.wait(9) == []
    assert played.tell(played.stream.drained, 1) == [Send(1, VOICE)]
    assert played.stream.deadline() > played.now


def test_a_turn_that_does_not_end_is_asked_to_end_and_then_costs_the_session() -> None:
    played = Played().in_turn()
    actions = played.hear(VOICE, 200)
    assert Emit(Overdue()) in actions
    overdue_at = actions.index(Emit(Overdue()))
    assert actions[overdue_at + 1] == Send(1, FORCE_ENDPOINT)
    kinds = [type(each.event) for each in actions[overdue_at:] if isinstance(each, Emit)]
    assert kinds[:4] == [Overdue, Final, EndOfSpeech, Unanswered]
    assert Close(1) in actions
    assert any(isinstance(each, Connect) for each in actions)


def test_a_flush_in_an_open_turn_asks_for_its_end() -> None:
    played = Played().in_turn()
    assert played.tell(played.stream.flush) == [Send(1, FORCE_ENDPOINT)]
    assert not any(each == Emit(NothingToEnd()) for each in played.wait(2.0))


def test_a_flush_without_a_turn_is_answered_at_once_behind_silence() -> None:
    played = Played().open()
    played.hear(QUIET, 20)
    actions = played.tell(played.stream.flush)
    assert actions[-2:] == [Send(1, FORCE_ENDPOINT), Emit(NothingToEnd())]
    assert actions[:-2] in ([], [Send(1, QUIET)])  # a piece may have waited for the next one


def test_a_flush_behind_a_voice_waits_for_its_words() -> None:
    played = Played().open()
    played.hear(QUIET, 20)
    played.hear(VOICE, 20)
    assert played.tell(played.stream.flush) == [Send(1, FORCE_ENDPOINT)]
    assert Emit(NothingToEnd()) in played.wait(1.0)
    played.tell(played.stream.flush)
    word = HELLO | {"start": 1100, "end": 1900}
    assert [type(event) for event in played.events(played.stream.receive, 1, turn(0, word))] == [
        StartOfSpeech,
        Interim,
    ]
    assert Emit(NothingToEnd()) not in played.wait(2.0)


def test_an_update_is_sent_if_it_changes_anything() -> None:
    played = Played().open()
    assert played.tell(played.stream.update, played.options) == []
    revised = played.options.revised(min_turn_silence=900)
    (frame,) = played.frames(played.stream.update, revised)
    assert json.loads(frame) == {"type": "UpdateConfiguration", "min_turn_silence": 900}
    assert played.stream.sessions.config.options == revised


def test_an_update_that_cannot_be_made_changes_nothing() -> None:
    played = Played().open()
    with pytest.raises(ConfigurationError, match="sample_rate"):
        played.tell(played.stream.update, played.options.revised(sample_rate=16_000))
    assert played.stream.actions() == []
    assert played.stream.sessions.config.options == played.options


def test_late_audio_is_replaced_by_silence_in_a_turn() -> None:
    played = Played(mute_after_ms=1000).in_turn()
    assert played.wait(0.99) == []
    assert played.wait(0.1) == [Send(1, QUIET)] * 2


def test_a_session_without_audio_is_ended() -> None:
    played = Played(idle_seconds=20.0).open()
    assert played.wait(19.9) == []
    assert played.wait(0.1) == [Send(1, TERMINATE)]


def test_a_session_that_does_not_begin_is_given_up() -> None:
    played = Played(begin_timeout_seconds=10.0)
    played.tell(played.stream.start)
    played.tell(played.stream.connected, 1, Connection(0.0))
    assert played.wait(9.9) == []
    assert Close(1) in played.wait(0.1)


def test_stop_says_goodbye_and_abandon_does_not() -> None:
    stopped, abandoned = Played().in_turn(), Played().in_turn()
    assert stopped.tell(stopped.stream.stop) == [Send(1, TERMINATE)]
    assert Close(1) in stopped.wait(5.0)
    assert stopped.stream.over
    actions = abandoned.tell(abandoned.stream.abandon)
    assert [each for each in actions if not isinstance(each, Emit)] == [Close(1)]
    kinds = [type(each.event) for each in actions if isinstance(each, Emit)]
    assert kinds == [Final, EndOfSpeech, SessionUsage]
    assert abandoned.stream.over
    assert abandoned.tell(abandoned.stream.abandon) == []


def test_a_stream_that_cannot_be_retried_leaves_no_connection() -> None:
    played = Played()
    played.tell(played.stream.start)
    assert played.tell(played.stream.refused, 1, AuthenticationError("no")) == [Close(1)]
    assert played.stream.over


def test_messages_about_nothing_said_are_passed_on() -> None:
    played = Played().open()
    beat = '{"type": "Heartbeat"}'
    assert played.events(played.stream.receive, 1, beat) == [Noticed(Heartbeat(type="Heartbeat"))]
    assert played.events(played.stream.receive, 1, "{") == [Noticed(Unknown("", "not JSON"))]


def test_what_could_not_be_read_of_a_message_is_told_beside_the_rest() -> None:
    played = Played().open()
    played.hear(VOICE, 20)
    odd = turn(0, HELLO | {"confidence": "sure"})
    *said, noticed = played.events(played.stream.receive, 1, odd)
    assert [type(event) for event in said] == [StartOfSpeech, Interim]
    assert isinstance(noticed, Noticed)
    assert isinstance(noticed.message, Unknown)


def test_a_fault_in_handling_a_message_costs_that_message(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played().open()
    with monkeypatch.context() as broken:
        broken.setattr(TypeAdapter, "validate_json", lambda *_: [][0])
        (noticed,) = played.events(played.stream.receive, 1, turn(0, HELLO))
    assert isinstance(noticed, Noticed)
    assert isinstance(noticed.message, Unknown)
    assert noticed.message.fault.startswith("IndexError at test_stream.py:")
    assert played.events(played.stream.receive, 1, turn(0, HELLO))


def test_a_fault_in_handling_audio_costs_the_session(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    played = Played().open()
    with monkeypatch.context() as broken:
        broken.setattr(ReplayBuffer, "release", lambda *_: [][0])
        actions = played.hear(VOICE, 25) + played.wait(1.0)
    assert Close(1) in actions
    assert [each for each in actions if isinstance(each, Connect)]
    assert any(vars(r).get("fault", "").startswith("IndexError at") for r in caplog.records)


def test_silence_is_sent_in_longer_pieces_and_a_voice_at_once() -> None:
    played = Played().open()
    played.hear(QUIET, 41)  # the line is known to be calm
    frames = [len(each.frame) for each in played.hear(QUIET, 20) if isinstance(each, Send)]
    assert frames == [2 * len(QUIET)] * 10
    played.hear(QUIET, 1)
    assert played.hear(VOICE, 1) == [Send(1, QUIET + VOICE)]
    assert played.hear(VOICE, 1) == [Send(1, VOICE)]


def test_nothing_waits_in_a_turn() -> None:
    played = Played().in_turn()
    frames = [len(each.frame) for each in played.hear(QUIET, 20) if isinstance(each, Send)]
    assert frames == [len(QUIET)] * 20


def test_a_turn_takes_no_more_steps_after_hundreds_of_them() -> None:
    played, steps = Played().open(), []

    def count(_: object, event: str, __: object) -> None:
        steps[-1] += event == "call"

    for number in range(300):
        start = number * 1000 + 100
        word = HELLO | {"start": start, "end": start + 350}
        steps.append(0)
        sys.setprofile(count if number in (10, 299) else None)
        played.hear(VOICE, 10)
        played.tell(played.stream.receive, 1, turn(number, word))
        played.tell(played.stream.receive, 1, turn(number, word, over=True))
        played.hear(QUIET, 10)
        sys.setprofile(None)
    assert steps[10] > 500
    assert steps[299] <= 1.05 * steps[10]


def test_a_silent_line_that_goes_mute_ends_its_session_as_soon_as_any() -> None:
    played = Played(idle_seconds=10).open()
    played.hear(QUIET, 40)  # one piece waits
    assert TERMINATE in [each.frame for each in played.wait(10.1) if isinstance(each, Send)]
    played.tell(played.stream.receive, 1, '{"type": "Termination"}')
    assert played.stream.push(VOICE, played.now)  # which opens another one
    assert [each.key for each in played.stream.actions() if isinstance(each, Connect)] == [2]


def test_more_than_a_chunk_at_once_is_left_to_push() -> None:
    played = Played().open()
    assert played.stream.push_live(VOICE * 3, 0.0) is None
    assert played.frames(played.stream.push, VOICE * 3) == [VOICE] * 3


def test_a_look_at_a_session_that_has_more_to_do_is_put_off() -> None:
    played = Played()
    assert played.tell(played.stream.look) == []
    assert not played.stream.look(0.0)


class Rolling(Played):
    """A session that expires after 90 s, of which 60 have passed: the second one is open."""

    def __init__(self) -> None:
        super().__init__(expires_at=90)
        self.open()
        connects = [each for each in self.hear(QUIET, 1202) if isinstance(each, Connect)]
        assert [key for key, _ in connects] == [2]
        self.begin = '{"type": "Begin", "id": "s2"}'
        self.open(key=2)

    @property
    def active(self) -> int:
        active = self.stream.sessions.active
        assert active is not None
        return active.key


def test_audio_goes_to_both_sessions_of_a_roll_over() -> None:
    rolling = Rolling()
    rolling.hear(VOICE, 1)
    assert rolling.tell(rolling.stream.push, VOICE) == [Send(1, VOICE), Send(2, VOICE)]


def test_what_the_next_session_says_before_it_takes_over_is_kept_until_then() -> None:
    rolling = Rolling()
    rolling.hear(VOICE, 20)
    from_ms = rolling.stream.sessions.attempts[2].outbox.from_ms
    assert rolling.events(rolling.stream.receive, 2, turn(0, HELLO)) == []
    assert rolling.events(rolling.stream.receive, 2, '{"type": "Heartbeat"}') == [
        Noticed(Heartbeat(type="Heartbeat"))
    ]
    actions = rolling.hear(QUIET, 60)
    assert rolling.active == 2
    (start,) = [
        each.event
        for each in actions
        if isinstance(each, Emit) and isinstance(each.event, StartOfSpeech)
    ]
    assert start.start_ms == from_ms + 100


def test_what_a_session_says_after_it_was_left_is_not_heard() -> None:
    rolling = Rolling()
    rolling.hear(QUIET, 100)
    assert rolling.active == 2
    assert rolling.stream.sessions.attempts[1].role is Role.LEAVING
    assert rolling.events(rolling.stream.receive, 1, turn(0, HELLO)) == []
    ended, usage = rolling.events(rolling.stream.receive, 1, '{"type": "Termination"}')
    assert isinstance(ended, Ended)
    assert isinstance(usage, SessionUsage)


def test_the_last_words_of_a_session_that_finishes_are_heard() -> None:
    rolling = Rolling()
    for number in range(14):
        word = HELLO | {"text": f"word{number}", "start": 59_000, "end": 60_000 + number * 2000}
        assert rolling.events(rolling.stream.receive, 1, turn(0, word))
        rolling.hear(VOICE, 40)
    attempt = rolling.stream.sessions.attempts[1]
    assert attempt.role is Role.FINISHING
    assert rolling.stream.sessions.active is attempt
    last = HELLO | {"text": "last", "start": 59_000, "end": 87_000}
    (interim,) = rolling.events(rolling.stream.receive, 1, turn(0, last, over=True))
    assert isinstance(interim, Interim)


def idle_with_first_words() -> Played:
    """No audio came, so Terminate is sent; then the service reports the first words of a turn."""
    played = Played(idle_seconds=3.0).open()
    played.hear(VOICE, 20)
    assert Send(1, TERMINATE) in played.wait(3.1)
    played.tell(played.stream.receive, 1, turn(0, HELLO))
    return played


def test_a_turn_that_is_open_when_an_idle_session_breaks_goes_on_in_another() -> None:
    played = idle_with_first_words()
    played.tell(played.stream.closed, 1, 1006, "")
    assert Connect(2, played.options.query()) in played.wait(1.0)


def test_a_turn_that_is_open_when_an_idle_session_ends_properly_ends_with_it() -> None:
    played = idle_with_first_words()
    told = played.events(played.stream.receive, 1, '{"type": "Termination"}')
    assert [type(each) for each in told if isinstance(each, Final | EndOfSpeech)] == [
        Final,
        EndOfSpeech,
    ]


def test_a_stream_that_is_abandoned_sends_nothing_more() -> None:
    played = Played(replay_speed=1.25).open()
    played.tell(played.stream.push, VOICE * 40)
    played.tell(played.stream.end_input)
    played.now += 0.4
    assert not played.frames(played.stream.abandon)
    assert played.stream.over


def test_a_connection_that_takes_nothing_for_long_is_given_up() -> None:
    played = Played(begin_timeout_seconds=10.0).open()
    played.tell(played.stream.blocked, 1)
    played.tell(played.stream.push, VOICE)
    played.tell(played.stream.end_input)
    assert played.wait(9.9) == []
    played.tell(played.stream.receive, 1, '{"type": "Heartbeat"}')  # the peer still talks
    assert Close(1) in played.wait(0.2)
    assert Connect(2, played.options.query()) in played.wait(1.0)


def test_another_connection_that_drains_says_nothing_about_an_open_turn() -> None:
    played = Played(expires_at=12, shortest_session_seconds=1.0).open()
    assert Connect(2, played.options.query()) in played.hear(QUIET, 170)
    played.tell(played.stream.connected, 2, Connection(played.now))
    played.hear(VOICE, 20)
    played.tell(played.stream.receive, 1, turn(0, HELLO | {"start": 8600, "end": 9400}))
    played.hear(QUIET, 10)
    overdue: list[Action] = []
    for _ in range(6):
        overdue += played.wait(1.0)
        played.tell(played.stream.drained, 2)
    assert Emit(Overdue()) in overdue


def test_a_flush_whose_words_are_still_awaited_is_answered_when_the_stream_ends() -> None:
    played = Played().open()
    played.hear(QUIET, 20)
    played.hear(VOICE, 5)
    assert not played.events(played.stream.flush)
    told = played.events(played.stream.stop)
    told += played.events(played.stream.receive, 1, '{"type": "Termination"}')
    assert told.count(NothingToEnd()) == 1
    assert played.stream.deadline() == math.inf


def test_a_stream_is_started_once() -> None:
    played = Played(idle_seconds=3.0).open()
    played.hear(VOICE, 1)
    played.wait(3.1)
    played.tell(played.stream.receive, 1, '{"type": "Termination"}')
    assert played.tell(played.stream.start) == []
    assert played.stream.deadline() == math.inf


def test_a_stream_that_is_abandoned_says_nothing_on_its_spare_session_either() -> None:
    played = Played(expires_at=12, shortest_session_seconds=1.0).open()
    assert Connect(2, played.options.query()) in played.hear(QUIET, 170)
    played.open(key=2)
    assert not played.frames(played.stream.abandon)
    assert played.stream.over
