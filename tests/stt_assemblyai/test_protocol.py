"""One session's life: what may be sent when, what ends it, and what it then says of itself."""

import json
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stt_assemblyai.errors import (
    AuthenticationError,
    NetworkError,
    QuotaError,
    RenewalError,
    TransientError,
)
from stt_assemblyai.events import Ended, Noticed, Opened
from stt_assemblyai.messages import ForceEndpoint, Terminate, Termination, Turn, Unknown
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.protocol import Failed, Heard, Session, State


def wire(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


BEGIN = wire("Begin", id="s1", expires_at=1790221526)
TURN = wire("Turn", turn_order=0, end_of_turn=False, transcript="hi")
TERMINATION = wire("Termination", audio_duration_seconds=12, session_duration_seconds=15)


def opened(**options: Any) -> Session:
    session = Session(SessionOptions(**options))
    session.receive(BEGIN)
    return session


def test_begin_opens_the_session() -> None:
    session = Session(SessionOptions())
    assert session.receive(BEGIN) == Opened("s1", 1790221526, ())
    assert session.state is State.OPEN


def test_begin_without_expiry_or_configuration_is_enough() -> None:
    assert Session(SessionOptions()).receive(wire("Begin", id="s")) == Opened("s", None, ())


def test_a_second_begin_changes_nothing() -> None:
    session = opened()
    assert session.receive(BEGIN) == Noticed(Unknown("Begin", "a second Begin"))
    assert session.state is State.OPEN
    session.say(Terminate())
    assert session.receive(BEGIN) == Noticed(Unknown("Begin", "a second Begin"))
    assert session.state is State.ENDING


def test_begin_tells_what_differs_from_what_was_asked() -> None:
    session = Session(SessionOptions(speech_model="universal-3-6-pro", speaker_labels=True))
    event = session.receive(
        wire(
            "Begin",
            id="s",
            configuration={
                "model": "universal-streaming-english",
                "mode": "balanced",
                "speaker_labels": True,
                "domain": None,
            },
        )
    )
    assert event == Opened(
        "s", None, ("model: asked for universal-3-6-pro, given universal-streaming-english",)
    )


@pytest.mark.parametrize(
    ("model", "said"), [("whisper-rt", ""), ("universal-streaming-english", "[Music]")]
)
def test_sounds_are_no_words_where_the_model_writes_them_down(model: str, said: str) -> None:
    session = Session(SessionOptions(speech_model=model))
    session.receive(BEGIN)
    event = session.receive(
        json.dumps({"type": "Turn", "turn_order": 0, "transcript": "[Music]", "words": []})
    )
    assert isinstance(event, Heard)
    assert isinstance(event.message, Turn)
    assert event.message.transcript == said


def test_turns_are_passed_on() -> None:
    event = opened().receive(TURN)
    assert isinstance(event, Heard)
    assert isinstance(event.message, Turn)


@pytest.mark.parametrize(
    "frame",
    [
        wire("Warning", warning="careful"),
        wire("Heartbeat"),
        wire("Silence", start_ms=0, end_ms=1),
        wire("LLMGatewayResponse", turn_order=0),
        wire("FooBar"),
        "{",
    ],
)
def test_everything_else_is_only_noticed(frame: str) -> None:
    session = opened()
    assert isinstance(session.receive(frame), Noticed)
    assert session.state is State.OPEN


def test_a_session_that_is_terminated_ends_with_its_termination() -> None:
    session = opened()
    assert json.loads(session.say(Terminate())) == {"type": "Terminate"}
    assert session.state is State.ENDING
    assert isinstance(session.receive(TURN), Heard)  # in flight
    assert session.receive(TERMINATION) == Ended(
        Termination(type="Termination", audio_duration_seconds=12, session_duration_seconds=15)
    )
    assert session.state is State.ENDED


def test_a_close_while_ending_is_an_end_without_termination() -> None:
    session = opened()
    session.say(Terminate())
    event = session.receive_close(1006, "")
    assert isinstance(event, Ended)
    assert event.termination is None
    assert isinstance(event.error, TransientError)


def test_a_session_may_be_terminated_before_it_began() -> None:
    session = Session(SessionOptions())
    session.say(Terminate())
    assert isinstance(session.receive(BEGIN), Opened)
    assert session.state is State.ENDING


def test_other_messages_do_not_end_it() -> None:
    session = opened()
    assert json.loads(session.say(ForceEndpoint())) == {"type": "ForceEndpoint"}
    assert session.state is State.OPEN


def test_nothing_can_be_sent_after_terminate() -> None:
    session = opened()
    session.say(Terminate())
    assert not session.writable
    with pytest.raises(RuntimeError, match="in a session that is ending"):
        session.say(Terminate())


def test_the_servers_own_words_say_why_it_failed() -> None:
    session = Session(SessionOptions())
    event = session.receive(
        wire("Error", error_code=1008, error="Unauthorized Connection: Invalid API key")
    )
    assert isinstance(event, Failed)
    assert isinstance(event.error, AuthenticationError)
    assert event.error.server_text == "Unauthorized Connection: Invalid API key"
    assert session.state is State.FAILED


def test_an_error_without_a_code_waits_for_the_close_that_has_it() -> None:
    session = opened()
    assert session.receive('{"error": "Too many concurrent sessions"}') is None
    event = session.receive_close(1008, "See Error message for details")
    assert isinstance(event, Failed)
    assert isinstance(event.error, QuotaError)


def test_a_close_out_of_the_blue_is_a_failure() -> None:
    event = opened().receive_close(1006, "")
    assert isinstance(event, Failed)
    assert isinstance(event.error, TransientError)


def test_a_termination_nobody_asked_for_means_renew() -> None:
    event = opened().receive(TERMINATION)
    assert isinstance(event, Failed)
    assert isinstance(event.error, RenewalError)


def test_the_caller_may_give_up_on_it() -> None:
    session = opened()
    error = NetworkError("The session did not begin")
    assert session.fail(error) == Failed(error)
    assert session.fail(error) is None


def test_what_is_over_is_silent_for_ever() -> None:
    session = opened()
    session.receive_close(1006, "")
    assert session.over
    assert session.receive(TURN) is None
    assert session.receive_close(1000, "") is None


class Life(RuleBasedStateMachine):
    """Any order of what either side may do: a session has one end, and is silent after it."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(SessionOptions())
        self.ends = 0

    def take(self, event: Any) -> None:
        assert not (self.ends and event is not None), "it spoke after its end"
        self.ends += isinstance(event, Ended | Failed)

    @rule(
        frame=st.sampled_from(
            [BEGIN, TURN, TERMINATION, wire("Error", error="no"), wire("Heartbeat"), "{"]
        )
        | st.builds(
            wire,
            st.just("Error"),
            error=st.text(),
            error_code=st.sampled_from([1008, 3005, 3006, 3007, 3008, 3009, 9]),
        )
    )
    def the_service_speaks(self, frame: str) -> None:
        self.take(self.session.receive(frame))

    @rule(code=st.sampled_from([1000, 1005, 1006, 1008, 1011, 3008]))
    def the_connection_closes(self, code: int) -> None:
        self.take(self.session.receive_close(code, ""))
        assert self.session.over

    @rule()
    def the_caller_gives_up(self) -> None:
        self.take(self.session.fail(NetworkError("too slow")))
        assert self.session.over

    @precondition(lambda self: self.session.writable)
    @rule(message=st.sampled_from([ForceEndpoint(), Terminate()]))
    def the_caller_speaks(self, message: ForceEndpoint | Terminate) -> None:
        self.session.say(message)
        assert self.session.writable is not isinstance(message, Terminate)

    @invariant()
    def it_ends_once(self) -> None:
        assert self.ends == self.session.over
        assert not (self.session.over and self.session.writable)


TestLife = Life.TestCase


def test_a_turn_of_silence_from_whisper_has_no_words() -> None:
    session = Session(SessionOptions(speech_model="whisper-rt"))
    fields = {"turn_order": 0, "end_of_turn": True, "utterance": "[Silence]"}
    heard = session.receive(json.dumps({"type": "Turn", "transcript": " silence", **fields}))
    assert isinstance(heard, Heard)
    assert isinstance(heard.message, Turn)
    assert heard.message.transcript == ""
