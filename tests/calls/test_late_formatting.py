"""What a caller sees of a turn, and what is kept of it, when its formatted text comes late."""

from pathlib import Path
from typing import Any

from agent.call.history.record import Said, unfinished
from agent.caller.conversation import greeting, take_turn
from agent.caller.transcript import words
from agent.records.schema import LINE, Turn
from workbench.local.calling.corpus import synthesised


def recorded(directory: Path) -> list[Said]:
    (record,) = directory.glob("*.jsonl")
    return unfinished(record)


def stages_ms(directory: Path) -> list[int | None]:
    """The times of the first turn of the caller, in the order in which they should be."""
    (record,) = directory.glob("*.jsonl")
    lines = map(LINE.validate_json, record.read_text("utf-8").splitlines())
    turn = next(each for each in lines if isinstance(each, Turn) and each.origin == "caller")
    part, reply = turn.caller_part, turn.reply
    assert reply
    assert (part.end_reason, reply.llm[0].error, reply.tts[0].error) == ("confidence", None, None)
    assert part.words[0].start_ms < part.words[-1].end_ms
    assert "twelve" in words(" ".join(each.text for each in reply.words))
    return [
        part.started_ms,
        part.ended_ms,
        part.last_word_final_ms,
        part.decided_ms,
        part.committed_ms,
        reply.asked_ms,
        reply.first_token_ms,
        reply.first_clause_ms,
        reply.first_audio_ms,
        reply.first_sound_ms,
        reply.ended_ms,
    ]


async def test_a_late_formatted_text_is_seen_and_recorded_and_said_no_second_time(
    start_worker: Any, dial: Any, tmp_path: Path
) -> None:
    worker = await start_worker(
        ASSEMBLYAI_WAIT_FOR_FORMATTED_MS="0", AGENT_RECORD_DIR=str(tmp_path)
    )
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    first = await take_turn(caller, synthesised("What is seven plus five?"), timeout_seconds=40)
    second = await take_turn(caller, synthesised("What is your name?"), timeout_seconds=40)
    assert "twelve" in words(first.reply_text)
    assert "alex" in words(second.reply_text)
    seen = [each for each in caller.transcript.segments if each.speaker == caller.identity]
    assert [each.text[-1] for each in seen] == ["?", "?"]  # the plain text has none
    kept = recorded(tmp_path)
    assert [each.text for each in kept if each.role == "user"] == [each.text for each in seen]
    assert len([each for each in kept if each.role == "assistant"]) == 3  # none was given twice
    times = [each for each in stages_ms(tmp_path) if each is not None]
    assert len(times) == 11
    assert times == sorted(times)
