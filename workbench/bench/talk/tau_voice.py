"""The eight measures of tau-voice: latency, responsiveness, interrupting, selectivity.

Source: sierra-research/tau2-bench at a2c0247, `docs/interaction-metrics.md`, and where that page
leaves a window's edge open, `src/tau2/metrics/voice_interaction_metrics.py`.

Time is counted in ticks of 200 ms, as there. A tick has speech in it if any sound of it falls into
the tick, so a side that stops for less than a whole tick has not stopped. There the caller's audio
begins with a tick; here its ticks are counted from the first sample of each stimulus. A measured
latency is a whole number of ticks: from the caller's end it is up to 0.4 s too short, for the last
tick of the caller and the first of the agent count whole. With `tick_ms=10` it is exact.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from math import ceil, floor
from statistics import fmean

from workbench.bench.talk.rates import Rate
from workbench.bench.talk.spans import Conversation, Kind, Span, Stimulus

__all__ = ["TICK_MS", "Panel", "panel"]

TICK_MS = 200
_NO_YIELD_MS = 2000
"""R_Y, L_Y: an agent that still speaks in all ticks of this has not yielded."""
_YIELD_MS = 1000
"""S_*: an agent that falls silent within it, from the stimulus' begin, has yielded to it."""
_RESPONSE_MS = 2000
"""S_VT, S_ND: a silent agent that begins to speak within it, from the stimulus' end, answers it."""
_WENT_ON_MS = 1000

Interval = tuple[int, int]
"""Ticks of speech: the first, and the first without."""


@dataclass(slots=True)
class Panel:
    """What happened to the stimuli of any number of conversations.

    Raw events; the measures are properties, named as tau-voice names them.
    """

    response_s: list[float] = field(default_factory=list)
    """Of each answered turn, from its end to the agent's begin."""
    unanswered: int = 0
    """Turns after which the caller had to speak again. A last turn that nothing follows is none."""
    yield_s: list[float] = field(default_factory=list)
    """Of each interruption that the agent yielded to, from its begin to the agent's silence."""
    talked_over: int = 0
    """Interruptions during which the agent spoke on."""
    cut_ins: int = 0
    """Times that the agent began while the caller spoke."""
    ignored: dict[Kind, list[bool]] = field(default_factory=dict)
    """Whether the agent took no notice of each stimulus that is none of its business."""
    went_on: list[bool] = field(default_factory=list)
    """Of those that it fell silent for: whether it spoke again within 1 s of falling silent."""

    @property
    def l_r(self) -> Rate:
        """Mean seconds from the end of a turn to the begin of the agent's response."""
        return Rate.mean(self.response_s)

    @property
    def l_y(self) -> Rate:
        """Mean seconds until the agent stops speaking after it was interrupted."""
        return Rate.mean(self.yield_s)

    @property
    def r_r(self) -> Rate:
        """Share of turns that were answered before the caller had to speak again."""
        return Rate.of(len(self.response_s), self.unanswered)

    @property
    def r_y(self) -> Rate:
        """Share of interruptions that the agent yielded to within 2 s."""
        return Rate.of(len(self.yield_s), self.talked_over)

    @property
    def i_a(self) -> Rate:
        """How often the agent began over the caller, for each turn; may be more than 1."""
        turns = len(self.response_s) + self.unanswered
        return Rate(self.cut_ins / turns if turns else None, turns)

    @property
    def s_bc(self) -> Rate:
        """Share of backchannels that the agent talked through."""
        return Rate.mean(self.ignored.get(Kind.BACKCHANNEL, []))

    @property
    def s_vt(self) -> Rate:
        """Share of vocal tics that the agent ignored."""
        return Rate.mean(self.ignored.get(Kind.VOCAL_TIC, []))

    @property
    def s_nd(self) -> Rate:
        """Share of speech to others that the agent ignored."""
        return Rate.mean(self.ignored.get(Kind.NON_DIRECTED, []))

    @property
    def s_noise(self) -> Rate:
        """Ours, with the windows of S_VT: share of noises that the agent ignored."""
        return Rate.mean(self.ignored.get(Kind.NOISE, []))

    @property
    def went_on_after_all(self) -> Rate:
        """Ours: share of the stops for what is no turn after which the agent soon went on."""
        return Rate.mean(self.went_on)

    @property
    def selectivity(self) -> Rate:
        """Unweighted mean of S_BC, S_VT and S_ND; no value unless all three have enough events."""
        parts = (self.s_bc, self.s_vt, self.s_nd)
        shown = [part.shown for part in parts if part.shown is not None]
        return Rate(
            fmean(shown) if len(shown) == len(parts) else None, sum(each.events for each in parts)
        )


def panel(conversations: Iterable[Conversation], *, tick_ms: int = TICK_MS) -> Panel:
    """Judge every stimulus of these conversations. `tick_ms` divides all windows."""
    judged = Panel()
    for conversation in conversations:
        _judge(conversation, tick_ms, judged)
    return judged


@dataclass(frozen=True, slots=True)
class _Scene:
    """The agent's speech around one stimulus, in ticks from the stimulus' begin."""

    stimulus: Stimulus
    end: int
    """The first tick without it."""
    agent: tuple[Interval, ...]

    def said_over(self) -> Interval | None:
        """What the agent is saying in the first tick."""
        return next((each for each in self.agent if each[0] <= 0 < each[1]), None)

    def agent_at_end(self) -> bool:
        return any(first <= self.end < silent for first, silent in self.agent)

    def begins(self) -> Iterator[int]:
        return (first for first, _ in self.agent)


def _judge(conversation: Conversation, tick_ms: int, judged: Panel) -> None:
    scenes = [
        _scene(each, conversation.agent_speech, tick_ms)
        for each in sorted(conversation.stimuli, key=lambda each: each.span.start_ms)
    ]
    turns = [scene for scene in scenes if scene.stimulus.kind is Kind.TURN]
    eligible = [scene for scene in turns if not scene.agent_at_end()]
    for scene, later in zip_longest(eligible, eligible[1:]):
        _judge_response(scene, later, tick_ms, judged)
    for scene in scenes:
        kind = scene.stimulus.kind
        if kind in (Kind.TURN, Kind.BACKCHANNEL):
            judged.cut_ins += sum(0 <= first < scene.end for first in scene.begins())
        if kind is Kind.TURN:
            _judge_yield(scene, tick_ms, judged)
        else:
            was_ignored = _is_ignored(scene, tick_ms)
            if was_ignored is not None:
                judged.ignored.setdefault(kind, []).append(was_ignored)
            said_over = scene.said_over()
            if said_over is not None and not was_ignored:
                last = said_over[1] + _WENT_ON_MS // tick_ms
                judged.went_on.append(any(said_over[1] < at <= last for at in scene.begins()))


def _judge_response(scene: _Scene, later: _Scene | None, tick_ms: int, judged: Panel) -> None:
    """Who spoke next: the agent, or the caller again; after a last turn perhaps nobody."""
    answered = next((first for first in scene.begins() if first >= scene.end), None)
    again_ms = later.stimulus.span.start_ms if later else None
    start_ms = scene.stimulus.span.start_ms
    if answered is not None and (again_ms is None or start_ms + answered * tick_ms <= again_ms):
        judged.response_s.append((answered - scene.end) * tick_ms / 1000)
    elif again_ms is not None:
        judged.unanswered += 1


def _judge_yield(scene: _Scene, tick_ms: int, judged: Panel) -> None:
    said_over = scene.said_over()
    if said_over is None:
        return
    if said_over[1] < _NO_YIELD_MS // tick_ms:
        judged.yield_s.append(said_over[1] * tick_ms / 1000)
    else:
        judged.talked_over += 1


def _is_ignored(scene: _Scene, tick_ms: int) -> bool | None:
    """None for what is no event: a backchannel that nothing was said to.

    The windows' edges are the source's: the caller's own speech (a backchannel) is yielded to where
    a tick without the agent begins within the window, other sounds where one begins at its end too.
    Other sounds that a speaking agent ignored are counted, as the page says; the code leaves them
    out where the caller is not speaking himself, which makes its S_VT and S_ND lower.
    """
    said_over = scene.said_over()
    is_backchannel = scene.stimulus.kind is Kind.BACKCHANNEL
    if said_over is not None:
        window = _YIELD_MS // tick_ms
        return said_over[1] >= window if is_backchannel else said_over[1] > window
    if is_backchannel:
        return None
    last = scene.end + _RESPONSE_MS // tick_ms
    return not any(0 <= first <= last for first in scene.begins())


def _scene(stimulus: Stimulus, speech: Sequence[Span], tick_ms: int) -> _Scene:
    start_ms = stimulus.span.start_ms
    intervals: list[Interval] = []
    for span in speech:
        first = floor((span.start_ms - start_ms) / tick_ms)
        silent = ceil((span.end_ms - start_ms) / tick_ms)
        if intervals and first <= intervals[-1][1]:
            first, silent = intervals[-1][0], max(intervals.pop()[1], silent)
        intervals.append((first, silent))
    return _Scene(stimulus, ceil(stimulus.span.length_ms / tick_ms), tuple(intervals))
