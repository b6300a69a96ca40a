"""What a number of calls at once came to, and whether they are carried."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median, quantiles

from workbench.bench.capacity.calls import Call
from workbench.bench.capacity.script import LINES

__all__ = ["NOTHING", "SLOWER", "Heard", "Step", "Used", "heard"]

SLOWER = 1.5
"""A step is too much whose replies' 95th percentile passes that of one call by this factor."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the callers heard."""

    replies: tuple[float, ...] = ()
    """Seconds from a question's last sound to the answer's first, sorted."""
    greetings: tuple[float, ...] = ()
    """Of those who joined in this step: seconds from being in the room to the first sound."""
    missed_greetings: int = 0
    broken: int = 0
    """Calls that could not begin, or broke off."""
    unanswered: int = 0
    missing_words: int = 0
    doubled: int = 0

    @property
    def losses(self) -> int:
        """All of them together."""
        missed = self.missed_greetings + self.broken + self.unanswered
        return missed + self.missing_words + self.doubled

    @property
    def p50(self) -> float | None:
        """None: no question was answered."""
        return median(self.replies) if self.replies else None

    @property
    def p95(self) -> float | None:
        """None: no question was answered."""
        if len(self.replies) < 2:
            return self.p50
        return quantiles(self.replies, n=20, method="inclusive")[-1]


NOTHING = Heard()
"""Of a worker that holds no conversation."""


@dataclass(frozen=True, slots=True)
class Used:
    """What the programs used. CPU is a share of one core, memory in MB (PSS)."""

    worker_cpu: float
    """All its processes together, for all calls."""
    calls_mb: float
    """The processes that hold the calls."""
    worker_mb: float
    """All its processes, those that wait for calls as well."""
    waited: float
    """How long the main threads of its processes were ready to run and had no core, as a share of
    the time, all together."""
    server_cpu: float
    callers_cpu: float
    providers_cpu: float
    elsewhere_cpu: float
    """Whatever else ran on this machine."""


@dataclass(frozen=True, slots=True)
class Step:
    """So many calls at once."""

    calls: int
    heard: Heard
    used: Used
    lag_seconds: float | None = None
    """How late event loops ran: the worst of each second, 95 % of them within. None: untold."""

    @property
    def cpu_per_call(self) -> float:
        """As a share of one core."""
        return self.used.worker_cpu / self.calls

    @property
    def mb_per_call(self) -> float:
        """MB (PSS)."""
        return self.used.calls_mb / self.calls

    def holds(self, first: "Step") -> bool:
        """Whether this number of calls is carried, held against one call."""
        mine, least = self.heard.p95, first.heard.p95
        if self.heard.losses or mine is None or least is None:
            return False
        return mine <= SLOWER * least


def heard(calls: Iterable[Call], joining_at: float, began: float, ended: float) -> Heard:
    """What came of the questions that were asked from `began` to `ended`, and of the greetings of
    those who called from `joining_at` on. Times are in seconds since 1970."""
    calls = list(calls)
    greetings = [each.greeting_seconds for each in calls if each.dialled_at >= joining_at]
    turns = [turn for each in calls for turn in each.turns if began <= turn.asked_at < ended]
    replies = [turn.reply_seconds for turn in turns]
    # What a turn that goes on will have said is not known yet.
    done = [turn for turn in turns if turn.ends_at and turn.reply_seconds is not None]
    return Heard(
        tuple(sorted(each for each in replies if each is not None)),
        tuple(sorted(each for each in greetings if each is not None)),
        missed_greetings=sum(each is None for each in greetings),
        broken=sum(each.is_broken for each in calls),
        unanswered=sum(each is None for each in replies),
        missing_words=sum(turn.missing(LINES[turn.line % len(LINES)].text) for turn in done),
        doubled=sum(turn.is_doubled for turn in done),
    )
