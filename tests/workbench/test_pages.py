"""Pages and drawings that measurements write."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from workbench.bench.latency.measurement import Marks
from workbench.bench.latency.waterfall import bars, waterfall
from workbench.bench.pages import markdown_table, write_section
from workbench.bench.svg import Drawing

PREEMPTIVE = Marks(260, 410, 265, 565, 570, 720, 725)
AFTER_COMMIT = Marks(260, 410, 920, 1220, 1225, 1375, 1380)


def test_a_table_has_a_line_of_dashes_below_its_heads() -> None:
    lines = markdown_table(["", "a"], [("b", "1")])
    assert lines == ["|  | a |", "|---|---:|", "| b | 1 |"]


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
