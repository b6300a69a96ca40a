"""The list of calls: which are in it, in which order, and what it says of each."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.records.listing import Wanted, listed
from agent.records.read import RecordedCall
from agent.records.schema import Call, End
from workbench.local.calling import sample_records
from workbench.local.calling.sample_records import turn


def call(name: str, *lines: Any, at: float = 0.0, **first: Any) -> RecordedCall:
    return RecordedCall(Path(f"{name}.jsonl"), (Call(at=at, **first), *lines))


GOOD = End(ending="caller_left", seconds=10.0)
EVERY = [
    call("slow", turn(1, 0, "hello", "Hello.", llm=3000), GOOD, at=100, room="lobby", caller="ann"),
    call("quick", turn(1, 0, "hello", "Hello."), GOOD, at=300, room="kitchen", caller="bob"),
    call("dead", at=200, room="lobby-2", room_sid="RM_9", caller="ann"),
]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Wanted(), ["quick", "dead", "slow"]),
        (Wanted(room="lobby"), ["slow"]),
        (Wanted(room="lobby*"), ["dead", "slow"]),
        (Wanted(room="RM_9"), ["dead"]),
        (Wanted(caller="b*"), ["quick"]),
        (Wanted(ending="none"), ["dead"]),
        (Wanted(ending="caller_*"), ["quick", "slow"]),
        (Wanted(since=150, until=250), ["dead"]),
        (Wanted(slower_seconds=2), ["slow"]),
        (Wanted(is_odd=True), ["dead", "slow"]),
    ],
)
def test_a_list_holds_what_is_wanted_newest_first(wanted: Wanted, names: list[str]) -> None:
    assert [each.name for each in listed(EVERY, wanted)] == names


def test_the_slowest_come_first_if_that_is_asked() -> None:
    found = listed(EVERY, Wanted(), by_slowest=True)
    assert [each.name for each in found] == ["slow", "quick", "dead"]
    assert [each.slowest_ms for each in found] == [3540, 850, None]


def test_a_call_as_json_has_its_figures_and_its_oddities() -> None:
    lines: Any = sample_records.eventful()
    (one,) = listed([RecordedCall(Path("RM_1.jsonl"), tuple(lines))], Wanted())
    told = json.loads(json.dumps(one.as_json()))
    assert told["room"] == "support-17"
    assert told["ending"] == "caller_left"
    assert told["turns"] == 7
    assert told["median_ms"] == 850
    assert told["cost"] == 0.0118
    assert {"kind", "turn", "sentence"} == told["oddities"][0].keys()


def test_what_is_not_known_is_null_in_json() -> None:
    (one,) = listed([call("dead")], Wanted())
    told = one.as_json()
    nothing = ("room", "caller", "ending", "median_ms", "slowest_ms", "cost", "currency")
    assert {name: told[name] for name in nothing} == dict.fromkeys(nothing)
