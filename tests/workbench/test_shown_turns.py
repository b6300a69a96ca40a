"""`make run` shows in its terminal what calls do, out of the worker's log."""

import asyncio
import json
from pathlib import Path

import pytest

from agent.records.schema import CallersPart, Reply, Turn, without_words
from workbench.local.shown_turns import LOOK_SECONDS, show_turns, shown

TURN = Turn(
    index=2,
    origin="caller",
    caller_part=CallersPart(ended_ms=1000, decided_ms=1200, end_reason="silence"),
    reply=Reply(asked_ms=1200, first_token_ms=1500, first_sound_ms=1800),
)


def logged(message: str, **fields: object) -> str:
    return json.dumps({"message": message, "room": "demo"} | fields) + "\n"


def test_a_turn_is_one_line() -> None:
    line = shown(logged("turn over", turn=without_words(TURN)))
    assert line == "  turn 2  0.80 s  ended by silence after 0.20 · model 0.30 (first token)"


def test_a_call_begins_and_ends() -> None:
    assert shown(logged("call started")) == "call in demo"
    assert shown(logged("call ended", ending="the caller left", seconds=3.5)) == (
        "  the caller left, after 3.5 s"
    )


@pytest.mark.parametrize(
    "line",
    ["", "Traceback", "[]", "7", '{"message": "turn over"}', logged("registered worker")],
)
def test_all_else_is_left_to_the_log(line: str) -> None:
    assert shown(line) is None


@pytest.mark.looptime
async def test_what_comes_from_now_on_is_said_once_and_whole(tmp_path: Path) -> None:
    log, said = tmp_path / "worker.log", list[str]()
    log.write_text(logged("call started", room="earlier"))
    following = asyncio.create_task(show_turns(log, said.append))
    await asyncio.sleep(LOOK_SECONDS)
    with log.open("a") as file:
        line = logged("call started")
        for part in (line[:9], line[9:]):
            file.write(part)
            file.flush()
            await asyncio.sleep(2 * LOOK_SECONDS)
    following.cancel()
    assert said == ["call in demo"]
