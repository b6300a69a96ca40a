"""What `make rollout` makes of what callers tell, and of the workers that stopped."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from workbench.bench.rollout import page
from workbench.bench.rollout.conversation import LINES, differ, read
from workbench.bench.rollout.judgement import Stop, Verdict, judge
from workbench.bench.rollout.report import HEADS, losses, rows, summary

QUESTIONS = len(LINES)
FIRST, SECOND = "agent-1", "agent-2"
SECONDS_A_TURN = 10.0
LETTERS_A_SECOND = 20
STOP = Stop("worker-1", began_at=18.0, told_at=25.0, gone_at=33.0)


def event(at: float, name: str, **fields: Any) -> dict[str, Any]:
    return {"at": at, "event": name, "room": "one", **fields}


def answer(number: int) -> str:
    words = [len(LINES[each % QUESTIONS].text.split()) for each in range(number + 1)]
    return (
        f"You asked {LINES[number % QUESTIONS].text.lower()} "
        f"which makes {number + 1} questions of {sum(words)} words."
    )


def turn(number: int, who: str) -> list[dict[str, Any]]:
    """A question from second 0 to 2 of its turn, and an answer from 3 on."""
    at = number * SECONDS_A_TURN
    segment = {"segment": f"segment {number}", "who": "caller"}
    text = LINES[number % QUESTIONS].text
    return [
        event(at, "asks", line=number),
        event(at + 1, "text", text=text[: len(text) // 2], final=False, **segment),
        event(at + 2, "asked", line=number),
        event(at + 2.5, "text", text=text, final=True, **segment),
        event(at + 8, "text", who=who, text=answer(number), segment="x"),
        {**spoke(at + 3, at + 3 + len(answer(number)) / LETTERS_A_SECOND, who), "at": at + 9},
    ]


def spoke(begins_at: float, ends_at: float, who: str = FIRST) -> dict[str, Any]:
    fields = {"from": begins_at, "until": ends_at, "gap_ms": 40}
    return event(begins_at, "spoke", who=who, **fields)


def conversation() -> list[dict[str, Any]]:
    """Four turns; in the third the worker is told to stop, and the fourth is the other agent's."""
    return [
        event(-2, "came", who=FIRST, shows={"agent.role": "answers", "agent.caller": "caller"}),
        *turn(0, FIRST),
        *turn(1, FIRST),
        *turn(2, FIRST)[:4],
        event(27, "came", who=SECOND, shows={"agent.role": "answers"}),
        *turn(2, FIRST)[4:],
        event(30, "shows", who=SECOND, shows={"agent.caller": "caller"}),
        event(30, "shows", who=SECOND, shows={"lk.agent.state": "listening"}),
        event(30.2, "went", who=FIRST),
        *turn(3, SECOND),
        event(40, "asks", line=4),
        event(41, "left"),
        event(41.1, "disconnected", why="leave requested"),
    ]


def verdict(events: list[dict[str, Any]]) -> Verdict:
    return judge(read(events, "caller").values(), [STOP])


def test_a_call_that_nobody_noticed_to_move_has_no_losses() -> None:
    found = verdict(conversation())
    assert losses(found) == []
    assert found.broken == 0
    (moved,) = found.hand_overs
    assert moved.is_done
    assert (moved.moment, moved.came_at, moved.took_at) == ("the agent speaks", 27, 30)
    assert [each.during for each in found.turns] == ["", "start", "hand-over", "hand-over"]
    assert [each.reply_seconds for each in found.turns] == [1.0] * 4


def changed(number: int, change: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversation with another end of a turn: what the event with these keys says."""
    events = conversation()
    place = next(
        place
        for place, each in enumerate(events)
        if each["event"] == change["event"]
        and number * SECONDS_A_TURN < each["at"] < (number + 1) * SECONDS_A_TURN
        and each.get("who") == change.get("who", each.get("who"))
        and each.get("final", True)
    )
    events[place] |= change
    return events


@pytest.mark.parametrize(
    ("number", "change", "fields"),
    [
        (1, {"event": "text", "who": "caller", "text": "I would like"}, {"words_lost": 9}),
        (
            3,
            {"event": "text", "who": SECOND, "text": answer(3) + " You asked"},
            {"answer_doubled": 2},
        ),
        (3, {"event": "text", "who": SECOND, "text": "You asked"}, {"answer_doubled": 0}),
        (3, {"event": "spoke", "until": 35.0}, {"is_cut": True}),
        (2, {"event": "spoke", "gap_ms": 500}, {"gap_seconds": 0.5}),
    ],
)
def test_what_was_lost_of_a_turn_is_counted(
    number: int, change: dict[str, Any], fields: dict[str, Any]
) -> None:
    found = verdict(changed(number, change)).turns[number]
    assert {name: getattr(found, name) for name in fields} == fields
    assert found.is_clean is (change["event"] == "spoke" and "gap_ms" in change)


def test_what_a_model_was_not_told_of_is_missing_in_its_answer() -> None:
    events = changed(3, {"event": "text", "who": SECOND, "text": answer(0)})
    found = verdict(events).turns[3]
    assert found.answer_lost
    assert found.answer_doubled


def test_an_answer_of_two_agents_is_noticed() -> None:
    events = [*conversation(), spoke(36, 39, FIRST)]
    assert verdict(events).turns[3].voices == 2


def test_a_caller_who_gets_no_answer_is_noticed() -> None:
    events = [
        each for each in conversation() if not (each["event"] == "spoke" and each["from"] > 30)
    ]
    found = verdict(events)
    assert found.turns[3].reply_seconds is None
    assert "reply none" in losses(found)[0]


def test_a_call_that_stays_with_its_worker_is_a_loss() -> None:
    events = [each for each in conversation() if each.get("who") != SECOND]
    found = verdict(events)
    assert not found.hand_overs[0].is_done
    assert any("no other agent came" in line for line in losses(found))


def test_the_table_has_a_column_for_each_part() -> None:
    found = verdict(conversation())
    assert {len(row) for row in rows(found)} == {len(HEADS)}
    assert rows(found)[0][1:] == ["2", "1", "1"]
    assert summary(found)[0] == "hand-overs: 1 of 1 calls; calls broken off: 0"


def test_words_are_missing_or_too_many() -> None:
    assert differ("a b c", "A, b c.") == (0, 0)
    assert differ("a b c", "a c") == (1, 0)
    assert differ("a b c", "a b b c") == (0, 1)


def test_runs_are_added_up_in_a_file_and_the_page_keeps_what_is_written_by_hand(
    tmp_path: Path,
) -> None:
    kept, written = tmp_path / "runs.jsonl", tmp_path / "rollout.md"
    written.write_text("# Rollout\n\nBy hand.\n\n## Figures\n\nstale\n\n## Beside it\n\nMore.\n")
    once = page.add(verdict(conversation()), kept)
    twice = page.add(verdict([each for each in conversation() if each.get("who") != SECOND]), kept)
    assert (len(once.hand_overs), len(twice.hand_overs)) == (1, 2)
    page.write(tmp_path, twice, "two versions")
    text = written.read_text()
    assert text.startswith("# Rollout\n\nBy hand.\n")
    assert "stale" not in text
    assert "hand-overs: 1 of 2 calls" in text
    assert "no other agent came" in text
    assert text.endswith("## Beside it\n\nMore.\n")
    ElementTree.fromstring((tmp_path / "rollout.svg").read_text())


def test_the_figures_for_the_table_of_all_benchmarks() -> None:
    found = {each.name: each.ours for each in page.figures(verdict(conversation()))}
    assert found == {
        "calls handed over": 1,
        "turns that lost something": 0,
        "old worker gone, longest": 8.0,
    }
