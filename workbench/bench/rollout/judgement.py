"""What the callers noticed of each hand-over, and of the rollout as a whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from agent.room_names import Attribute
from workbench.bench.rollout.conversation import Agent, Call, Turn

__all__ = ["HandOver", "Stop", "Told", "Verdict", "hand_overs", "judge"]

STATE = "lk.agent.state"
"""The attribute by which LiveKit's pages know what an agent does."""
NEVER_SECONDS = 3600.0
_SHORT = 0.85
"""A reply of which less than this share is heard was cut off."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A worker that was told to stop. Times are in seconds since 1970."""

    worker: str
    began_at: float
    """When the worker was started that is to take its calls."""
    told_at: float
    gone_at: float | None
    """When its process had ended; None: it did not within the time that it has."""

    @property
    def seconds(self) -> float | None:
        """From the signal to the end of the process."""
        return None if self.gone_at is None else self.gone_at - self.told_at


@dataclass(frozen=True, slots=True)
class HandOver:
    """One call whose worker was told to stop."""

    room: str
    told_at: float
    moment: str
    """What was going on in the call just then."""
    came_at: float | None
    """When the other agent was in the room."""
    took_at: float | None
    """When the other agent showed that it answers the caller."""
    left_at: float | None
    """When the first agent had left; None: it stayed."""
    state_gap_seconds: float = 0.0
    """For how long after that the agent who stayed showed no state."""

    @property
    def is_done(self) -> bool:
        return None not in (self.came_at, self.took_at, self.left_at)


@dataclass(frozen=True, slots=True)
class Told:
    """A turn that is over, and what was lost of it."""

    room: str
    number: int
    during: str
    """`hand-over`, `start` (of a worker), or nothing."""
    words_lost: int
    words_doubled: int
    answer_lost: int
    answer_doubled: int
    voices: int
    heard_share: float
    """How long the reply was heard, as a share of what so many words usually take."""
    reply_seconds: float | None
    gap_seconds: float
    answers: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled, cut or said twice."""
        lost = self.words_lost + self.words_doubled + self.answer_lost + self.answer_doubled
        return not lost and self.reply_seconds is not None and not self.is_cut and self.voices == 1

    @property
    def is_cut(self) -> bool:
        return self.heard_share < _SHORT


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that the report is made of."""

    stops: Sequence[Stop]
    hand_overs: Sequence[HandOver]
    turns: Sequence[Told]
    broken: int


def judge(calls: Iterable[Call], stops: Sequence[Stop]) -> Verdict:
    """The verdict on a run."""
    calls = list(calls)
    moved = [each for call in calls for each in hand_overs(call, stops)]
    pace = _usual_pace(turn for call in calls for turn in call.turns if turn.is_over)
    turns = [
        _told(call.room, turn, _during(call.room, turn, moved, stops), pace)
        for call in calls
        for turn in call.turns
        if turn.is_over
    ]
    return Verdict(stops, moved, turns, sum(call.is_broken for call in calls))


def hand_overs(call: Call, stops: Sequence[Stop]) -> list[HandOver]:
    """What became of the call at each stop: one hand-over each, as all calls are at that worker."""
    return [_hand_over(call, stop.told_at) for stop in stops if _has_turn(call, stop.told_at)]


def _has_turn(call: Call, at: float) -> bool:
    return bool(call.turns) and call.turns[0].begins_at <= at


def _hand_over(call: Call, told_at: float) -> HandOver:
    there = [
        each
        for each in call.agents.values()
        if each.came_at <= told_at and (not each.went_at or each.went_at > told_at)
    ]
    before = there[-1] if there else None
    after = next(
        (
            each
            for each in sorted(call.agents.values(), key=lambda each: each.came_at)
            if each.came_at > told_at and each.first_showed(Attribute.CALLER)
        ),
        None,
    )
    left_at = before.went_at if before and before.went_at else None
    return HandOver(
        call.room,
        told_at,
        _moment(call, told_at),
        after.came_at if after else None,
        after.first_showed(Attribute.CALLER) if after else None,
        left_at,
        _state_gap(after, left_at),
    )


def _state_gap(after: Agent | None, left_at: float | None) -> float:
    if after is None or left_at is None:
        return 0.0
    showed_at = after.first_showed(STATE)
    return max(0.0, showed_at - left_at) if showed_at else NEVER_SECONDS


def _moment(call: Call, at: float) -> str:
    turn = next((each for each in reversed(call.turns) if each.begins_at <= at), None)
    if turn is None:
        return "before the first question"
    if not turn.asked_at or at < turn.asked_at:
        return "the caller speaks"
    if any(each.begins_at <= at <= each.ends_at for each in turn.spans):
        return "the agent speaks"
    if not any(each.begins_at <= at for each in turn.spans):
        return "the caller waits for the reply"
    return "silence"


def _during(room: str, turn: Turn, moved: Sequence[HandOver], stops: Sequence[Stop]) -> str:
    for each in moved:
        ends_at = each.left_at or turn.ends_at
        if each.room == room and each.told_at <= turn.ends_at and ends_at >= turn.begins_at:
            return "hand-over"
    if any(each.began_at <= turn.ends_at and each.told_at >= turn.begins_at for each in stops):
        return "start"
    return ""


def _usual_pace(turns: Iterable[Turn]) -> float:
    """Seconds of a reply for each of its letters, so that one that is cut short is noticed."""
    paces = [_heard_seconds(each) / len(each.expected) for each in turns if each.spans]
    return median(paces) if paces else 0.0


def _heard_seconds(turn: Turn) -> float:
    return sum(each.ends_at - each.begins_at for each in turn.spans)


def _told(room: str, turn: Turn, during: str, pace: float) -> Told:
    words_lost, words_doubled = turn.words()
    answer_lost, answer_doubled = turn.answer()
    whole = pace * len(turn.expected)
    return Told(
        room,
        turn.number,
        during,
        words_lost,
        words_doubled,
        answer_lost,
        answer_doubled,
        len(turn.spans),
        _heard_seconds(turn) / whole if whole else 1.0,
        turn.reply_seconds,
        turn.gap_seconds,
        " | ".join(turn.said),
    )
