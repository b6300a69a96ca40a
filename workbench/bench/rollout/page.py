"""The measured part of docs/rollout.md, and the file in which several runs are added up."""

import time
from pathlib import Path

from pydantic import TypeAdapter

from workbench.bench.figures import Figure
from workbench.bench.pages import made_with, markdown_table, write_section
from workbench.bench.rollout.judgement import Verdict
from workbench.bench.rollout.picture import picture
from workbench.bench.rollout.report import HEADS, losses, rows, summary

__all__ = ["add", "figures", "write"]

_VERDICT = TypeAdapter(Verdict)


def add(verdict: Verdict, kept: Path) -> Verdict:
    """All runs in this file and this one together, which is added to it."""
    with kept.open("ab") as file:
        file.write(_VERDICT.dump_json(verdict) + b"\n")
    found = [_VERDICT.validate_json(line) for line in kept.read_bytes().splitlines()]
    return Verdict(
        [stop for each in found for stop in each.stops],
        [moved for each in found for moved in each.hand_overs],
        [turn for each in found for turn in each.turns],
        sum(each.broken for each in found),
    )


def write(docs: Path, verdict: Verdict, between: str) -> None:
    """Write the picture, and the section of figures; the page is there already."""
    page = docs / "rollout.md"
    introduction = page.read_text(encoding="utf-8").partition("\n## ")[0]
    (docs / "rollout.svg").write_text(picture(verdict), encoding="utf-8")
    found = losses(verdict)
    lines = [
        *(f"- {line}" for line in summary(verdict)),
        "",
        *markdown_table(HEADS, rows(verdict)),
        "",
        "![each hand-over, and replies with and without](rollout.svg)",
        "",
        *(("What was lost:", "", *(f"- {line}" for line in found), "") if found else ()),
        f"{between}. {made_with()}. On {time.strftime('%Y-%m-%d', time.gmtime())}.",
    ]
    write_section(page, "Figures", lines, introduction=introduction)


def figures(verdict: Verdict) -> list[Figure]:
    """For `make bench`."""
    gone = [each.seconds for each in verdict.stops if each.seconds is not None]
    done = sum(each.is_done for each in verdict.hand_overs)
    found = [
        Figure(name="calls handed over", unit="", ours=done, more_is_better=True),
        Figure(name="turns that lost something", unit="", ours=len(losses(verdict))),
    ]
    if gone:
        found.append(Figure(name="old worker gone, longest", unit="s", ours=round(max(gone), 1)))
    return found
