"""When the pieces of a speech are asked for. Time is the virtual clock's."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from livekit.agents import APIConnectionError, APIConnectOptions, tts

from agent.call.models.errors import ContentRefusedError
from agent.call.reply.prompt_voice import PromptVoice

pytestmark = pytest.mark.looptime

RATE = 16_000
SENTENCES = [f"This is sentence number {number} of them." for number in range(1, 14)]


class Voice(tts.TTS[Any]):
    """Two seconds of sound a piece, the first of it after half a second, `speed` times as fast as
    it is played; `asked` has when each piece was asked for."""

    def __init__(self, speed: float, fails: dict[str, Exception] | None = None) -> None:
        capabilities = tts.TTSCapabilities(streaming=False)
        super().__init__(capabilities=capabilities, sample_rate=RATE, num_channels=1)
        self.speed = speed
        self.fails = fails or {}
        self.asked: list[float] = []
        self.at_once = self.most_at_once = 0

    def synthesize(self, text: str, *, conn_options: Any = None) -> tts.ChunkedStream:
        self.asked.append(round(asyncio.get_running_loop().time(), 1))
        return Sound(tts=self, input_text=text, conn_options=conn_options)


class Sound(tts.ChunkedStream):
    _tts: Voice

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        voice = self._tts
        voice.at_once += 1
        voice.most_at_once = max(voice.most_at_once, voice.at_once)
        try:
            await asyncio.sleep(0.5)
            if error := voice.fails.get(self.input_text):
                raise error
            output_emitter.initialize(
                request_id="1", sample_rate=RATE, num_channels=1, mime_type="audio/pcm"
            )
            for _ in range(20):
                output_emitter.push(b"\x00\x10" * (RATE // 10))
                await asyncio.sleep(0.1 / voice.speed)
        finally:
            voice.at_once -= 1


async def said(voice: PromptVoice, *sentences: str) -> AsyncIterator[float]:
    """How long each bit of the sound lasts."""
    async with voice.stream(conn_options=APIConnectOptions(max_retry=0)) as speech:
        speech.push_text(" ".join(sentences))
        speech.end_input()
        async for audio in speech:
            yield audio.frame.duration


def prompt(voice: Voice, *, is_fast: bool = False) -> PromptVoice:
    made = PromptVoice(
        voice, least_chars=20, longest_pause_seconds=0.25, on_first_sound=lambda: None
    )
    made.is_fast = is_fast
    return made


async def hear(sound: AsyncIterator[float], heard: list[float]) -> None:
    async for duration in sound:
        heard.append(duration)  # noqa: PERF401  what comes before an error


async def seconds(voice: PromptVoice, *sentences: str) -> float:
    return sum([duration async for duration in said(voice, *sentences)])


async def test_a_fast_voice_is_asked_for_the_next_piece_when_the_first_has_begun() -> None:
    voice = Voice(speed=4)
    assert await seconds(prompt(voice, is_fast=True), *SENTENCES[:3]) == pytest.approx(6, abs=0.1)
    assert voice.asked == [0, 0.5, 1.0]  # the third when the first is whole
    assert voice.most_at_once == 2


@pytest.mark.parametrize("speed", [0.5, 1, 1.9])
async def test_one_that_is_no_faster_than_that_is_asked_as_before(speed: float) -> None:
    voice = Voice(speed)
    known = prompt(voice, is_fast=True)
    await seconds(known, SENTENCES[0])
    assert not known.is_fast
    voice.asked.clear()
    began = asyncio.get_running_loop().time()
    await seconds(known, *SENTENCES[:2])
    first_whole = 0.5 + 2 / speed
    assert [at - began for at in voice.asked] == pytest.approx([0, first_whole], abs=0.1)


async def test_how_fast_a_voice_is_is_learnt_from_what_it_has_said() -> None:
    voice = prompt(Voice(speed=3))
    await seconds(voice, SENTENCES[0])
    assert voice.is_fast


async def test_no_more_is_asked_for_than_the_next_ten_seconds() -> None:
    voice = Voice(speed=20)
    await seconds(prompt(voice), *SENTENCES)
    assert len(voice.asked) == len(SENTENCES)
    waits = [late - soon for soon, late in pairwise(voice.asked)]
    assert max(waits[:4]) < 1
    assert sum(waits[-4:]) == pytest.approx(4 * 2, abs=0.1)  # as it is played


async def test_what_nobody_hears_out_is_not_made() -> None:
    voice = Voice(speed=1)
    others = asyncio.all_tasks()
    sound = said(prompt(voice, is_fast=True), *SENTENCES)
    await anext(sound)
    await asyncio.sleep(0)
    await sound.aclose()
    await asyncio.sleep(60)
    assert len(voice.asked) == 2
    assert voice.at_once == 0
    assert asyncio.all_tasks() <= others


async def test_a_piece_that_fails_after_the_next_was_asked_for_ends_both() -> None:
    voice = Voice(speed=1, fails={SENTENCES[1]: APIConnectionError("down", retryable=False)})
    heard: list[float] = []
    with pytest.raises(APIConnectionError):
        await hear(said(prompt(voice, is_fast=True), *SENTENCES), heard)
    assert sum(heard) == pytest.approx(2, abs=0.1)  # the first piece is heard out
    assert len(voice.asked) == 2
    assert voice.at_once == 0


async def test_a_piece_that_is_refused_is_left_out_and_the_next_one_said() -> None:
    refused = ContentRefusedError("no", has_begun=False)
    voice = Voice(speed=4, fails={SENTENCES[1]: refused})
    assert await seconds(prompt(voice, is_fast=True), *SENTENCES[:3]) == pytest.approx(4, abs=0.1)
    assert len(voice.asked) == 3
