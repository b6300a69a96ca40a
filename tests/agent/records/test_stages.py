"""A caller's wait is divided among the stages, and nothing of it is counted twice or lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.records.schema import CallersPart, Reply, Tool, Turn
from agent.records.stages import (
    USUAL_MS,
    Share,
    Stage,
    latest,
    shares,
    stages,
    voice_ended_ms,
    wait_ms,
)
from workbench.local.calling.sample_records import greeting, turn


def spent(each: Turn) -> dict[str, int]:
    return {share.key: share.ms for share in shares(each)}


def test_a_wait_is_divided_as_it_was_spent() -> None:
    one = turn(1, 1000, "hello there", "Hello.", llm=2000, tts=500)
    assert spent(one) == {
        "stt": 110, "end_of_turn": 170, "commit": 20, "llm": 2000, "clause": 60, "tts": 500,
        "playout": 20,
    }  # fmt: skip
    assert sum(spent(one).values()) == wait_ms(one)
    assert next(each for each in stages(one) if each.key == "llm").lasts_ms == 2000


def test_what_exceeds_the_usual_is_the_excess() -> None:
    assert Share("llm", USUAL_MS["llm"] + 50).excess_ms == 50


def test_a_tool_is_taken_out_of_the_models_time() -> None:
    tool = Tool(tool="order", started_ms=2500, ended_ms=4000)
    one = turn(1, 1000, "hello there", "Hello.", llm=3000, tools=[tool])
    assert spent(one)["tool"] == 1500
    assert spent(one)["llm"] == 1500


def test_a_preemptive_reply_costs_only_what_it_took_after_the_turn() -> None:
    one = turn(1, 1000, "hello there", "Hello.", end=900, reply={"asked_ms": 1600})
    assert spent(one)["end_of_turn"] == 900
    assert spent(one)["llm"] == 310


def test_a_held_end_is_a_stage_of_its_own_and_a_gap_is_named() -> None:
    one = turn(1, 1000, "hello there", "Hello.", commit=700, part={"held_for_ms": 600})
    assert spent(one)["hold"] == 600
    assert spent(one)["commit"] == 100
    late = turn(1, 1000, "hello there", "Hello.", reply={"asked_ms": None})
    assert spent(late)["between"] == 310


def test_what_the_agent_says_by_itself_keeps_nobody_waiting() -> None:
    assert wait_ms(greeting()) is None
    assert shares(greeting()) == []


@pytest.mark.parametrize(
    ("part", "begins"),
    [
        (CallersPart(end_reason="typed", committed_ms=7, ended_ms=3), 7),
        (CallersPart(ended_ms=3, decided_ms=5), 3),
        (CallersPart(last_word_final_ms=4, decided_ms=5), 4),
        (CallersPart(decided_ms=5, committed_ms=6), 5),
        (CallersPart(committed_ms=6), 6),
        (CallersPart(), None),
    ],
)
def test_a_wait_begins_with_the_first_thing_that_is_known(
    part: CallersPart, begins: int | None
) -> None:
    one = Turn(index=1, origin="caller", caller_part=part, reply=Reply(first_sound_ms=1000))
    assert voice_ended_ms(one) == begins
    assert wait_ms(one) == (None if begins is None else 1000 - begins)


def test_without_a_sound_there_is_no_wait() -> None:
    silent = Turn(index=1, origin="caller", caller_part=CallersPart(ended_ms=3))
    assert wait_ms(silent) is None
    assert wait_ms(silent.model_copy(update={"reply": Reply()})) is None
    assert latest(None, None) is None
    assert stages(silent) == []


def test_a_stage_that_ends_before_it_began_is_left_out() -> None:
    odd = turn(1, 1000, "hello there", "Hello.", part={"last_word_final_ms": 900})
    assert "stt" not in {each.key for each in stages(odd)}
    assert Stage("llm", 1, 3).lasts_ms == 2


moments = st.none() | st.integers(0, 5000)


@given(st.lists(moments, min_size=9, max_size=9))
def test_any_wait_is_divided_wholly(known: list[int | None]) -> None:
    part = CallersPart(
        ended_ms=known[0],
        last_word_final_ms=known[1],
        decided_ms=known[2],
        committed_ms=known[3],
    )
    reply = Reply(
        asked_ms=known[4],
        first_token_ms=known[5],
        first_clause_ms=known[6],
        first_audio_ms=known[7],
        first_sound_ms=known[8],
    )
    one = Turn(index=1, origin="caller", caller_part=part, reply=reply)
    assert sum(spent(one).values()) == (wait_ms(one) or 0)
