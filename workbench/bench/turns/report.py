"""The judgements as rows of a table."""

from collections.abc import Mapping

from workbench.bench.turns.judgement import Judgement

__all__ = ["HEADS", "rows"]

HEADS = ("", "cut-offs", "merged", "stuck", "wait, median", "wait, 95th percentile")


def rows(judged: Mapping[str, Judgement]) -> list[tuple[str, ...]]:
    """One for each setting."""
    return [
        (
            name,
            str(each.cut_offs),
            str(each.merged),
            str(each.stuck),
            _ms(each.median_ms),
            _ms(each.p95_ms),
        )
        for name, each in judged.items()
    ]


def _ms(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f} ms"
