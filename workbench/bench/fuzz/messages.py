"""Sessions as the service would hold them, and what no service should make of them."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Message", "conversation", "mutated", "shuffled"]

Message = dict[str, Any]
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
