"""Pages and drawings that measurements write."""

import io
import itertools
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from rich.console import Console

from workbench.bench.latency.measurement import Marks
from workbench.bench.latency.waterfall import bars, waterfall
from workbench.bench.pages import made_with, markdown_table, terminal_table, write_section
from workbench.bench.svg import Drawing

PREEMPTIVE = Marks(260, 410, 265, 565, 570, 720, 725)
AFTER_COMMIT = Marks(260, 410, 920, 1220, 1225, 1375, 1380)


def test_a_table_has_a_line_of_dashes_below_its_heads() -> None:
    lines = markdown_table(["", "a"], [("b", "1")])
    assert lines == ["|  | a |", "|---|---:|", "| b | 1 |"]


def test_columns_of_names_are_to_the_left_and_a_bar_in_a_cell_ends_none() -> None:
    lines = markdown_table(["", "a", "b"], [("c", "1|2", "3")], names=2)
    assert lines == ["|  | a | b |", "|---|---|---:|", "| c | 1/2 | 3 |"]


def test_a_table_in_the_terminal_has_a_line_between_its_sections() -> None:
    table = terminal_table("title", ["", "a"], [("b", "1")], [("c", "22"), ("d", "3")])
    console = Console(width=40, file=io.StringIO(), record=True)
    console.print(table)
    rows = console.export_text().splitlines()
    places = [next(n for n, row in enumerate(rows) if name in row) for name in "bcd"]
    assert [after - before for before, after in itertools.pairwise(places)] == [2, 1]
    assert rows[places[0]].index("1") == rows[places[1]].index("22") + 1  # figures end alike


def test_a_page_says_what_was_compared_and_on_what() -> None:
    assert re.fullmatch(
        r"livekit-agents \S+, livekit-plugins-assemblyai \S+, Python 3\.\S+, \d+ cores", made_with()
    )


def test_a_section_replaces_its_own_and_leaves_the_others(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for heading, text in (("One", "old"), ("Two", "kept"), ("One", "new")):
        write_section(page, heading, [text], introduction="# Title\n")
    assert page.read_text("utf-8") == "# Title\n\n## One\n\nnew\n\n## Two\n\nkept\n"


def test_words_of_a_drawing_are_escaped() -> None:
    drawing = Drawing(10, 10, "a < b")
    drawing.text(0, 0, "x & y")
    root = ElementTree.fromstring(drawing.svg())
    assert [each.text for each in root if each.text] == ["a < b", "x & y"]


def test_a_reply_that_is_made_at_once_waits_for_nobody() -> None:
    waits = [
        bar.end - bar.begin for lane in bars(PREEMPTIVE) for bar in lane if bar.who == "waiting"
    ]
    assert max(waits) <= 5


def test_waiting_for_the_commit_is_shown() -> None:
    _, thought, _ = bars(AFTER_COMMIT)
    assert [(bar.who, bar.begin, bar.end) for bar in thought] == [
        ("waiting", 260, 920),
        ("LLM", 920, 1220),
    ]


def test_the_waterfall_is_well_formed_and_names_everybody() -> None:
    drawn = waterfall("title", {"ours": PREEMPTIVE, "stock": AFTER_COMMIT})
    texts = [each.text for each in ElementTree.fromstring(drawn)]
    assert {"ours", "stock", "725", "1380"} <= set(texts)


def test_a_picture_of_no_turn_is_refused() -> None:
    with pytest.raises(ValueError, match="no turn"):
        waterfall("title", {})


def test_a_turn_of_which_only_the_reply_is_known_is_drawn() -> None:
    drawn = waterfall("title", {"ours": Marks(None, None, None, None, None, None, 700)})
    assert "700" in drawn
