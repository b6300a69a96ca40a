"""One call as each outlet shows it, as lines for a page."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from workbench.standins.otlp_collector import Span

__all__ = ["fenced", "json_lines", "metrics", "terminal", "trace"]

_LONGEST = 190
_LEFT_OUT = ("_bucket", "_created")
_OWN = ("agent_", "lk_agents_turn", "lk_agents_usage", "gen_ai_")
_ATTRIBUTES = (
    "agent.turn.end_reason",
    "agent.turn.end_confidence",
    "agent.turn.held_for_ms",
    "agent.turn.reply.preemptive",
    "agent.call.ending",
    "gen_ai.request.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "lk.response.ttft",
    "lk.interrupted",
    "lk.eou.endpointing_delay",
    "agent.reason",
    "agent.billed_seconds",
    "error.type",
)


def fenced(language: str, lines: Iterable[str]) -> list[str]:
    """A block of code; overlong lines are cut."""
    cut = (line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..." for line in lines)
    return [f"```{language}", *cut, "```"]


def terminal(lines: Iterable[str], room: str) -> list[str]:
    """What the worker's terminal says of this call: from its first line to its last."""
    found = [line.rstrip() for line in lines]
    of_call = [number for number, line in enumerate(found) if room in line]
    return found[of_call[0] : of_call[-1] + 1] if of_call else []


def json_lines(record: str) -> list[str]:
    """The record, with three dots for long lists and for the settings."""
    return [
        json.dumps(_short(json.loads(line)), ensure_ascii=False) for line in record.splitlines()
    ]


def _short(value: Any, name: str = "") -> Any:
    if name in ("words", "settings") and value:
        return ["..."]
    if isinstance(value, dict):
        return {key: _short(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_short(each) for each in value]
    return value


def metrics(page: str) -> list[str]:
    """The page's figures that this call has moved, without buckets."""
    found = []
    for line in page.splitlines():
        name, _, value = line.rpartition(" ")
        bare = name.partition("{")[0]
        if line.startswith(_OWN) and not bare.endswith(_LEFT_OUT) and float(value) != 0:
            found.append(line)
    return found


def trace(spans: Sequence[Span]) -> list[str]:
    """The spans as a tree: when each began and how long it took, in seconds of the call."""
    began = min(each.start for each in spans)
    ids = {each.span_id for each in spans}
    roots = [each for each in spans if each.parent_id not in ids]
    return [line for root in sorted(roots, key=_start) for line in _tree(root, spans, began, 0)]


def _tree(span: Span, spans: Sequence[Span], began: float, depth: int) -> Iterator[str]:
    told = " ".join(
        f"{name}={_figure(span.attributes[name])}"
        for name in _ATTRIBUTES
        if name in span.attributes
    )
    name = f"{'  ' * depth}{span.name}"
    yield f"{span.start - began:7.2f} {span.end - span.start:7.2f}  {name:<38} {told}".rstrip()
    below = sorted((each for each in spans if each.parent_id == span.span_id), key=_start)
    for each in below:
        yield from _tree(each, spans, began, depth + 1)


def _figure(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _start(span: Span) -> float:
    return span.start
