"""Steps as rows of a table."""

from collections.abc import Sequence
from statistics import median

from workbench.bench.capacity.step import Heard, Step

__all__ = ["HEADS", "rows"]

HEADS = (
    "calls",
    "reply p50, p95 (ms)",
    "greeting p50, worst (ms)",
    "CPU a call (%)",
    "MB a call, worker",
    "waits (%)",
    "loop lag p95 (ms)",
    "lost",
    "server, callers, providers (%)",
    "elsewhere (%)",
)


def rows(steps: Sequence[Step]) -> list[list[str]]:
    """One for each step. CPU is in per cent of a core, and but for `elsewhere` for each call."""
    return [_row(step) for step in steps]


def _row(step: Step) -> list[str]:
    used, heard, share = step.used, step.heard, 100 / step.calls
    beside = (used.server_cpu, used.callers_cpu, used.providers_cpu)
    greetings = heard.greetings
    return [
        str(step.calls),
        f"{_ms(heard.p50)}, {_ms(heard.p95)}" if heard.replies else "",
        f"{_ms(median(greetings))}, {_ms(greetings[-1])}" if greetings else "",
        f"{100 * step.cpu_per_call:.1f}",
        f"{step.mb_per_call:.0f}, {used.worker_mb:.0f}",
        f"{share * used.waited:.1f}",
        _ms(step.lag_seconds),
        _lost(heard),
        ", ".join(f"{share * each:.1f}" for each in beside),
        f"{100 * used.elsewhere_cpu:.0f}",
    ]


def _lost(heard: Heard) -> str:
    parts = {
        "greetings": heard.missed_greetings,
        "calls": heard.broken,
        "answers": heard.unanswered,
        "words": heard.missing_words,
        "answers twice": heard.doubled,
    }
    return ", ".join(f"{count} {name}" for name, count in parts.items() if count) or "0"


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.0f}"
