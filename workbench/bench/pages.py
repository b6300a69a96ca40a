"""What measurements write: tables for a page or a terminal, and sections of a page."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

__all__ = ["made_with", "markdown_table", "terminal_table", "write_section"]

Row = Sequence[str]
_COMPARED = ("livekit-agents", "livekit-plugins-assemblyai")


def made_with() -> str:
    """What a measurement stands on: the versions that are compared, and the machine."""
    packages = (f"{name} {version(name)}" for name in _COMPARED)
    return f"{', '.join(packages)}, Python {platform.python_version()}, {os.cpu_count()} cores"


def markdown_table(heads: Row, rows: Iterable[Row], *, names: int = 1) -> list[str]:
    """Lines of a table; its first columns hold `names`, the others figures, to the right."""
    figures = max(0, len(heads) - names)
    return [
        f"| {' | '.join(heads)} |",
        "|---" * (len(heads) - figures) + "|---:" * figures + "|",
        *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows),
    ]


def terminal_table(title: str, heads: Row, *sections: Iterable[Row], names: int = 1) -> Table:
    """The same for the terminal, with a line between its sections; long cells are folded."""
    drawn = Table(title=title, title_justify="left")
    for place, head in enumerate(heads):
        drawn.add_column(head, justify="left" if place < names else "right", overflow="fold")
    for section in sections:
        for row in section:
            drawn.add_row(*row)
        drawn.add_section()
    return drawn


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
