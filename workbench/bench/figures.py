"""What a benchmark found, as values, so that `make bench` can show all of them in one table.

Each benchmark takes `--json FILE` (`add_json_option`) and writes its figures there (`write`), as
well as what it prints.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from workbench.arguments import writable

__all__ = ["Figure", "add_json_option", "read", "write"]

_Value = Annotated[float, Field(allow_inf_nan=False)]


class Figure(BaseModel):
    """One thing that was measured: of ours, of stock, and of the floor, the least there can be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=60)]
    """What was measured, such as `join to greeting, 95th percentile`; the same in every run."""
    unit: Annotated[str, Field(max_length=20)]
    """Of all three values, such as `ms`, `MB` or `% of a core`; empty for a count."""
    ours: _Value
    stock: _Value | None = None
    floor: _Value | None = None
    more_is_better: bool = False

    @property
    def of_stock(self) -> float | None:
        """Ours as a share of stock's; None without stock, or where stock's is 0."""
        return self.ours / self.stock if self.stock else None

    @property
    def of_floor(self) -> float | None:
        """Ours as a multiple of the floor; None without a floor, or where it is 0."""
        return self.ours / self.floor if self.floor else None


_FIGURES = TypeAdapter(list[Figure])


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Let a benchmark take `--json FILE`, which is None where it is not given."""
    parser.add_argument("--json", type=writable, metavar="FILE", help="write the figures here")


def write(path: Path | None, figures: Iterable[Figure]) -> None:
    """Write the figures into a file; without a path, nothing. Raises OSError."""
    if path is not None:
        values = [each.model_dump(exclude_defaults=True) for each in figures]
        path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> list[Figure]:
    """The figures that a benchmark has written. Raises OSError, ValueError for another file."""
    return _FIGURES.validate_json(path.read_bytes())
