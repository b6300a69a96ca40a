"""What one turn came to, and what many of them do. Times are seconds by the monotonic clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from workbench.bench.latency.dialogue import Line
from workbench.bench.latency.providers import Providers
from workbench.standins.openai_v1.exchange import RequestRecord

__all__ = ["Marks", "Result", "Summary", "Turn", "read"]


@dataclass(frozen=True, slots=True)
class Turn:
    """When the caller spoke."""

    line: Line
    began_at: float
    ended_at: float


@dataclass(frozen=True, slots=True)
class Marks:
    """What happened between the end of speech and the reply, in milliseconds after that end.

    None: it did not happen, or not in time to matter.
    """

    end_of_turn: float | None
    twin: float | None
    llm_asked: float | None
    llm_token: float | None
    tts_asked: float | None
    tts_sound: float | None
    reply: float


@dataclass(frozen=True, slots=True)
class Result:
    """One turn's figures. Without `marks` it was not answered."""

    turn: Turn
    marks: Marks | None
    cut_in: bool
    """The agent spoke before the caller had finished."""
    llm_requests: int
    tokens: int
    """Of all requests, prompt and answer, counted as words."""
    wasted_tokens: int
    """Of those whose answer was not spoken."""


def read(turns: Sequence[Turn], replies: Sequence[float], providers: Providers) -> list[Result]:
    """Sort what the line and the stand-ins noted into the turns."""
    ends = [turn.began_at for turn in turns[1:]] + [float("inf")]
    return [
        _result(turn, until, replies, providers) for turn, until in zip(turns, ends, strict=True)
    ]


def _result(turn: Turn, until: float, replies: Sequence[float], providers: Providers) -> Result:
    mine = [at for at in replies if turn.began_at <= at < until]
    reply_at = next((at for at in mine if at >= turn.ended_at), None)
    requests = [each for each in providers.llm.requests if turn.began_at <= each.began_at < until]
    chats = [each for each in requests if each.endpoint == "chat"]
    tokens = [_tokens(each) for each in chats]
    return Result(
        turn,
        None if reply_at is None else _marks(turn, reply_at, requests, providers),
        cut_in=any(at < turn.ended_at for at in mine),
        llm_requests=len(chats),
        tokens=sum(tokens),
        # The newest is the one that counts: an older one is dropped before a newer one is made.
        wasted_tokens=sum(tokens[:-1] if reply_at is not None else tokens),
    )


def _marks(
    turn: Turn, reply_at: float, requests: Iterable[RequestRecord], providers: Providers
) -> Marks:
    def after(at: float | None) -> float | None:
        return None if at is None or at > reply_at else (at - turn.ended_at) * 1000

    used = {each.endpoint: each for each in requests if each.began_at <= reply_at}
    chat, speech = used.get("chat"), used.get("speech")
    ends: dict[bool, float] = {}
    for record in providers.stt.sessions:
        for message, at in zip(record.sent, record.sent_at, strict=True):
            if message.get("end_of_turn") and turn.ended_at <= at <= reply_at:
                ends.setdefault(message["turn_is_formatted"], at)
    return Marks(
        after(ends.get(False)),
        after(ends.get(True)),
        after(chat.began_at if chat else None),
        after(chat.first_byte_at if chat else None),
        after(speech.began_at if speech else None),
        after(speech.first_byte_at if speech else None),
        (reply_at - turn.ended_at) * 1000,
    )


def _tokens(request: RequestRecord) -> int:
    """What a provider would bill at most: the whole prompt, and what was streamed of the answer."""
    prompt = sum(len(str(each.get("content") or "").split()) for each in request.body["messages"])
    return prompt + request.pieces_sent


@dataclass(frozen=True, slots=True)
class Summary:
    """A contestant's figures over all its turns."""

    results: tuple[Result, ...] = field(repr=False)

    @property
    def by_turn_ms(self) -> list[float | None]:
        """From the end of speech to the reply, in the order of the turns; None: there was none."""
        return [each.marks.reply if each.marks else None for each in self.results]

    @property
    def latencies_ms(self) -> list[float]:
        """Of the turns that were answered, sorted."""
        return sorted(each.marks.reply for each in self.results if each.marks)

    @property
    def median_ms(self) -> float | None:
        """None: no turn was answered."""
        return median(self.latencies_ms) if self.latencies_ms else None

    @property
    def p95_ms(self) -> float | None:
        latencies = self.latencies_ms
        return quantiles(latencies, n=20, method="inclusive")[-1] if latencies[1:] else None

    @property
    def middle_half_ms(self) -> tuple[float, float] | None:
        """The quartiles; None: fewer than two turns were answered."""
        latencies = self.latencies_ms
        if not latencies[1:]:
            return None
        low, _, high = quantiles(latencies, n=4, method="inclusive")
        return low, high

    @property
    def paused(self) -> "Summary":
        """The turns with a pause in them alone."""
        return Summary(tuple(each for each in self.results if each.turn.line.pauses))

    @property
    def unanswered(self) -> int:
        """Turns that no reply came for."""
        return sum(each.marks is None for each in self.results)

    @property
    def cut_ins(self) -> int:
        """How often the agent spoke before the caller had finished."""
        return sum(each.cut_in for each in self.results)

    @property
    def requests_per_turn(self) -> float:
        """0 where there was no turn."""
        return sum(each.llm_requests for each in self.results) / max(1, len(self.results))

    @property
    def wasted_share(self) -> float:
        """Of all tokens."""
        tokens = sum(each.tokens for each in self.results)
        return sum(each.wasted_tokens for each in self.results) / tokens if tokens else 0.0

    @property
    def median_marks(self) -> Marks | None:
        """Of the turn whose latency is the median, or the one below it."""
        answered = sorted(
            (each.marks for each in self.results if each.marks), key=lambda marks: marks.reply
        )
        return answered[(len(answered) - 1) // 2] if answered else None
