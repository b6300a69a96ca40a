"""The figures of a worker's start, as they are shown and kept."""

from workbench.bench import start
from workbench.bench.start import OURS, STOCK, STOCK_READY, Start

FOUND = {
    OURS: [Start(2.0, 2.0, 2.5, 240.0, 11), Start(9.0, 3.0, 3.5, 241.0, 11), Start(3, 1, 1, 1, 11)],
    STOCK: [Start(6.0, 4.0, 5.0, 480.0, 5)],
    STOCK_READY: [Start(7.0, 5.0, 5.5, 500.0, 11)],
}


def test_medians_stand_side_by_side_with_ours_as_a_share_of_stocks() -> None:
    shown = start.rows(FOUND)
    assert shown[0] == ("start to registered", "s", "3", "6", "7", "0.50")
    assert shown[3] == ("idle worker, places for 8 calls (PSS)", "MB", "240", "480", "500", "0.50")


def test_make_bench_gets_ours_and_stock_in_its_usual_setting() -> None:
    registered, cpu, *_ = start.figures({name: FOUND[name] for name in (OURS, STOCK)})
    assert (registered.name, registered.ours, registered.stock) == ("start to registered", 3.0, 6.0)
    assert (cpu.ours, cpu.stock, cpu.unit) == (2.0, 4.0, "s")
