"""Replies of a provider that misbehaves, drawn at random: its good and its bad moments."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from workbench.bench.misbehaviour.network import Asked, End, Reply
from workbench.bench.misbehaviour.replies import (
    DONE,
    PING,
    answer,
    delta,
    event,
    failure,
    finish,
    in_pieces,
    pcm,
    sound,
    speech_events,
    stream,
    wav,
    words,
)

SECONDS_PER_LETTER = 0.04
TEXTS = (
    "It is twelve.",
    "We are open from nine to five. On Sundays we are closed. Is there anything else?",
    "Let me see: there is a table for two at seven, and one for four at half past eight.",
    "Yes.",
)
_SOUNDS: dict[int, bytes] = {}


def voice_of(text: str) -> bytes:
    """How long a text is heard depends on its letters alone."""
    count = len(text.strip())
    if count not in _SOUNDS:
        _SOUNDS[count] = pcm(count * SECONDS_PER_LETTER)
    return _SOUNDS[count]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn for a request."""

    asked: Asked
    name: str
    text: str
    reply: Reply

    @property
    def is_good(self) -> bool:
        return self.name.startswith("good")

    @property
    def is_final(self) -> bool:
        """Nobody may be asked again behind it."""
        return self.name.startswith("refuses")


@dataclass
class Generator:
    """Draws by its own dice; `badness`, 0 to 1, is how often something is wrong."""

    dice: random.Random
    badness: float
    texts: tuple[str, ...] = TEXTS
    drawn: list[Drawn] = field(default_factory=list)
    """In the order of the requests."""
    _outage: tuple[float, str] = (0.0, "")

    def answer(self, asked: Asked) -> Reply:
        """For `Network`."""
        is_chat = asked.path.endswith("/chat/completions")
        text = self.dice.choice(self.texts) if is_chat else str(asked.body["input"])
        good, bad = (GOOD_CHAT, BAD_CHAT) if is_chat else (GOOD_SPEECH, BAD_SPEECH)
        name = self.choose(asked, list(good), list(bad))
        reply = {**good, **bad}[name](text, self.dice)
        self.drawn.append(Drawn(asked, name, text, reply))
        return reply

    def choose(self, asked: Asked, good: list[str], bad: list[str]) -> str:
        """The name of the reply, among these."""
        until, name = self._outage
        if asked.at_seconds < until and name in bad:
            return name
        if self.dice.random() >= self.badness:
            return self.dice.choice(good)
        name = self.dice.choice(bad)
        if self.dice.random() < 0.4:  # an outage rather than an accident
            self._outage = (asked.at_seconds + self.dice.choice((0.5, 3.0, 10.0, 60.0)), name)
        return name


Draw = Callable[[str, random.Random], Reply]


def _slowly(reply: Reply, dice: random.Random) -> Reply:
    """The same, with pauses that are just bearable."""
    pieces = tuple((dice.choice((0.0, 0.1, 2.0)), piece) for _, piece in reply.pieces)
    return replace(reply, pieces=pieces, delay_seconds=dice.choice((0.0, 1.0, 3.0)))


def _chopped(reply: Reply, dice: random.Random) -> Reply:
    """The same, in pieces that know nothing of events or samples."""
    whole = b"".join(piece for _, piece in reply.pieces)
    return replace(reply, pieces=in_pieces(whole, dice.randint(1, 999), 0.001))


def _cut(reply: Reply, dice: random.Random, end: End) -> Reply:
    """The beginning of it."""
    count = dice.randint(0, max(len(reply.pieces) - 4, 0))
    return replace(reply, pieces=reply.pieces[:count], end=end)


ODD: tuple[object, ...] = (
    {"choices": None},
    {"id": None, "choices": []},
    {"choices": [None, 7]},
    {"choices": [{"delta": None}]},
    {"choices": [{"index": 0, "delta": {"content": None, "tool_calls": None}}]},
    {"choices": [{"delta": {"content": 5, "reasoning_content": "hm"}}], "x": [1]},
    {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]}}]},
    {"usage": {"total_tokens": None}},
    {"choices": [], "usage": {"prompt_tokens": 1, "prompt_tokens_details": 5}},
    7,
    [],
    "text",
    None,
)


def _odd(text: str, dice: random.Random) -> Reply:
    good: list[dict[str, object] | bytes] = [*words(text), finish(), DONE]
    for _ in range(dice.randint(1, 6)):
        piece = dice.choice((PING, b"event: x\n\n", b"data: {\n\n", event(dice.choice(ODD))))
        good.insert(dice.randint(0, len(good) - 2), piece)
    return stream(*good)


GOOD_CHAT: dict[str, Draw] = {
    "good": lambda text, dice: answer(text),
    "good, slow": lambda text, dice: _slowly(answer(text), dice),
    "good, chopped": lambda text, dice: _chopped(answer(text), dice),
    "good, odd chunks": _odd,
    "good, hangs behind it": lambda text, dice: answer(text, end=End.HANGS),
    "good, half-open": lambda text, dice: answer(text, is_half_open=True),
}
ERRORS: dict[str, Draw] = {
    "status": lambda text, dice: failure(dice.choice((408, 429, 500, 502, 503, 504, 529))),
    "retry after": lambda text, dice: failure(
        429, headers={"retry-after": dice.choice(("1", "2.5", "30", "x", "-1"))}
    ),
    "refused connection": lambda text, dice: Reply(refuses_connection=True),
    "no headers": lambda text, dice: Reply(delay_seconds=1e6),
    "a page": lambda text, dice: Reply(
        ((0.0, b"<html><body>Log in</body></html>"),), content_type="text/html"
    ),
    "JSON": lambda text, dice: Reply(
        ((0.0, b'{"error": {"message": "overloaded"}}'),), content_type="application/json"
    ),
    "empty": lambda text, dice: Reply(content_type=dice.choice(("", "text/event-stream"))),
    "hangs": lambda text, dice: Reply(end=End.HANGS),
    "comments": lambda text, dice: stream(*[PING] * 100, step_seconds=1, end=End.HANGS),
    "refuses key": lambda text, dice: failure(dice.choice((401, 403)), "invalid_api_key"),
    "refuses quota": lambda text, dice: failure(429, "insufficient_quota"),
    "refuses model": lambda text, dice: failure(404, "model_not_found"),
    "refuses to be here": lambda text, dice: Reply(
        status=dice.choice((301, 302, 307, 308)), headers={"location": "https://elsewhere.example/"}
    ),
}
BAD_CHAT: dict[str, Draw] = {
    **ERRORS,
    "error event": lambda text, dice: stream({"error": {"message": "overloaded"}}),
    "cut": lambda text, dice: _cut(answer(text), dice, End.CUT),
    "stalls": lambda text, dice: _cut(answer(text), dice, End.HANGS),
    "ends early": lambda text, dice: _cut(answer(text), dice, End.WHOLE),
    "length": lambda text, dice: stream(*words(text)[:3], finish("length"), DONE),
    "empty deltas": lambda text, dice: stream(
        *[delta(dice.choice(("", None, " ")))] * 100, step_seconds=1
    ),
    "refuses content": lambda text, dice: failure(400, "content_filter"),
    "refuses in words": lambda text, dice: stream(delta(None, refusal="No."), finish()),
    "refuses in the middle": lambda text, dice: stream(*words(text)[:2], finish("content_filter")),
}
GOOD_SPEECH: dict[str, Draw] = {
    "good": lambda text, dice: speech_events(voice_of(text)),
    "good, raw": lambda text, dice: sound(voice_of(text), size=dice.choice((999, 4800, 50_000))),
    "good, slow": lambda text, dice: _slowly(sound(voice_of(text), size=40_000), dice),
    "good, chopped": lambda text, dice: _chopped(speech_events(voice_of(text)), dice),
    "good, WAV": lambda text, dice: sound(
        wav(len(text.strip()) * SECONDS_PER_LETTER, dice.choice((16_000, 44_100))),
        dice.choice(("audio/wav", "application/octet-stream", "audio/pcm")),
    ),
    "good, 16 kHz": lambda text, dice: sound(
        pcm(len(text.strip()) * SECONDS_PER_LETTER, 16_000), "audio/pcm;rate=16000"
    ),
    "good, half-open": lambda text, dice: sound(voice_of(text), is_half_open=True),
}
BAD_SPEECH: dict[str, Draw] = {
    **ERRORS,
    "error event": lambda text, dice: stream({"type": "error", "error": {"message": "busy"}}),
    "cut": lambda text, dice: _cut(sound(voice_of(text)), dice, End.CUT),
    "stalls": lambda text, dice: _cut(sound(voice_of(text)), dice, End.HANGS),
    "no end event": lambda text, dice: speech_events(voice_of(text)[:24_000], has_end=False),
    "refuses text": lambda text, dice: failure(dice.choice((400, 413, 422))),
}
