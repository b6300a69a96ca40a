"""The figures as rows of tables. Every cell comes from a measurement."""

from collections.abc import Callable, Iterator, Mapping

from workbench.bench.figures import Figure
from workbench.bench.latency.measurement import Summary
from workbench.bench.latency.parts import Fault, Figures
from workbench.bench.latency.spread import ratio_interval

__all__ = ["EAGERNESS_HEADS", "Row", "eagerness_rows", "figures", "rows", "sweep_rows"]

Row = tuple[str, ...]
"""A figure's name, and the figure for each contestant."""

_FIGURES: Mapping[str, Callable[[Summary, Summary], str]] = {
    "turns answered": lambda mine, _: _answered(mine),
    "median": lambda mine, _: _ms(mine.median_ms),
    "half of the turns": lambda mine, _: _between(mine.middle_half_ms, "{:.0f} to {:.0f} ms"),
    "of stock's": lambda mine, stock: _share(mine.median_ms, stock.median_ms),
    "with 90 %": lambda mine, stock: _ratio_spread(mine, stock),
    "95th percentile": lambda mine, _: _ms(mine.p95_ms) if mine.p95_ms else "",
    "of its median": lambda mine, _: _share(mine.p95_ms, mine.median_ms),
    "median, turns with a pause": lambda mine, _: _ms(mine.paused.median_ms),
    "of stock's with a pause": lambda mine, stock: _share(
        mine.paused.median_ms, stock.paused.median_ms
    ),
    "LLM requests a turn": lambda mine, _: f"{mine.requests_per_turn:.1f}",
    "tokens wasted": lambda mine, _: f"{mine.wasted_share:.0%}",
    "turns cut off": lambda mine, _: str(mine.cut_ins),
}


def rows(summaries: Mapping[str, Summary], stock: str) -> list[Row]:
    """All figures of all contestants; `stock` is the one that the others are compared to."""
    base = summaries[stock]
    return [
        (name, *(figure(summary, base) for summary in summaries.values()))
        for name, figure in _FIGURES.items()
    ]


EAGERNESS_HEADS = (
    "where",
    "the service",
    "who",
    "turns answered",
    "median",
    "of stock's",
    "with 90 %",
    "LLM requests a turn",
    "tokens wasted",
)


def eagerness_rows(
    where: str, service: str, summaries: Mapping[str, Summary], stock: str
) -> list[Row]:
    """A row for each contestant of one part."""
    base = summaries[stock]
    shown = ("turns answered", "median", "of stock's", "with 90 %")
    spent = ("LLM requests a turn", "tokens wasted")
    return [
        (where, service, name, *(_FIGURES[figure](mine, base) for figure in (*shown, *spent)))
        for name, mine in summaries.items()
    ]


def sweep_rows(found: Mapping[str, Mapping[str, Summary]], stock: str) -> list[Row]:
    """A row for each case: every contestant's median, and its share of stock's."""
    return [
        (case, *(_beside(each, summaries[stock]) for each in summaries.values()))
        for case, summaries in found.items()
    ]


def figures(results: Mapping[str, Figures | Fault], ours: str, stock: str) -> Iterator[Figure]:
    """For `make bench`, by part; a part without figures has none, nor one that nobody answered."""
    for part, found in results.items():
        if isinstance(found, Fault):
            continue
        mine, other = found[ours], found[stock]
        if mine.median_ms is not None:
            yield Figure(
                name=f"reply, median, {part}", unit="ms", ours=mine.median_ms, stock=other.median_ms
            )
        counts = {
            "turns without a reply": (mine.unanswered, other.unanswered),
            "turns cut off": (mine.cut_ins, other.cut_ins),
            "tokens wasted": (100 * mine.wasted_share, 100 * other.wasted_share),
        }
        for name, (one, another) in counts.items():
            unit = "%" if name == "tokens wasted" else ""
            yield Figure(name=f"{name}, {part}", unit=unit, ours=one, stock=another)


def _beside(mine: Summary, stock: Summary) -> str:
    share = _share(mine.median_ms, stock.median_ms)
    return f"{_ms(mine.median_ms)} ({share})" if share else _ms(mine.median_ms)


def _answered(summary: Summary) -> str:
    return f"{len(summary.latencies_ms)} of {len(summary.results)}"


def _between(limits: tuple[float, float] | None, form: str) -> str:
    return form.format(*limits) if limits else ""


def _ratio_spread(mine: Summary, stock: Summary) -> str:
    if mine is stock:
        return ""
    return _between(ratio_interval(mine.by_turn_ms, stock.by_turn_ms), "{:.2f} to {:.2f}")


def _ms(value: float | None) -> str:
    return "no reply" if value is None else f"{value:.0f} ms"


def _share(value: float | None, base: float | None) -> str:
    return "" if value is None or base is None else f"{value / base:.2f}"
