"""The providers of simulated calls: they follow the sound's clock, and know one turn.

They answer as AssemblyAI and OpenAI do, and cost next to nothing. Each caller says the same words
once in a cycle, and gets the same answer.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web

CYCLE_MS = 6000
"""A caller speaks, an agent answers, and both are silent for a moment."""
SPOKEN_MS = 1800
"""The caller's part of it."""
SILENCE_MS = 160
"""AssemblyAI ends a turn this long after the voice."""
_WORDS = "I would like to book a table for two."
SAID = tuple(_WORDS.split(" "))
_ANSWER = "Gladly, for two people. At what time would you like to come tomorrow?"
ANSWERED = tuple(_ANSWER.split(" "))
ANSWER_SECONDS = 2.0
FIRST_TOKEN_SECONDS, TOKEN_SECONDS, FIRST_SOUND_SECONDS = 0.3, 0.02, 0.15
_BYTES_A_MS = 32
_RATE = 24_000


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """Serve on a free port of loopback, which the context gives, until it is left."""
    app = web.Application()
    app.router.add_get("/v3/ws", _hear)
    app.router.add_post("/v1/chat/completions", _think)
    app.router.add_post("/v1/audio/speech", _speak)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


class Hearing:
    """One session's side of AssemblyAI: what it says when so much sound has come."""

    def __init__(self) -> None:
        self._heard_ms = 0.0
        self._told = 0

    def hear(self, sound: bytes) -> list[dict[str, Any]]:
        """Take sound, 16 kHz in 16 bits; the messages that follow from it."""
        self._heard_ms += len(sound) / _BYTES_A_MS
        steps = len(SAID) + 1
        messages = []
        while self._heard_ms >= self._due_ms(self._told):
            cycle, step = divmod(self._told, steps)
            messages.append(_turn(cycle, step + 1))
            self._told += 1
        return messages

    def _due_ms(self, told: int) -> float:
        cycle, step = divmod(told, len(SAID) + 1)
        at_ms = SPOKEN_MS + SILENCE_MS if step == len(SAID) else _word_ms(step + 1)
        return cycle * CYCLE_MS + at_ms


def _word_ms(number: int) -> int:
    return SPOKEN_MS * number // len(SAID)


def _turn(cycle: int, count: int) -> dict[str, Any]:
    """The turn so far: its words, and after the last one its end."""
    is_over, said = count > len(SAID), SAID[:count]
    begin_ms = cycle * CYCLE_MS
    return {
        "type": "Turn",
        "turn_order": cycle,
        "end_of_turn": is_over,
        "turn_is_formatted": is_over,
        "end_of_turn_confidence": 0.9 if is_over else 0.1,
        "transcript": " ".join(said),
        "utterance": " ".join(said) if is_over else "",
        "words": [
            {
                "text": word,
                "start": begin_ms + _word_ms(place),
                "end": begin_ms + _word_ms(place + 1),
                "confidence": 0.9,
                "word_is_final": True,
            }
            for place, word in enumerate(said)
        ],
    }


async def _hear(request: web.Request) -> web.WebSocketResponse:
    socket, hearing = web.WebSocketResponse(), Hearing()
    await socket.prepare(request)
    await socket.send_json({"type": "Begin", "id": "capacity", "expires_at": 2**33})
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            for each in hearing.hear(message.data):
                await socket.send_json(each)
        elif message.type is WSMsgType.TEXT and "Terminate" in message.data:
            await socket.send_json({"type": "Termination", "audio_duration_seconds": 0})
            break
    return socket


async def _think(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await request.read()
    await asyncio.sleep(FIRST_TOKEN_SECONDS)
    await answer.prepare(request)
    for place, word in enumerate(ANSWERED):
        await answer.write(_chunk({"role": "assistant", "content": f"{' ' * (place > 0)}{word}"}))
        await asyncio.sleep(TOKEN_SECONDS)
    await answer.write(_chunk({}, finish_reason="stop") + b"data: [DONE]\n\n")
    return answer


def _chunk(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "none"}
    return b"data: " + json.dumps({**chunk, "choices": [choice]}).encode() + b"\n\n"


async def _speak(request: web.Request) -> web.StreamResponse:
    """A tone, as long as a sentence of the answer is."""
    text = str((await request.json())["input"])
    seconds = ANSWER_SECONDS * min(1.0, len(text.split()) / len(ANSWERED))
    answer = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    await asyncio.sleep(FIRST_SOUND_SECONDS)
    await answer.prepare(request)
    times = np.arange(round(seconds * _RATE)) / _RATE
    sound = (6000 * np.sin(2 * np.pi * 220 * times)).astype("<i2").tobytes()
    for at in range(0, len(sound), 9600):
        await answer.write(sound[at : at + 9600])
    return answer
