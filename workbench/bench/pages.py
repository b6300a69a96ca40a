"""Pages that measurements write: tables, and sections that are replaced one by one."""

from collections.abc import Sequence
from pathlib import Path

__all__ = ["markdown_table", "write_section"]


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table; the first column names, the others hold figures."""
    return [
        f"| {' | '.join(heads)} |",
        "|---" + "|---:" * (len(heads) - 1) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def write_section(page: Path, heading: str, lines: Sequence[str], *, introduction: str) -> None:
    """Put these lines below `## heading`, in place of what is there, or at the end.

    What stands before the first section is always `introduction`.
    """
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    pieces = old.split("\n## ")[1:]
    sections = {name: body.strip() for name, _, body in (each.partition("\n") for each in pieces)}
    sections[heading] = "\n".join(lines).strip()
    written = [introduction.strip()]
    written += [f"## {name}\n\n{body}" for name, body in sections.items()]
    page.write_text("\n\n".join(written) + "\n", encoding="utf-8")
