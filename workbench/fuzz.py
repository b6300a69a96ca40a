"""Throw mutated server messages at the speech module: `python -m workbench.fuzz [COUNT] [SEED]`.

A million of them unless told otherwise, in a minute.

Real messages are cut, twisted, reordered, doubled and blown up, in sessions that break off and
resume at random. Nothing may come out but events that are balanced; anything else is printed with
the seed that makes it again, and the exit code is 1.
"""

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from stt_assemblyai.clock import AudioClock
from stt_assemblyai.endpointing import Endpointing
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.protocol import Heard, Session
from stt_assemblyai.speech import EndOfSpeech, Final, Interim, Preflight, SpeechEvent, StartOfSpeech
from stt_assemblyai.turns import TurnMapper
from workbench.arguments import positive

Message = dict[str, Any]
SESSION_MESSAGES = 60
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**63, 10**400, float("nan"), "", "x", "PENDING", "\ud800",
    "\0", [], {}, [[]], [None], "a" * 10_000,
)  # fmt: skip


def conversation(draw: random.Random) -> Iterator[Message]:
    """A session as the service would hold it, of either family."""
    rewritten = draw.random() < 0.5
    yield {"type": "Begin", "id": "s", "expires_at": 1_790_221_526, "configuration": {}}
    now = 0
    for order in range(draw.randint(1, 5)):
        if rewritten:
            yield {"type": "SpeechStarted", "timestamp": now}
        words: list[Message] = []
        for _ in range(draw.randint(1, 6)):
            now += 300
            text = draw.choice(["two", "tickets,", "please.", "no", "ok"])
            words.append({"text": text, "start": now, "end": now + 250, "confidence": 0.9})
            yield turn(order, words, over=False, rewritten=rewritten, draw=draw)
        yield turn(order, words, over=True, rewritten=rewritten, draw=draw)
        if not rewritten and draw.random() < 0.7:
            yield turn(order, words, over=True, rewritten=True, draw=draw)
        yield draw.choice(
            [
                {"type": "Warning", "warning_code": 1, "warning": "careful"},
                {"type": "Heartbeat", "total_audio_received_ms": now, "realtime_factor": 1.0},
                {"type": "Silence", "start_ms": now, "end_ms": now + 1000},
                {"type": "SpeakerRevision", "revisions": [{"turn_order": order}]},
                {"type": "LLMGatewayResponse", "turn_order": order, "data": {}},
                {"type": "Tomorrow"},
                {"type": "Error", "error_code": 3005, "error": "Session Cancelled"},
            ]
        )
    yield {"type": "Termination", "audio_duration_seconds": 3, "session_duration_seconds": 4}


def turn(
    order: int, words: list[Message], *, over: bool, rewritten: bool, draw: random.Random
) -> Message:
    """A Turn message with these words."""
    final = over or not rewritten
    return {
        "type": "Turn",
        "turn_order": order,
        "end_of_turn": over,
        "turn_is_formatted": rewritten,
        "transcript": " ".join(word["text"] for word in words),
        "words": [{**word, "word_is_final": final} for word in words],
        "utterance": words[-1]["text"] if draw.random() < 0.2 else "",
        "end_of_turn_confidence": draw.random(),
        "language_code": draw.choice([None, "en"]),
        "speaker_label": draw.choice([None, "A", "UNKNOWN", "PENDING"]),
    }


def mutated(message: Message, draw: random.Random) -> str | bytes:
    """The message as it is, mostly; else as no service should send it."""
    if draw.random() < 0.5:
        return json.dumps(message)
    twists: tuple[Callable[[], str | bytes], ...] = (
        lambda: json.dumps(message)[: draw.randrange(len(json.dumps(message)))],
        lambda: json.dumps(message).encode("utf-16"),
        lambda: draw.randbytes(draw.randrange(60)),
        lambda: json.dumps(twisted(message, draw)),
        lambda: json.dumps(twisted(message, draw)),
        lambda: json.dumps(twisted(message, draw)),
        lambda: json.dumps([message]),
        lambda: "[" * draw.choice([10, 5000]),
    )
    return draw.choice(twists)()


def twisted(value: Any, draw: random.Random) -> Any:
    """One field somewhere inside is odd, or gone."""
    if isinstance(value, dict) and value and draw.random() < 0.9:
        name = draw.choice(list(value))
        rest = {key: inner for key, inner in value.items() if key != name}
        return rest if draw.random() < 0.2 else {**rest, name: twisted(value[name], draw)}
    if isinstance(value, list) and value and draw.random() < 0.7:
        index = draw.randrange(len(value))
        return [twisted(v, draw) if i == index else v for i, v in enumerate(value)]
    return draw.choice(ODD_VALUES)


def shuffled(messages: list[Message], draw: random.Random) -> list[Message]:
    """Some doubled, some exchanged, some lost."""
    for _ in range(draw.randrange(4)):
        at, other = draw.randrange(len(messages)), draw.randrange(len(messages))
        match draw.randrange(3):
            case 0:
                messages.insert(at, messages[other])
            case 1:
                messages[at], messages[other] = messages[other], messages[at]
            case _ if len(messages) > 1:
                del messages[at]
            case _:
                pass
    return messages


class Balance:
    """Fails on the first event that may not follow the ones before it."""

    def __init__(self) -> None:
        self.speaking = self.final = False

    def check(self, events: tuple[SpeechEvent, ...]) -> None:
        """Raises `AssertionError`."""
        for event in events:
            match event:
                case StartOfSpeech():
                    assert not self.speaking, "a start in a turn"
                    self.speaking, self.final = True, False
                case EndOfSpeech():
                    assert self.speaking, "an end without a start"
                    self.speaking = False
                case Interim() | Preflight() | Final():
                    assert self.speaking, "words outside a turn"
                    assert not self.final, "words after the final"
                    assert event.transcript.text, "no words"
                    self.final = isinstance(event, Final)
                case _:
                    pass


def play(seed: int) -> int:
    """A stream of one to three sessions; gives the number of messages that were thrown."""
    draw = random.Random(seed)
    options = SessionOptions()
    mapper = TurnMapper(
        AudioClock(),
        Endpointing(
            twin_seconds=draw.choice([0, 0.3]),
            keep_reply=draw.random() < 0.5,
            by_confidence=draw.random() < 0.5,
            preflight_confidence=draw.choice([0, 0.4, math.inf]),
            pause_seconds=draw.choice([0.5, math.inf]),
            stuck_seconds=draw.choice([1, math.inf]),
        ),
    )
    balance, thrown, now = Balance(), 0, 0.0
    for _ in range(draw.randint(1, 3)):
        session = Session(options)
        for message in shuffled(list(conversation(draw)), draw)[:SESSION_MESSAGES]:
            now += draw.random() / 4
            thrown += 1
            event = session.receive(mutated(message, draw))
            if isinstance(event, Heard):
                balance.check(mapper.receive(event.message, now))
            balance.check(mapper.expire(now))
        session.receive_close(draw.choice([1000, 1006, 3005]), "")
        clock, from_ms = AudioClock(), mapper.needed_from_ms
        clock.sent(from_ms, 60_000)
        balance.check(mapper.resume(clock, from_ms))
        if draw.random() < 0.2:
            balance.check(mapper.give_up_carried())
    balance.check(mapper.close())
    assert not balance.speaking, "a start without an end"
    return thrown


def fuzz(count: int, seed: int) -> int:
    """Throw at least `count` messages; gives the number of seeds that broke something."""
    started, thrown, broken = time.monotonic(), 0, 0
    while thrown < count:
        try:
            thrown += play(seed)
        except Exception as error:  # whatever it is, it is the find
            print(f"seed {seed}: {type(error).__name__}: {error}", file=sys.stderr)
            broken += 1
            thrown += 1
        seed += 1
    seconds = time.monotonic() - started
    print(f"{thrown} messages in {seconds:.1f} s, {broken} streams broken")
    return broken


def main() -> int:
    """Parse, throw, print; 1 if anything broke."""
    parser = argparse.ArgumentParser(prog="python -m workbench.fuzz", description=__doc__)
    parser.add_argument("count", type=positive, nargs="?", default=1_000_000)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    return fuzz(**vars(parser.parse_args())) > 0


if __name__ == "__main__":
    sys.exit(main())
