"""What a caller sees of a turn, and what is kept of it, when its formatted text comes late."""

import json
from pathlib import Path
from typing import Any

from workbench.conversation import greeting, take_turn
from workbench.corpus import synthesised
from workbench.transcript import words


def recorded(directory: Path) -> list[dict[str, Any]]:
    (record,) = directory.glob("*.jsonl")
    return [json.loads(line) for line in record.read_text().splitlines()]


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
    lines = recorded(tmp_path)
    formatted = [line["text"] for line in lines if line["kind"] == "formatted"]
    assert formatted == [each.text for each in seen]
    answers = [line for line in lines if line["kind"] == "turn" and line["role"] == "assistant"]
    assert len(answers) == 3  # with the greeting: none was given twice
