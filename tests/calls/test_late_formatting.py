"""What a caller sees of a turn, and what is kept of it, when its formatted text comes late."""

from pathlib import Path
from typing import Any

from agent.call.history.record import Said, unfinished
from agent.caller.conversation import greeting, take_turn
from agent.caller.transcript import words
from workbench.local.calling.corpus import synthesised


def recorded(directory: Path) -> list[Said]:
    (record,) = directory.glob("*.jsonl")
    return unfinished(record)


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
