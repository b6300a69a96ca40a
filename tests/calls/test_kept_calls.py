"""What is kept of a call, from the question whether it may be kept to the store that has it."""

import asyncio
import json
from pathlib import Path
from typing import Any

from agent.caller.conversation import greeting, take_turn
from agent.caller.transcript import words
from agent.records.object_store import ObjectStore
from workbench.local.calling.corpus import synthesised
from workbench.local.calling.kept_sound import sides
from workbench.local.s3_server import BUCKET, find_or_build, s3_server
from workbench.local.workers import GREETING


async def test_a_call_that_the_caller_lets_record_is_in_the_store_to_its_last_words(
    start_worker: Any, dial: Any, tmp_path: Path
) -> None:
    where = f"s3://{BUCKET}/agent"
    async with s3_server(await find_or_build(print), tmp_path / "s3.log") as server:
        worker = await start_worker(
            AGENT_CONSENT="This call is recorded. Is that all right?",
            AGENT_RECORD_DIR=str(tmp_path / "records"),
            AGENT_RECORD_AUDIO="true",
            AGENT_RECORD_STORE=where,
            **server.variables,
        )
        caller = await dial(worker)
        _, asked = await greeting(caller, timeout_seconds=40)
        assert "is that all right" in words(asked)
        answered = await take_turn(caller, synthesised("Yes, that is fine."), timeout_seconds=40)
        assert words(answered.reply_text) == words(GREETING)
        await hang_up_in_mid_sentence(caller)
        sent = json.loads(await worker.log_line('"a record was sent"'))["name_in_store"]
        store, name = ObjectStore(where, server.variables), sent.rpartition("-")[2]
        record = await store.get(f"{sent}/{name}.jsonl")
        sound = await store.get(f"{sent}/{name}.ogg")
    assert record
    assert sound
    lines = [json.loads(line) for line in record.splitlines()]
    assert [each["answer"] for each in lines if each["kind"] == "consent"] == ["yes"]
    (cut_off,) = [each for each in lines if each.get("mark") == "unfinished"]
    assert "my number" in words(cut_off["text"])
    assert lines[-1]["kind"] == "end"
    said, heard = await asyncio.to_thread(sides, written(tmp_path / "sound.ogg", sound))
    assert said[0].start_seconds > heard[0].end_seconds - 1
    assert len(said) >= 2
    assert len(heard) >= 2


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


async def hang_up_in_mid_sentence(caller: Any) -> None:
    """Say something long, and leave once its beginning is on the screen."""
    begun_seconds = caller.now_seconds
    speech = synthesised("My number is one two three four five six seven eight nine ten eleven.")
    saying = asyncio.create_task(caller.say(speech.samples))
    await caller.until(
        lambda: "number" in caller.transcript.said_by(caller.identity, since_seconds=begun_seconds),
        timeout_seconds=20,
        what="its first words are seen",
    )
    await caller.hang_up()
    saying.cancel()
    await asyncio.wait([saying])
