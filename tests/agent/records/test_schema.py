"""The lines of a call's record: what is written is read again, and words can be left out."""

import pytest
from pydantic import ValidationError

from agent.records import schema
from agent.records.schema import LINE

TURN = schema.Turn(
    at=1000.5,
    index=2,
    origin="caller",
    caller_part=schema.CallersPart(
        ended_ms=4000,
        decided_ms=4300,
        end_reason="confidence",
        end_confidence=0.8,
        words=[schema.Word(text="pelican", start_ms=3500, end_ms=3990)],
    ),
    reply=schema.Reply(
        first_token_ms=4700,
        llm=[schema.Attempt(provider="models.example/fast", took_for_ms=400)],
        words=[schema.Word(text="heron", start_ms=5000, end_ms=5200)],
    ),
    tools=[schema.Tool(tool="order", started_ms=4500, ended_ms=4600)],
)


def test_a_line_is_read_as_it_was_written() -> None:
    written = TURN.model_dump_json(exclude_none=True)
    assert LINE.validate_json(written) == TURN


def test_a_reader_skips_fields_that_it_does_not_know() -> None:
    read = LINE.validate_json('{"kind": "end", "ending": "caller_left", "mood": "good"}')
    assert read == schema.End(ending="caller_left")


@pytest.mark.parametrize("line", ['{"kind": "mood"}', '{"kind": "end"}', "[]", "{"])
def test_a_line_of_another_kind_or_shape_is_refused(line: str) -> None:
    with pytest.raises(ValidationError):
        LINE.validate_json(line)


def test_no_word_is_left_in_a_line_without_words() -> None:
    left = schema.without_words(TURN)
    assert "pelican" not in str(left)
    assert "heron" not in str(left)
    assert left["tools"] == [
        {"tool": "order", "started_ms": 4500, "ended_ms": 4600, "outcome": "ok"}
    ]
    assert left["caller_part"]["decided_ms"] == 4300


def test_the_cost_of_a_call_is_the_sum_of_its_parts() -> None:
    assert schema.Cost(stt=0.25, llm=0.5, tts=1.0).total == 1.75
