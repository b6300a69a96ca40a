"""What a stream logs: each kind of oddity once, and nothing of what is said."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from stt_assemblyai.errors import CloseCode, QuotaError
from stt_assemblyai.events import Interrupted, NothingToEnd, Noticed, Opened, Overdue
from stt_assemblyai.messages import Heartbeat, Unknown, Warned
from stt_assemblyai.stream_log import StreamLog

FIELDS = (
    "session_id", "reason", "opening_seconds", "mismatches", "warning", "message_type", "fault",
    "error_type", "code", "remedy", "wait_seconds", "failures", "dropped_ms", "lifetime_seconds",
)  # fmt: skip


class Lines:
    """One stream's log, and the lines in it: level, text, fields."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self.log = StreamLog()
        self.log.session_id = "s1"

    def __iter__(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for record in self._caplog.records:
            fields = {name: vars(record)[name] for name in FIELDS if name in vars(record)}
            yield record.levelname, record.getMessage(), fields


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    caplog.set_level(logging.DEBUG, logger="stt_assemblyai")
    return Lines(caplog)


def test_an_opened_session_is_told_with_its_reason(lines: Lines) -> None:
    lines.log.opened(Opened("s2", None, (), opening_seconds=0.12345), "roll over")
    (line,) = lines
    fields = {"session_id": "s2", "reason": "roll over", "opening_seconds": 0.123}
    assert line == ("INFO", "AssemblyAI session opened", fields)


def test_a_session_that_is_not_as_asked_is_warned_of(lines: Lines) -> None:
    lines.log.opened(Opened("s2", None, ("model: asked for a, given b",)), "start")
    _, (level, text, fields) = lines
    assert (level, text) == ("WARNING", "AssemblyAI session differs from what was asked")
    assert fields["mismatches"] == ("model: asked for a, given b",)


def test_a_roll_over_is_told_with_the_old_session(lines: Lines) -> None:
    lines.log.rolls_over()
    assert list(lines) == [("INFO", "AssemblyAI session rolls over", {"session_id": "s1"})]


def test_an_interruption_is_told_with_its_cause_and_what_follows(lines: Lines) -> None:
    error = QuotaError("Too many", remedy="Wait.", code=CloseCode(3009))
    lines.log.interrupted(Interrupted(error, 12.34567, dropped_ms=50), failures=3)
    (level, text, fields), *_ = lines
    assert (level, text) == ("WARNING", "AssemblyAI session interrupted; trying again")
    assert fields == {
        "session_id": "s1",
        "error_type": "QuotaError",
        "code": 3009,
        "remedy": "Wait.",
        "wait_seconds": 12.346,
        "failures": 3,
        "dropped_ms": 50,
    }


def test_an_expiry_that_cannot_be_right_is_said_once_in_a_stream(lines: Lines) -> None:
    lines.log.doubts_expiry(59.6)
    lines.log.doubts_expiry(-4000.0)
    ((level, text, fields),) = lines
    assert (level, fields["lifetime_seconds"]) == ("WARNING", 60)
    assert "cannot be right" in text


def test_a_fault_of_our_own_is_told_by_its_place(lines: Lines) -> None:
    lines.log.fault("KeyError at turns.py:7")
    ((level, _, fields),) = lines
    assert (level, fields["fault"]) == ("WARNING", "KeyError at turns.py:7")


@pytest.mark.parametrize(
    ("event", "text", "fields"),
    [
        (Overdue(), "A turn did not end; AssemblyAI is asked to end it", {}),
        (Noticed(Warned(type="Warning", warning="Slow")), "AssemblyAI warns", {"warning": "Slow"}),
        (
            Noticed(Unknown("Tomorrow")),
            "AssemblyAI sends messages of a type that is not known; they are ignored",
            {"message_type": "Tomorrow", "fault": ""},
        ),
        (
            Noticed(Unknown("Turn", "turn_order: Field required")),
            "A message of AssemblyAI could not be read as a whole",
            {"message_type": "Turn", "fault": "turn_order: Field required"},
        ),
    ],
)
def test_events_that_somebody_should_look_at_are_warned_of(
    event: Overdue | Noticed, text: str, fields: dict[str, Any], lines: Lines
) -> None:
    lines.log.event(event)
    assert list(lines) == [("WARNING", text, {"session_id": "s1", **fields})]


@pytest.mark.parametrize("event", [NothingToEnd(), Noticed(Heartbeat(type="Heartbeat"))])
def test_what_is_usual_is_not_logged(event: NothingToEnd | Noticed, lines: Lines) -> None:
    lines.log.event(event)
    assert not list(lines)


def test_each_kind_of_odd_message_is_told_once(lines: Lines) -> None:
    for _ in range(3):
        for fault in ("", "not JSON"):
            lines.log.event(Noticed(Unknown("Turn", fault)))
    assert [fields["fault"] for _, _, fields in lines] == ["", "not JSON"]


def test_a_service_that_always_finds_a_new_oddity_does_not_fill_the_disk(lines: Lines) -> None:
    for number in range(1000):
        lines.log.event(Noticed(Unknown(f"Type{number}")))
    assert len(list(lines)) == 20
