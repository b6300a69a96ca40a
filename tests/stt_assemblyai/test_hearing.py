"""What is heard on the active session, when it is given up, and what it has told and missed."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from stt_assemblyai.attempt import Attempt, Connection, Role
from stt_assemblyai.endpointing import TurnChoices, endpointing_for
from stt_assemblyai.events import (
    EndOfSpeech,
    Final,
    Interim,
    Noticed,
    Overdue,
    Preflight,
    SpeakersRevised,
    StartOfSpeech,
    StreamEvent,
    Unanswered,
)
from stt_assemblyai.hearing import Hearing
from stt_assemblyai.messages import Heartbeat, Silence, Warned
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.outbox import Input, Outbox
from stt_assemblyai.protocol import Heard
from stt_assemblyai.timing import Timing

RATE = 8000
VOICE = (np.sin(np.arange(RATE // 20)) * 8000).astype("<i2").tobytes()  # 50 ms
QUIET = bytes(len(VOICE))
TIMING = Timing(keep_seconds=600)
BEGIN = '{"type": "Begin", "id": "s"}'
LONGEST_SILENCE_MS = 2400 + 1500  # the default, and the service's own delay


def word(text: str, start: int, end: int) -> dict[str, Any]:
    return {"text": text, "start": start, "end": end, "word_is_final": True}


def turn(order: int, *words: dict[str, Any], over: bool = False) -> dict[str, Any]:
    said = " ".join(each["text"] for each in words)
    fields = {"turn_order": order, "end_of_turn": over, "transcript": said, "words": list(words)}
    return {"type": "Turn", "turn_is_formatted": over, **fields}


HELLO = word("hello", 100, 900)


class Listening:
    """A hearing and its active session. `told` has all events, with their true times."""

    def __init__(
        self, *, unanswered_seconds: float = 30.0, eager_ms: int | None = None, **options: Any
    ) -> None:
        self.now = 100.0
        self.told: list[StreamEvent] = []
        self.options = SessionOptions(sample_rate=RATE, max_turn_silence=2400, **options)
        self.audio = Input(RATE, TIMING)
        endpointing = endpointing_for(self.options, TurnChoices(eager_ms=eager_ms))
        self.hearing = Hearing(self.audio.replay, endpointing, unanswered_seconds)
        self.attempt = self.session()
        self.hearing.mapper.resume(self.attempt.outbox.clock, 0.0)
        self.take_over(self.attempt)

    def session(self, from_ms: float = 0.0, *, opens: bool = True) -> Attempt:
        """A session that hears the stream from here on."""
        outbox = Outbox(self.audio.replay, TIMING, from_ms=from_ms)
        attempt = Attempt(1, "start", self.options, outbox, TIMING)
        attempt.connect(self.now)
        attempt.connected(Connection(self.now), 0.0, self.now)
        if opens:
            attempt.receive(BEGIN, self.now)
        return attempt

    def take_over(self, attempt: Attempt) -> None:
        attempt.take_over()
        self.attempt = attempt
        self.hearing.take_over(attempt)

    def hear(self, pcm: bytes, count: int, *, lags: bool = False) -> None:
        """Live audio, which the service answers at least by a ping, unless it `lags`."""
        for _ in range(count):
            self.now += 0.05
            self.audio.add(pcm, self.now)
            if not lags:
                self.attempt.alive(self.now)
            for _, chunk in self.attempt.frames(self.now, ended=False):
                assert chunk is not None
                self._tell(self.hearing.after_audio(chunk, self.attempt, self.now) or ())

    def say(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            event = self.attempt.receive(json.dumps(message), self.now)
            assert isinstance(event, Heard)
            self._tell(self.hearing.heard(event, self.attempt, self.now))

    def expire(self, seconds: float) -> None:
        self.now += seconds
        self._tell(self.hearing.expire(self.attempt, self.now))

    def _tell(self, events: Sequence[StreamEvent]) -> None:
        self.told += [self.hearing.corrected(event) for event in events]

    @property
    def speech(self) -> list[str]:
        return [
            f"final {event.transcript.text}" if isinstance(event, Final) else type(event).__name__
            for event in self.told
        ]

    @property
    def fault(self) -> str:
        return self.hearing.fault(self.attempt, self.options, self.now)


def test_words_become_events() -> None:
    listening = Listening()
    listening.hear(VOICE, 20)
    assert not listening.hearing.useful
    listening.say(turn(0, HELLO))
    assert listening.hearing.useful
    assert listening.hearing.in_turn
    listening.say(turn(0, HELLO, over=True))
    assert listening.speech == ["StartOfSpeech", "Interim", "final hello", "EndOfSpeech"]
    assert not listening.hearing.in_turn


def test_a_turn_ends_where_the_voice_ended_whatever_the_service_pads() -> None:
    listening = Listening()
    listening.hear(VOICE, 18)
    listening.hear(QUIET, 20)
    listening.say(turn(0, word("hello", 200, 1400), over=True))
    assert listening.told[-1] == EndOfSpeech(900)


def test_a_turn_that_was_taken_back_ends_where_its_words_did() -> None:
    listening = Listening()
    listening.hear(VOICE, 20)
    listening.say(turn(0, HELLO | {"word_is_final": False}), turn(0, over=True))
    assert listening.told[-1] == EndOfSpeech(900)
    assert not any(isinstance(event, Final) for event in listening.told)


def test_a_voice_that_falls_quiet_after_final_words_is_a_preflight_at_once() -> None:
    listening = Listening(eager_ms=150, speech_model="universal-streaming-english")
    listening.hear(VOICE, 18)
    listening.say(turn(0, HELLO) | {"end_of_turn_confidence": 0.9})
    listening.hear(QUIET, 2)
    assert Preflight not in map(type, listening.told)
    listening.hear(QUIET, 2)
    listening.hear(QUIET, 20)
    assert [type(event) for event in listening.told].count(Preflight) == 1


def test_words_that_come_after_the_quiet_are_a_preflight_too() -> None:
    listening = Listening(eager_ms=150, speech_model="universal-streaming-english")
    listening.hear(VOICE, 18)
    listening.hear(QUIET, 4)
    listening.say(turn(0, HELLO) | {"end_of_turn_confidence": 0.9})
    assert isinstance(listening.told[-1], Preflight)


@pytest.mark.parametrize(("eager_ms", "looks"), [(None, 2), (150, 11)])
def test_live_audio_is_looked_at_now_and_then_unless_a_moment_counts(
    eager_ms: int | None, looks: int
) -> None:
    listening = Listening(eager_ms=eager_ms, speech_model="universal-streaming-english")
    looked = 0
    for number in range(20):
        if number == 10:
            listening.say(turn(0, HELLO) | {"end_of_turn_confidence": 0.9})
        listening.audio.add(VOICE, listening.now)
        (chunk,) = (chunk for _, chunk in listening.attempt.frames(number * 0.05, ended=False))
        assert chunk is not None
        if listening.attempt.outbox.clock.session_ms >= listening.hearing.look_at_ms:
            listening.hearing.after_audio(chunk, listening.attempt, listening.now)
            looked += 1
    assert looked == looks


def test_silence_stands_in_for_late_audio_for_as_long_as_any_turn_needs_to_end() -> None:
    listening = Listening()
    listening.hear(VOICE, 20)
    listening.say(turn(0, HELLO))
    hearing, attempt = listening.hearing, listening.attempt
    assert hearing.longest_silence_ms == LONGEST_SILENCE_MS
    sent = [hearing.fill_in(attempt, listening.now) for _ in range(LONGEST_SILENCE_MS // 50)]
    assert all(chunk is not None and not chunk.live for chunk in sent)
    assert hearing.fill_in(attempt, 500.0) is None
    assert hearing.late_at(attempt, listening.audio) == 501.0  # and again after the usual wait
    assert not attempt.idle


def test_between_turns_a_session_without_audio_is_idle() -> None:
    listening = Listening()
    assert listening.hearing.late_at(listening.attempt, listening.audio) == listening.now + 60
    assert listening.hearing.fill_in(listening.attempt, listening.now) is None
    assert listening.attempt.idle


def test_in_a_turn_audio_is_late_sooner_but_only_for_the_session_that_hears_it() -> None:
    listening = Listening()
    listening.hear(VOICE, 20)
    listening.now += 5
    listening.say(turn(0, HELLO))
    late_at = listening.hearing.late_at(listening.attempt, listening.audio)
    assert late_at == listening.now + 1.0  # counted from the word on
    assert listening.hearing.late_at(listening.session(), listening.audio) == math.inf


def test_the_stand_in_is_no_speech_that_goes_unanswered() -> None:
    listening = Listening(unanswered_seconds=5.0)
    listening.hear(VOICE, 80)
    silence = listening.attempt.outbox.take_silence(listening.now)
    listening.hearing.after_audio(silence, listening.attempt, listening.now)
    assert listening.fault == ""


def test_terminate_ends_any_turn_but_one_of_a_retired_session_goes_on() -> None:
    listening = Listening()
    listening.hear(VOICE, 20)
    listening.say({"type": "SpeechStarted", "timestamp": 50}, turn(0, HELLO))
    listening.attempt.end_as(Role.FINISHING, listening.now)
    listening.say(turn(0, HELLO, word("there", 900, 950), over=True))
    listening.say({"type": "SpeakerRevision", "revisions": []})
    assert listening.told[0] == StartOfSpeech(50)
    assert [type(event) for event in listening.told[1:]] == [Interim, Interim, SpeakersRevised]
    assert listening.hearing.in_turn


def test_what_is_overdue_is_told_only_of_a_session_that_could_have_said_it() -> None:
    listening = Listening(speech_model="universal-streaming-english")
    hearing, attempt = listening.hearing, listening.attempt
    assert hearing.due_at(attempt) == math.inf
    listening.say(turn(0, HELLO) | {"end_of_turn": True})  # its formatted text may follow
    assert listening.now < hearing.due_at(attempt) < math.inf
    assert hearing.due_at(None) == math.inf
    assert hearing.expire(None, hearing.due_at(attempt)) == ()
    assert [type(each) for each in hearing.expire(attempt, hearing.due_at(attempt))][:1] == [Final]


def heartbeat() -> Noticed:
    return Noticed(Heartbeat(type="Heartbeat"))


def test_a_session_whose_heartbeat_stops_is_given_up() -> None:
    listening = Listening(session_heartbeat=True)
    assert listening.fault == ""
    listening.now += 15
    assert listening.fault == ""
    listening.hearing.noticed(heartbeat(), listening.now)
    listening.now += 15
    assert listening.fault == ""
    listening.now += 0.1
    assert listening.fault == "The session's heartbeat stopped"


def test_heartbeats_are_expected_only_while_they_are_asked_for() -> None:
    listening = Listening(session_heartbeat=True)
    assert listening.fault == ""
    listening.options = listening.options.revised(session_heartbeat=False)
    listening.now += 600
    assert listening.fault == ""
    listening.options = listening.options.revised(session_heartbeat=True)
    assert listening.fault == ""  # the wait begins now


def test_heartbeats_are_not_expected_before_begin() -> None:
    listening = Listening(session_heartbeat=True)
    listening.take_over(listening.session(opens=False))
    listening.now += 600
    assert listening.fault == ""


def test_a_service_that_says_nothing_of_speech_is_given_up() -> None:
    listening = Listening(unanswered_seconds=5.0)
    listening.hear(VOICE, 100)
    assert listening.fault == ""
    listening.hear(VOICE, 40)
    assert listening.fault == "The service says nothing of the speech that it is sent"


def test_a_service_that_hears_silence_is_in_order() -> None:
    listening = Listening(unanswered_seconds=5.0)
    for _ in range(20):
        listening.hear(VOICE, 40)
        listening.hearing.noticed(Noticed(Silence(type="Silence")), listening.now)
    assert listening.fault == ""


def test_a_warning_is_no_sign_that_the_service_listens() -> None:
    listening = Listening(unanswered_seconds=5.0)
    listening.hear(VOICE, 140)
    listening.hearing.noticed(Noticed(Warned(type="Warning")), listening.now)
    assert listening.fault == "The service says nothing of the speech that it is sent"


def test_a_service_that_does_not_end_a_turn_when_asked_is_given_up() -> None:
    listening = Listening()
    listening.hear(VOICE, 20)
    listening.say(turn(0, HELLO))
    listening.expire(2.0)
    listening.expire(28.0)
    assert listening.told[-1] == Overdue()
    assert listening.fault == ""
    listening.expire(2.0)
    assert listening.told[-1] == Unanswered()
    assert listening.fault == "The service stopped transcribing"


def test_a_service_that_falls_silent_in_an_open_turn_is_given_up() -> None:
    listening = Listening()
    listening.hear(VOICE, 20)
    listening.say(turn(0, HELLO))
    listening.hear(VOICE, (LONGEST_SILENCE_MS + 10_000) // 50)
    assert listening.fault == ""
    listening.hear(VOICE, 1)
    assert listening.fault == "The service stopped transcribing"
    listening.say(turn(0, HELLO, word("there", 900, 950)))
    assert listening.fault == ""


def told_ms(listening: Listening, attempt: Attempt | None = None) -> float:
    return listening.hearing.told_until_ms(attempt or listening.attempt, listening.now)


def replay_from_ms(listening: Listening, attempt: Attempt | None = None) -> float:
    return listening.hearing.replay_from_ms(attempt or listening.attempt, listening.now)


def test_the_service_has_told_all_but_what_it_may_not_have_processed() -> None:
    """Words come at most 2 s after they were said."""
    listening = Listening()
    listening.hear(QUIET, 100)
    assert told_ms(listening) == pytest.approx(3000)
    listening.hear(QUIET, 40, lags=True)
    assert told_ms(listening) == pytest.approx(3000)


def test_what_was_sent_faster_than_real_time_may_not_be_processed() -> None:
    listening = Listening()
    listening.hear(QUIET, 100)
    listening.attempt.opened_at += 2.0
    assert told_ms(listening) == pytest.approx(1000)


def test_a_session_that_has_ended_properly_has_told_all_that_it_was_sent() -> None:
    listening = Listening()
    listening.hear(VOICE, 100)
    listening.attempt.end_as(Role.ACTIVE, listening.now)
    listening.attempt.receive('{"type": "Termination"}', listening.now)
    assert told_ms(listening) == 5000
    assert replay_from_ms(listening) == 5000


def test_a_session_that_did_not_open_has_told_nothing() -> None:
    listening = Listening()
    late = listening.session(from_ms=700.0, opens=False)
    assert told_ms(listening, late) == 0
    assert replay_from_ms(listening, late) == 700
    late.connection = None
    assert told_ms(listening, late) == 0


def test_in_a_turn_only_settled_words_are_told_and_a_whole_word_is_heard_again() -> None:
    listening = Listening()
    listening.hear(VOICE, 100)
    listening.say(turn(0, HELLO, word("you", 2000, 2200), word("there", 3000, 3400)))
    assert told_ms(listening) == 3400
    assert replay_from_ms(listening) == 2000 - 250


def test_unanswered_speech_is_heard_again() -> None:
    listening = Listening(unanswered_seconds=5.0)
    listening.hear(QUIET, 100)
    listening.hear(VOICE, 140)
    assert listening.fault
    assert told_ms(listening) == pytest.approx(5000 - 700, abs=500)
    assert replay_from_ms(listening) == told_ms(listening)


def test_what_a_deaf_service_was_sent_after_its_last_word_is_heard_again() -> None:
    listening = Listening()
    listening.hear(VOICE, 20)
    listening.say(turn(0, HELLO))
    for _ in range(3):  # it is a pause, then overdue, and then unanswered
        listening.expire(15.0)
    listening.hear(VOICE, 100)
    assert listening.told[-1] == Unanswered()
    assert told_ms(listening) == 900
    assert replay_from_ms(listening) <= 900


def test_audio_that_no_session_needs_again_is_forgotten() -> None:
    listening = Listening()
    listening.hear(QUIET, 200)
    assert listening.audio.replay.milliseconds(listening.audio.replay.start) > 6000


def test_audio_of_an_open_turn_and_unanswered_speech_are_kept() -> None:
    listening = Listening()
    listening.hear(VOICE, 200)
    assert listening.audio.replay.start == 0
    listening.say(turn(0, HELLO))
    listening.hear(VOICE, 100)
    assert listening.audio.replay.milliseconds(listening.audio.replay.start) <= 900


def carried(
    listening: Listening, old_role: Role = Role.ACTIVE, from_ms: float | None = None
) -> list[StreamEvent]:
    """The next session hears the stream from here, or from where it has to."""
    old = listening.attempt
    following = listening.session(replay_from_ms(listening) if from_ms is None else from_ms)
    old.role = old_role
    events = listening.hearing.carry_over(old, following.outbox)
    listening.take_over(following)
    return list(events)


@pytest.mark.parametrize("role", [Role.ACTIVE, Role.FINISHING])
def test_a_turn_that_is_open_when_a_session_ends_goes_on_in_the_next(role: Role) -> None:
    listening = Listening()
    listening.hear(VOICE, 40)
    listening.say(turn(0, HELLO, word("you", 1000, 1200), word("there", 1200, 1600)))
    assert carried(listening, role) == []
    assert listening.hearing.in_turn
    listening.hear(VOICE, 2)
    again = round(listening.attempt.outbox.from_ms)
    listening.say(turn(0, word("there", 1200 - again, 1600 - again), over=True))
    assert listening.speech[-2:] == ["final hello you there", "EndOfSpeech"]


def test_a_turn_of_which_all_is_known_ends_with_its_session() -> None:
    listening = Listening()
    listening.hear(VOICE, 40)
    listening.say(turn(0, HELLO))
    old = listening.attempt
    old.end_as(Role.ACTIVE, listening.now)
    old.receive('{"type": "Termination"}', listening.now)
    assert carried(listening, from_ms=600.0) == []  # a word may be repeated
    listening.attempt = old
    events = carried(listening, from_ms=700.0)
    assert [type(event) for event in events] == [Final, EndOfSpeech]


def test_a_carried_turn_that_the_next_session_says_nothing_of_ends_with_what_is_known() -> None:
    listening = Listening()
    listening.hear(VOICE, 40)
    listening.say(turn(0, HELLO, word("you", 1000, 1200), word("there", 1200, 1600)))
    carried(listening)
    due_ms = 1600 + LONGEST_SILENCE_MS
    while listening.attempt.outbox.until_ms < due_ms - 250:
        listening.hear(QUIET, 1)
    assert listening.hearing.in_turn
    assert listening.fault == ""
    listening.hear(QUIET, 10)
    assert listening.speech[-2:] == ["final hello you there", "EndOfSpeech"]


def test_what_a_session_heard_ahead_is_told_when_it_takes_over() -> None:
    listening = Listening()
    ahead = listening.session()
    for frame in (turn(0, HELLO), turn(0, HELLO, over=True)):
        event = ahead.receive(json.dumps(frame), listening.now)
        assert isinstance(event, Heard)
        ahead.kept.append(event)
    listening.take_over(ahead)
    events = listening.hearing.catch_up(ahead, listening.now)
    assert [type(event) for event in events] == [StartOfSpeech, Interim, Final, EndOfSpeech]
    assert ahead.kept == []
    assert listening.hearing.useful
