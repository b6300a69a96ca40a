"""The comparison: what its rows are made of, and what ours does in the scenarios that are short."""

import asyncio
from pathlib import Path

import pytest

from workbench.bench.compare import figures as f
from workbench.bench.compare import provider_scenarios
from workbench.bench.compare.__main__ import compare_all
from workbench.bench.compare.clients import CLIENTS, OURS
from workbench.bench.compare.driver import observe, quiet_logs
from workbench.bench.compare.losses import TROUBLES, Trouble, add_up
from workbench.bench.compare.observation import Observation
from workbench.bench.compare.provider_driver import Answered, provider_rows
from workbench.bench.compare.report import WIRE, Row, loss_rows, write_rows
from workbench.bench.compare.scenarios import SCENARIOS, SHORT


@pytest.fixture(scope="module")
def short_rows() -> list[Row]:
    async def run() -> list[Row]:
        return await compare_all(SHORT)

    with quiet_logs():
        return asyncio.run(run())


def ours(rows: list[Row], title: str, figure: f.Figure) -> str:
    (row,) = [row for row in rows if (row.title, row.figure) == (title, figure.name)]
    return row.cells[0]


def test_every_row_has_a_measured_cell_for_each_client(short_rows: list[Row]) -> None:
    expected = [(s.number, s.title, figure.name) for s in SHORT for figure in s.figures]
    assert [(row.number, row.title, row.figure) for row in short_rows] == expected
    assert all(len(row.cells) == len(CLIENTS) and all(row.cells) for row in short_rows)


@pytest.mark.parametrize(
    ("number", "says"), [("3", "Invalid API key"), ("5", "no such model on this account")]
)
def test_a_refusal_costs_ours_one_connection_and_says_why(
    short_rows: list[Row], number: str, says: str
) -> None:
    title = next(s.title for s in SHORT if s.number == number)
    assert ours(short_rows, title, f.CONNECTS) == "1"
    assert says in ours(short_rows, title, f.ERROR)
    assert "not to be retried" in ours(short_rows, title, f.ERROR)


def test_too_many_key_terms_cost_ours_no_connection(short_rows: list[Row]) -> None:
    title = next(s.title for s in SHORT if "key terms" in s.title)
    assert ours(short_rows, title, f.CONNECTS) == "0"


def test_an_empty_final_does_not_reach_the_user_of_ours(short_rows: list[Row]) -> None:
    title = next(s.title for s in SHORT if s.number == "12")
    cells = [ours(short_rows, title, figure) for figure in (f.WORDS, f.TURNS, f.EMPTY, f.LOGGED)]
    assert cells == ["10 of 10", "2 / 2", "0", "0"]


def test_the_page_holds_every_row_and_escapes_nothing_away(
    short_rows: list[Row], tmp_path: Path
) -> None:
    page = tmp_path / "comparison.md"
    write_rows(page, WIRE, short_rows, [client.name for client in CLIENTS])
    lines = [line for line in page.read_text().splitlines() if line.startswith("| ")]
    assert all(line.count("|") == 6 for line in lines)
    for row in short_rows:
        assert f"| {row.figure} |" in page.read_text()


def test_provider_rows_say_what_the_caller_heard_and_how_the_call_ended() -> None:
    well = Answered(0.84, "Seven plus five is twelve.", 0.61, "")
    ended = Answered(None, "", None, "cannot_think")
    cells = [row.cells for row in provider_rows("a fault", [well, ended])]
    assert cells == [
        ("0.8 s", "never"),
        ("Seven plus five is twelve.", "nothing"),
        ("after 0.6 s", "no: the call has ended (cannot_think)"),
    ]


def test_provider_scenarios_have_titles_of_their_own() -> None:
    titles = [scenario.title for scenario in provider_scenarios.SCENARIOS]
    assert len(set(titles)) == len(titles)


def test_all_scenarios_of_the_protocol_notes_are_there_once_by_title() -> None:
    assert {int(s.number) for s in SCENARIOS} == set(range(1, 20))
    titles = [s.title for s in SCENARIOS]
    assert len(set(titles)) == len(titles)


async def test_a_cut_connection_costs_ours_no_word() -> None:
    (stream,) = Trouble("a cut", 6, cuts=1).streams(1)
    loss = add_up([await observe(stream, OURS)])
    assert (loss.lost, loss.doubled, loss.died) == (0, 0, 0)
    assert loss.starts == loss.ends > 0
    (lost, *_) = loss_rows("a cut", [loss, loss])
    assert lost.cells == (f"0 of {loss.said}",) * 2


def test_streams_of_a_trouble_are_the_same_each_time_and_differ_from_one_another() -> None:
    for trouble in TROUBLES:
        first, second = trouble.streams(2), trouble.streams(2)
        assert first == second
        assert first[0] != first[1]


def test_what_never_came_is_said_so() -> None:
    nothing = Observation(SHORT[0].speech, sessions=[])
    cells = {figure.name: figure.read(nothing) for figure in (f.START, f.FINAL_AFTER, f.TURN_ENDS)}
    assert set(cells.values()) == {"never"}
    assert f.WORDS.read(nothing) == "0 of 10"
    assert f.ERROR.read(nothing) == f.EMPTY.read(nothing).replace("0", "none")
