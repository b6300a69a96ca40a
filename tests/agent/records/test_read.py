"""Records are read as calls, however torn, old or long they are."""

from pathlib import Path

import pytest

from agent.records.read import RecordedCall, calls_in, files_in, read_calls
from agent.records.schema import AnyLine, Call, End, Formatted, Said, SttSession, Turn
from workbench.local.calling import sample_records

WHERE = Path("RM_1.jsonl")


def data(*lines: object) -> bytes:
    """Lines of a record; strings as they are."""
    written = [
        each if isinstance(each, str) else each.model_dump_json(exclude_none=True)  # type: ignore[attr-defined]  # a line
        for each in lines
    ]
    return "\n".join(written).encode()


def only(*lines: object) -> RecordedCall:
    (call,) = calls_in(data(*lines), WHERE)
    return call


def test_a_call_has_the_lines_of_its_record_in_order() -> None:
    lines = sample_records.eventful()
    call = only(*lines)
    assert list(call.lines) == lines
    assert [turn.index for turn in call.turns] == [1, 2, 3, 4, 5, 6, 7]
    assert call.first.room == "support-17"
    assert call.seconds == 56.4
    assert call.end == lines[-1]
    assert call.name == "RM_1"
    assert call.unread == 0


@pytest.mark.parametrize(
    "torn",
    [
        '{"kind": "turn", "ind',
        "not JSON",
        '{"kind": "mood"}',
        "[]",
        "[" * 100_000,
        '{"kind": "handed_over", "at": 1e300}',
        '{"kind": "handed_over", "at": -1}',
        '{"kind": "handed_over", "at": NaN}',
    ],
)
def test_what_cannot_be_read_is_counted_and_skipped(torn: str) -> None:
    call = only(sample_records.call(), torn, "", End(ending="caller_left"))
    assert call.unread == 1
    assert len(call.lines) == 2


def test_a_file_without_any_line_holds_no_call() -> None:
    assert calls_in(b"", WHERE) == []
    assert calls_in(b"garbage\n", WHERE) == []


def test_a_call_without_an_end_has_lasted_until_its_last_line() -> None:
    call = only(Call(at=100.0), Said(at=103.5, role="user", text="hello"))
    assert call.end is None
    assert call.seconds == 3.5


def test_an_older_record_has_what_was_said_in_lines_of_turns() -> None:
    call = only(
        '{"kind": "turn", "at": 5.0, "role": "user", "text": "hello", "mark": "backchannel"}',
        '{"kind": "end", "at": 9.0, "ending": "caller_left"}',
    )
    assert call.every(Said) == [Said(at=5.0, role="user", text="hello", mark="backchannel")]
    assert call.first == Call(at=5.0)
    assert call.seconds == 4.0


@pytest.mark.parametrize("with_words", [True, False])
def test_of_a_newer_record_only_the_values_are_lost_that_nobody_knows_here(
    with_words: bool,
) -> None:
    newer = (
        '{"kind": "turn", "index": 4, "origin": "caller", "caller_part": {"ended_ms": 5, '
        '"end_reason": "by_smell"}, "reply": {"first_sound_ms": 9, "interruptions": [{"at_ms": 1, '
        '"by": "smell", "outcome": "true"}]}}'
    )
    wrong = '{"kind": "preset", "at_ms": "soon", "preset": "seed"}'
    (call,) = calls_in(data(Call(), newer, wrong), WHERE, with_words=with_words)
    (turn,) = call.turns
    assert turn.caller_part.ended_ms == 5
    assert turn.caller_part.end_reason is None
    assert turn.reply
    assert turn.reply.first_sound_ms == 9
    assert turn.reply.interruptions == []
    assert call.unread == 1  # without its time it says nothing


@pytest.mark.parametrize("with_words", [True, False])
def test_a_second_agent_goes_on_in_the_same_call_and_on_the_first_ones_clock(
    with_words: bool,
) -> None:
    second = sample_records.turn(1, 500, "are you there", "Yes, I am here again.", llm=10)
    lines: list[AnyLine] = [
        Call(at=100.0),
        Turn(index=1, origin="greeting"),
        Said(at=108.0, role="user", text="hello", turn=2),
        Call(at=120.0, replaces_agent=True),
        Said(at=121.0, role="user", text="are you there", turn=1),
        second,
    ]
    (call,) = calls_in(data(*lines), WHERE, with_words=with_words)
    assert len(call.agents) == 2
    assert [turn.index for turn in call.turns] == [1, 3]
    assert [each.turn for each in call.every(Said)] == [2, 3]
    moved, reply = call.turns[1].caller_part, call.turns[1].reply
    assert reply
    assert second.reply
    assert moved.started_ms == 20_500
    assert moved.words[0].start_ms == 20_500
    assert reply.llm == second.reply.llm  # durations stay


def test_a_room_that_was_used_again_holds_two_calls() -> None:
    session = SttSession(reason="start", billed_seconds=1.0)
    first, second = calls_in(
        data(Call(at=1.0), End(ending="caller_left"), session, Call(at=50.0)), WHERE
    )
    assert (first.name, second.name) == ("RM_1#1", "RM_1#2")
    assert first.every(SttSession) == [session]  # told after the end, and still of that call
    assert (first.started_at, second.started_at) == (1.0, 50.0)


def test_without_words_all_else_is_the_same() -> None:
    written = data(*sample_records.healthy())
    (whole,), (brief,) = calls_in(written, WHERE), calls_in(written, WHERE, with_words=False)
    assert not brief.every(Said)
    assert not [turn for turn in brief.turns if turn.caller_part.words]
    for turn, other in zip(whole.turns, brief.turns, strict=True):
        assert turn.caller_part.ended_ms == other.caller_part.ended_ms
        assert turn.reply
        assert other.reply
        assert turn.reply.llm == other.reply.llm


def test_a_call_with_interruptions_is_read_with_its_words_in_any_case() -> None:
    written = data(*sample_records.eventful())
    assert calls_in(written, WHERE, with_words=False) == calls_in(written, WHERE)


@pytest.mark.parametrize("with_words", [True, False])
def test_a_formatted_text_that_came_after_its_turns_line_is_in_its_turn(with_words: bool) -> None:
    first, second = (
        sample_records.turn(index, 4000 * index, "hello there", "Hi.", part={"formatted_ms": None})
        for index in (1, 2)
    )
    third = sample_records.turn(3, 12_000, "hello there", "Hi.")
    texts = [Formatted(at=at, replaces="hello there", text="Hello there.") for at in (6.5, 13.5, 0)]
    lines = data(Call(at=0.0), first, second, *texts, third)
    (call,) = calls_in(lines, WHERE, with_words=with_words)
    told = third.caller_part.formatted_ms
    assert [turn.caller_part.formatted_ms for turn in call.turns] == [6500, None, told]


def test_files_are_listed_by_the_time_at_which_they_were_written(tmp_path: Path) -> None:
    import os

    for name, at in (("b", 10), ("a", 20), ("c", 30)):
        path = sample_records.write(tmp_path / f"{name}.jsonl", sample_records.healthy(1))
        os.utime(path, (at, at))
    (tmp_path / "notes.txt").write_text("no record")
    assert [path.stem for path in files_in(tmp_path)] == ["b", "a", "c"]
    assert [path.stem for path in files_in(tmp_path, since=15)] == ["a", "c"]
    assert read_calls(tmp_path / "a.jsonl")[0].first.room == "support-17"


@pytest.mark.parametrize("seconds", ["NaN", "Infinity", "1e308", "-1e13", '"inf"', "1" * 400])
def test_a_number_that_cannot_be_is_not_known(seconds: str) -> None:
    call = only(
        sample_records.call(),
        f'{{"kind": "end", "at": 1790000009, "ending": "caller_left", "seconds": {seconds}}}',
    )
    assert call.end
    assert call.end.ending == "caller_left"
    assert call.end.seconds is None
    assert call.unread == 0


def test_links_that_lead_nowhere_do_not_hide_other_records(tmp_path: Path) -> None:
    (tmp_path / "RM_0.jsonl").symlink_to(tmp_path / "nothing")
    (tmp_path / "RM_2.jsonl").symlink_to(tmp_path / "RM_2.jsonl")
    (tmp_path / "RM_1.jsonl").touch()
    assert files_in(tmp_path) == [tmp_path / "RM_1.jsonl"]
