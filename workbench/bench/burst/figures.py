"""What a burst comes to, for `make bench`."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from workbench.bench.burst.measurement import Found, middle
from workbench.bench.figures import Figure

__all__ = ["Pair", "figures"]


class Pair(NamedTuple):
    """What was found of one worker: with one caller, and with the burst."""

    alone: Found
    burst: Found


def figures(found: Mapping[str, Pair]) -> Iterator[Figure]:
    """Of ours beside stock; what ours has no value for is left out."""
    ours, stock = (_values(found[name]) if name in found else {} for name in ("ours", "stock"))
    for (name, unit), value in ours.items():
        yield Figure(name=name, unit=unit, ours=value, stock=stock.get((name, unit)))


def _values(pair: Pair) -> dict[tuple[str, str], float]:
    alone, burst = pair
    lines = [line for call in burst.calls for line in call.lines]
    values = {
        ("callers not greeted", ""): sum(each.greeted_seconds is None for each in burst.calls),
        ("words lost", ""): sum(each.words_lost for each in lines),
        ("turns cut", ""): sum(each.cuts for each in lines),
        ("lines without a reply", ""): sum(each.reply_seconds is None for each in lines),
        ("cores that the worker used", ""): burst.cpu.get("agent", 0.0) / burst.seconds,
    }
    greeted = [each.greeted_seconds for each in burst.calls if each.greeted_seconds is not None]
    if greeted:
        values["slowest greeting", "s"] = max(greeted)
    if burst.replies:
        values["reply, median", "s"] = middle(burst.replies)
    if burst.replies and alone.replies:
        values["reply, as a multiple of one caller's", ""] = middle(burst.replies) / middle(
            alone.replies
        )
    return values
