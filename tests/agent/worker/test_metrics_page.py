"""The page of metrics says what is declared."""

from agent.worker.metrics import DECLARED, Declared
from agent.worker.metrics_page import PAGE, page


def test_the_page_is_made_from_the_declarations() -> None:
    assert PAGE.read_text("utf-8") == page(), "type `make reference`"


def test_each_metric_has_a_row() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) == len(DECLARED)


def test_a_row_has_all_that_is_declared() -> None:
    made = Declared("a_total", "counter", ("x", "y"), "", "What it is.", "What to do.")
    last = page([made]).splitlines()[-1]
    assert last == "| `a_total` | counter | `x`, `y` |  | What it is. | What to do. |"
