"""A caller's page learns where the time of an answer went, and nobody else does."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from agent.call.turn_record.shown_times import ShownTimes, times_of
from agent.records.schema import Attempt, CallersPart, Reply, Said, Turn, Word
from workbench.standins.scripted_room import Person, ScriptedRoom

WORDS = [Word(text="secret", start_ms=1, end_ms=2)]
SPOKEN = CallersPart(ended_ms=5000, decided_ms=5200, committed_ms=5210, words=WORDS)
TYPED = CallersPart(committed_ms=5000, end_reason="typed")
REPLY = Reply(
    first_token_ms=5350,
    first_audio_ms=5500,
    first_sound_ms=5600,
    llm=[Attempt(provider="api.example.com model", took_for_ms=140)],
    words=WORDS,
)
ALL = {
    "turn": 2,
    "decided_ms": 200,
    "first_token_ms": 350,
    "first_audio_ms": 500,
    "first_sound_ms": 600,
}


def turn(part: CallersPart = SPOKEN, reply: Reply | None = REPLY, **told: Any) -> Turn:
    return Turn(**{"index": 2, "origin": "caller", "caller_part": part, "reply": reply, **told})


def test_the_stages_count_from_the_end_of_the_callers_voice_and_hold_numbers_alone() -> None:
    assert times_of(turn()) == ALL


def test_the_answer_to_a_typed_text_counts_from_the_text() -> None:
    assert times_of(turn(TYPED)) == {name: ALL[name] for name in ALL if name != "decided_ms"}


def test_a_stage_that_was_reached_before_the_voice_ended_took_no_time() -> None:
    early = REPLY.model_copy(update={"first_token_ms": 4900})
    assert (times_of(turn(reply=early)) or {})["first_token_ms"] == 0


@pytest.mark.parametrize(
    "other",
    [
        turn(origin="greeting"),
        turn(origin="prompt"),
        turn(reply=None),
        turn(reply=Reply()),
        turn(CallersPart()),
    ],
)
def test_what_answers_nothing_or_was_never_heard_has_no_times(other: Turn) -> None:
    assert times_of(other) is None


@pytest.fixture
def room() -> ScriptedRoom:
    room = ScriptedRoom()
    for identity in ("ann", "bob"):
        room.join(Person(identity, attributes={"agent.wants_turn_times": "true"}))
    room.join(Person("eve"))
    return room


@pytest_asyncio.fixture
async def shown(room: ScriptedRoom) -> AsyncIterator[ShownTimes]:
    shown = ShownTimes(room.as_livekit, lambda: "ann")
    yield shown
    await shown.aclose()


async def test_the_caller_who_wants_them_gets_them_and_nobody_else(
    room: ScriptedRoom, shown: ShownTimes
) -> None:
    shown.take(Said(role="user", text="Hello."))
    shown.take(turn(origin="greeting"))
    shown.take(turn())
    topic, receivers, content = await room.messages.get()
    assert (topic, receivers) == ("agent.turn_times", ["ann"])
    assert json.loads(content) == ALL
    assert room.messages.empty()


@pytest.mark.parametrize("caller", ["eve", "gone", None])
async def test_who_does_not_ask_or_is_not_there_gets_none(
    room: ScriptedRoom, caller: str | None
) -> None:
    shown = ShownTimes(room.as_livekit, lambda: caller)
    shown.take(turn())
    await shown.aclose()
    assert room.messages.empty()


async def test_a_room_that_closes_costs_the_message_and_nothing_else(
    room: ScriptedRoom, shown: ShownTimes, caplog: pytest.LogCaptureFixture
) -> None:
    room.is_connected = False
    shown.take(turn())
    room.is_connected = True
    shown.take(turn(index=3))
    _, _, content = await room.messages.get()
    assert json.loads(content)["turn"] in (2, 3)
    assert not caplog.records
