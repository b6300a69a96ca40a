"""What a rollout came to, as rows of a table, and as lines for each thing that was lost."""

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median, quantiles

from workbench.bench.rollout.judgement import HandOver, Told, Verdict

__all__ = ["HEADS", "losses", "rows", "summary"]

HEADS = ("", "with a hand-over", "while a worker starts", "otherwise")
_PLACES = ("hand-over", "start", "")


def rows(verdict: Verdict) -> list[list[str]]:
    """The table of the turns, by what went on meanwhile."""
    parts = [[each for each in verdict.turns if each.during == place] for place in _PLACES]

    def row(name: str, *cells: str) -> list[str]:
        return [name, *cells]

    return [
        row("turns", *(str(len(part)) for part in parts)),
        row("words of callers lost, on screens", *_sums(parts, "words_lost")),
        row("words of callers doubled, on screens", *_sums(parts, "words_doubled")),
        row("words of answers missing", *_sums(parts, "answer_lost")),
        row("words of answers too many", *_sums(parts, "answer_doubled")),
        row("questions without an answer", *(_count(part, _is_unanswered) for part in parts)),
        row("answers cut short", *(_count(part, _is_cut) for part in parts)),
        row("answers in two voices or pieces", *(_count(part, _is_parted) for part in parts)),
        row("reply p50, p95, longest (ms)", *(_spread(_replies(part)) for part in parts)),
        row("silence in a reply p50, p95, longest (ms)", *(_spread(_gaps(part)) for part in parts)),
    ]


def summary(verdict: Verdict) -> list[str]:
    """The figures of the hand-overs, as lines."""
    moved, stops = verdict.hand_overs, verdict.stops
    done = [each for each in moved if each.is_done]
    gone = sorted(each.seconds for each in stops if each.seconds is not None)
    moments = Counter(each.moment for each in moved)
    together = [each.left_at - each.came_at for each in done if each.left_at and each.came_at]
    waits = [each.took_at - each.told_at for each in done if each.took_at]
    return [
        f"hand-overs: {len(done)} of {len(moved)} calls; calls broken off: {verdict.broken}",
        "the worker was told to stop when "
        + ", ".join(f"{name}: {count}" for name, count in moments.most_common()),
        f"old workers gone after {_seconds(gone)} ({len(gone)} of {len(stops)})",
        f"taken over after {_seconds(waits)}",
        f"two agents in the room for {_seconds(together)}",
        f"agents without a state for screens: {sum(each.state_gap_seconds > 0 for each in done)}",
    ]


def losses(verdict: Verdict) -> list[str]:
    """A line for each turn that was not clean, and for each call that was not handed over."""
    found = [_unclean(each) for each in verdict.turns if not each.is_clean]
    return found + [_stayed(each) for each in verdict.hand_overs if not each.is_done]


def _unclean(turn: Told) -> str:
    reply = "none" if turn.reply_seconds is None else f"{1000 * turn.reply_seconds:.0f} ms"
    return (
        f"{turn.room}, turn {turn.number}{f' ({turn.during})' if turn.during else ''}: "
        f"words -{turn.words_lost} +{turn.words_doubled}, "
        f"answer -{turn.answer_lost} +{turn.answer_doubled}, voices {turn.voices}, "
        f"heard {100 * turn.heard_share:.0f} %, reply {reply}: {turn.answers!r}"
    )


def _stayed(hand_over: HandOver) -> str:
    lacks = [
        name
        for name, at in (
            ("no other agent came", hand_over.came_at),
            ("none took over", hand_over.took_at),
            ("the old agent stayed", hand_over.left_at),
        )
        if at is None
    ]
    return f"{hand_over.room}, told at {hand_over.told_at:.1f} ({hand_over.moment}): {lacks}"


def _sums(parts: Iterable[Sequence[Told]], name: str) -> list[str]:
    return [str(sum(getattr(each, name) for each in part)) for part in parts]


def _count(part: Sequence[Told], holds: object) -> str:
    assert callable(holds)
    return str(sum(bool(holds(each)) for each in part))


def _is_unanswered(turn: Told) -> bool:
    return turn.reply_seconds is None


def _is_cut(turn: Told) -> bool:
    return turn.is_cut and turn.reply_seconds is not None


def _is_parted(turn: Told) -> bool:
    return turn.voices > 1


def _replies(part: Iterable[Told]) -> list[float]:
    return sorted(each.reply_seconds for each in part if each.reply_seconds is not None)


def _gaps(part: Iterable[Told]) -> list[float]:
    return sorted(each.gap_seconds for each in part if each.voices)


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return ""
    late = quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    return ", ".join(f"{1000 * each:.0f}" for each in (median(seconds), late, max(seconds)))


def _seconds(found: Sequence[float]) -> str:
    if not found:
        return "never"
    return f"{median(found):.1f} s (median), at most {max(found):.1f} s"
