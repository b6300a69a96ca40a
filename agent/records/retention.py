"""How long records are kept: by age, and by the size of all together. The oldest go first."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from agent.records.claims import alone
from agent.records.kept_calls import KeptCall

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be kept; None: any."""

    days: float | None = None
    megabytes: int | None = None


def superfluous(calls: Sequence[KeptCall], limits: Limits, now: float) -> list[KeptCall]:
    """Those of these calls, the oldest first, that are too old or too many at this wall time."""
    too_old: list[KeptCall] = []
    if limits.days is not None:
        too_old = [call for call in calls if now - call.changed_at > limits.days * _DAY_SECONDS]
    if limits.megabytes is None:
        return too_old
    left = calls[len(too_old) :]
    over = sum(call.bytes for call in left) - limits.megabytes * 1_000_000
    too_many: list[KeptCall] = []
    for call in left:
        if over > 0:
            too_many.append(call)
            over -= call.bytes
    return [*too_old, *too_many]


def remove(call: KeptCall) -> bool:
    """Remove a call, unless it is going on. Returns whether it is gone."""
    with alone(call.record) if call.record else contextlib.nullcontext(enter_result=True) as free:
        if not free:
            return False
        try:
            for path in call.files:
                path.unlink(missing_ok=True)
        except OSError:
            return False
    return True
