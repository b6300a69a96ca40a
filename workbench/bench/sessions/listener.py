"""A stream as an application has it: audio in real time, and a line for each event."""

import asyncio
from collections.abc import Callable

from stt_assemblyai.connector import Connect
from stt_assemblyai.events import (
    EndOfSpeech,
    Final,
    Interim,
    Interrupted,
    Opened,
    Preflight,
    SessionUsage,
    StartOfSpeech,
    StreamEvent,
)
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.transcriber import StreamConfig, Transcriber

__all__ = ["listen"]

_PUSH_MS = 50
_EVEN = 0.5  # pauses between attempts are the same each time


async def listen(
    dial: Connect,
    options: SessionOptions,
    *,
    audio_ms: int,
    sound: Callable[[int, int], bytes] | None = None,
    wall: Callable[[], float] | None = None,
) -> tuple[str, ...]:
    """Push so much audio, end the input, and give what was told. `sound` is by from and until, in
    ms; without it there is silence. `wall` is the clock to which sessions expire."""
    told: list[str] = []
    loop = asyncio.get_running_loop()
    start = loop.time()
    transcriber = Transcriber(
        dial,
        StreamConfig(options),
        lambda event: told.extend(_line(event)),
        retries=Retries(Patience(), lambda: _EVEN),
        wall=wall or (lambda: loop.time() - start),
    )
    running = asyncio.create_task(transcriber.run())
    try:
        for at_ms in range(0, audio_ms, _PUSH_MS):
            silence = bytes(options.sample_rate * _PUSH_MS // 1000 * 2)
            transcriber.push(sound(at_ms, at_ms + _PUSH_MS) if sound else silence)
            await asyncio.sleep(max(0.0, start + (at_ms + _PUSH_MS) / 1000 - loop.time()))
        transcriber.end_input()
        await running
    finally:
        running.cancel()
        await asyncio.wait([running])
    return tuple(told)


def _line(event: StreamEvent) -> list[str]:
    """Nothing that depends on how fast this machine is."""
    match event:
        case Opened():
            return ["Opened"]
        case StartOfSpeech(start_ms=start_ms):
            return [f"StartOfSpeech at {start_ms}"]
        case Interim(transcript=said) | Preflight(transcript=said) | Final(transcript=said):
            kind = type(event).__name__
            return [f"{kind} {said.start_ms} to {said.end_ms}: {said.text}"]
        case EndOfSpeech(speech_end_ms=end_ms):
            return [f"EndOfSpeech at {end_ms}"]
        case Interrupted(error=error):
            return [f"Interrupted: {error.summary}"]
        case SessionUsage(reason=reason):
            return [f"Bill: {reason}"]
        case _:
            return []
