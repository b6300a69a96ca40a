"""Replies of a language model and of a voice: good ones, and the building stones of bad ones."""

import base64
import json
import struct
from collections.abc import Iterable
from typing import Any

import numpy as np

from workbench.bench.misbehaviour.network import Reply

RATE = 24_000


def event(data: object) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(data)}\n\n".encode()


DONE = b"data: [DONE]\n\n"
PING = b": ping\n\n"


def delta(content: Any = None, **others: Any) -> dict[str, Any]:
    """A chunk of an answer."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": {"content": content, **others}, "finish_reason": None}],
    }


def finish(reason: str | None = "stop") -> dict[str, Any]:
    """The chunk that says why there is no more."""
    chunk = delta()
    chunk["choices"][0] |= {"delta": {}, "finish_reason": reason}
    return chunk


def words(text: str) -> list[dict[str, Any]]:
    """A text, word by word."""
    return [delta(word + " ") for word in text.split()]


def stream(*chunks: dict[str, Any] | bytes, step_seconds: float = 0.02, **others: Any) -> Reply:
    """A stream of these events."""
    pieces = [each if isinstance(each, bytes) else event(each) for each in chunks]
    return Reply(tuple((step_seconds, piece) for piece in pieces), **others)


def answer(text: str, **others: Any) -> Reply:
    """An answer as OpenAI streams it."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    end = {**delta(), "choices": [], "usage": usage}
    return stream(delta("", role="assistant"), *words(text), finish(), end, DONE, **others)


def complete(message: dict[str, Any], reason: str | None) -> Reply:
    """An answer as it comes from a server that does not stream."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    told = {**delta(), "object": "chat.completion", "choices": [choice]}
    body = json.dumps(told, indent=1).encode()
    return Reply(((0.0, body),), content_type="application/json")


def failure(status: int, code: str = "", *, headers: dict[str, str] | None = None) -> Reply:
    """An error in OpenAI's shape."""
    body = {"error": {"message": "It failed.", "type": "x", "code": code or None}}
    return Reply(
        ((0.0, json.dumps(body).encode()),),
        content_type="application/json",
        status=status,
        headers=headers or {},
    )


def pcm(seconds: float, rate: int = RATE, hertz: float = 440) -> bytes:
    """A tone."""
    times = np.arange(int(seconds * rate)) / rate
    return (8000 * np.sin(2 * np.pi * hertz * times)).astype("<i2").tobytes()


def wav(seconds: float, rate: int = RATE, *, size: int | None = None) -> bytes:
    """A tone as a WAV file; `size`: what its header says about its length."""
    data = pcm(seconds, rate)
    length = len(data) if size is None else size
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", length)
        + b"WAVE"
        + head
        + b"data"
        + struct.pack("<I", length)
        + data
    )


def in_pieces(
    data: bytes, size: int, step_seconds: float = 0.02
) -> tuple[tuple[float, bytes], ...]:
    """Bytes in pieces of this size."""
    return tuple((step_seconds, data[at : at + size]) for at in range(0, len(data), size))


def sound(
    data: bytes,
    content_type: str = "audio/pcm",
    size: int = 4800,
    step_seconds: float = 0.02,
    **others: Any,
) -> Reply:
    """These bytes, as they are."""
    return Reply(in_pieces(data, size, step_seconds), content_type=content_type, **others)


def speech_events(data: bytes, *, has_end: bool = True, **others: Any) -> Reply:
    """Sound as OpenAI's newer voices stream it."""
    pieces = [data[at : at + 9600] for at in range(0, len(data), 9600)]
    events: Iterable[dict[str, Any]] = (
        {"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}
        for piece in pieces
    )
    end = [{"type": "speech.audio.done", "usage": {}}] if has_end else []
    return stream(*events, *end, **others)
