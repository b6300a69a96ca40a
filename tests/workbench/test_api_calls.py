"""What `make api-calls` says of the calls that it has counted."""

from workbench.bench.api_calls.counting import Counted, figures, table
from workbench.bench.api_calls.world import SERVED, agent_in, jobs_of

FOUND = [
    Counted("each by itself", {"ListRooms": 20.0, "PerformRpc": 400.0}, 1.5),
    Counted("one for all", {"ListRooms": 1.0}, 0.01),
]


def test_a_row_for_each_method_and_a_column_for_each_way() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table(FOUND).splitlines()
    ]
    assert rows[0] == ["calls a second", "each by itself", "one for all"]
    assert rows[2:] == [
        ["ListRooms", "20.0", "1.0"],
        ["PerformRpc", "400.0", "0.0"],
        ["all", "420.0", "1.0"],
        ["server's CPU, cores", "1.50", "0.01"],
    ]


def test_the_figures_are_all_calls_a_second() -> None:
    assert [each.ours for each in figures(FOUND)] == [420.0, 1.0]


def test_the_workers_share_the_calls_that_there_are() -> None:
    held = [
        each.accept_arguments.identity for worker in range(7) for each in jobs_of(worker, workers=7)
    ]
    assert sorted(held) == [agent_in(number) for number in range(SERVED)]
