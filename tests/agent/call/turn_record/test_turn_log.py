"""A line of the log for each turn."""

import io
import json
import logging

from agent.call.turn_record.turn_log import log_turn
from agent.log import JsonLine, TextLine
from agent.records.schema import CallersPart, HandedOver, Reply, Turn, Word

TURN = Turn(
    index=3,
    origin="caller",
    caller_part=CallersPart(
        committed_ms=1000,
        end_reason="typed",
        words=[Word(text="pelican", start_ms=1, end_ms=2)],
    ),
    reply=Reply(first_sound_ms=1500),
)


def logged(formatter: logging.Formatter) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    log = logging.getLogger("agent.call.turn_record.turn_log")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        log_turn(HandedOver())
        log_turn(TURN)
    finally:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)
    return stream.getvalue()


def test_people_see_it_at_a_glance() -> None:
    (line,) = logged(TextLine(transcripts=False)).splitlines()
    assert line.endswith("INFO    turn 3  0.50 s  typed")


def test_machines_get_all_of_it_without_what_was_said() -> None:
    (line,) = logged(JsonLine(transcripts=False)).splitlines()
    fields = json.loads(line)
    assert fields["message"] == "turn over"
    assert fields["turn"]["reply"]["first_sound_ms"] == 1500
    assert "pelican" not in line
    assert "glance" not in fields
