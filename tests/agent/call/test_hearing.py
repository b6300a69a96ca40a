"""A call goes on when its speech recognition fails: another region, or another STT."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, UserInputTranscribedEvent, stt

from agent.call.providers import build_stt, with_fallback, with_inference
from agent.transcription import TranscriberKit
from config.load import load_settings
from config.settings import Settings
from stt_assemblyai.budget import MachineBudget, file_for
from stt_assemblyai.stt import STT
from workbench.standins.assemblyai_v3.knobs import Knobs
from workbench.standins.assemblyai_v3.scripted import ScriptedWord
from workbench.standins.assemblyai_v3.server import LOCAL_KEY, AssemblyAIStandIn
from workbench.standins.silent_input import SilentInput

RATE = 16000
NOWHERE = "ws://127.0.0.1:9"
FAST = Knobs(begin_delay_ms=0, reject_delay_ms=0, format_twin_delay_ms=10, termination_delay_ms=5)
TEA = [
    ScriptedWord(word, 200 + 300 * i, 450 + 300 * i, 0.9 if i == 3 else 0.1)
    for i, word in enumerate(["I", "would", "like", "tea"])
]


@pytest.fixture
async def service() -> AsyncIterator[AssemblyAIStandIn]:
    async with AssemblyAIStandIn(scripts=[TEA] * 4, knobs=FAST) as stand_in:
        yield stand_in


def settings(**assemblyai: Any) -> Settings:
    key = {"api_key": "stand-in"}
    given: dict[str, Mapping[str, Any]] = {
        "livekit": {**key, "url": "ws://127.0.0.1", "api_secret": "secret"},
        "assemblyai": {"api_key": LOCAL_KEY, **assemblyai},
        "openai": key,
    }
    return load_settings(None, given=given)


async def first_turn(recogniser: stt.STT[Any]) -> tuple[str, list[Any]]:
    """What a session with these ears hears first, and the errors that it was told of."""
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    errors: list[Any] = []

    def take(event: UserInputTranscribedEvent) -> None:
        if event.is_final and not heard.done():
            heard.set_result(event.transcript)

    session: AgentSession[None] = AgentSession(
        stt=recogniser, vad=None, turn_handling={"turn_detection": "stt"}
    )
    session.on("user_input_transcribed", take)
    session.on("error", errors.append)
    session.input.audio = SilentInput()
    await session.start(Agent(instructions=""), record=False)
    try:
        return await heard, errors
    finally:
        await session.aclose()


async def test_another_region_hears_the_caller_when_the_first_is_down(
    service: AssemblyAIStandIn,
) -> None:
    recogniser = build_stt(settings(base_url=NOWHERE, fallback_base_url=service.url))
    assert await first_turn(recogniser) == ("I would like tea", [])


@pytest.mark.parametrize("fault", [{"api_key": "wr0ng"}, {"base_url": NOWHERE}])
async def test_another_stt_hears_the_caller_when_ours_fails(
    service: AssemblyAIStandIn, fault: dict[str, str]
) -> None:
    ours = build_stt(settings(**{"base_url": service.url, "patience_seconds": 0.1, **fault}))
    others = build_stt(settings(base_url=service.url))
    assert await first_turn(with_fallback(ours, others)) == ("I would like tea", [])
    assert sum(session.was_terminated for session in service.sessions) == 1


async def test_other_ears_hear_the_caller_when_the_budget_of_new_sessions_is_used_up(
    service: AssemblyAIStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    MachineBudget(1, file_for(LOCAL_KEY)).take_now()
    limited = {"base_url": service.url, "patience_seconds": 3, "new_sessions_per_minute": 1}
    ours, others = build_stt(settings(**limited)), build_stt(settings(base_url=service.url))
    began = time.monotonic()
    assert await first_turn(with_fallback(ours, others)) == ("I would like tea", [])
    assert time.monotonic() - began < 30  # not the minute that the budget takes


async def test_a_model_of_livekit_inference_stands_behind_ours_where_one_is_set() -> None:
    model = "assemblyai/universal-streaming"
    chosen = settings(fallback_inference_model=model)
    ours = build_stt(chosen)
    hearing = with_inference(ours, chosen)
    assert isinstance(hearing, stt.FallbackAdapter)
    assert with_inference(ours, settings()) is ours


async def test_ears_that_are_given_no_sound_cost_nothing_until_they_are(
    service: AssemblyAIStandIn,
) -> None:
    recogniser = build_stt(settings(base_url=service.url, idle_seconds=0.2))
    billed = asyncio.Event()
    recogniser.on("billed", lambda _: billed.set())
    async with recogniser.stream() as stream:
        async with asyncio.timeout(60):
            await billed.wait()
        assert [session.was_terminated for session in service.sessions] == [True]
        stream.push_frame(rtc.AudioFrame(bytes(RATE * 4), RATE, 1, RATE * 2))
        stream.end_input()
        kind = stt.SpeechEventType.FINAL_TRANSCRIPT
        finals = [event.alternatives[0].text async for event in stream if event.type is kind]
    assert finals == ["I would like tea"]
    assert len(service.sessions) == 2


@pytest.mark.parametrize("ears_of_a_job", [build_stt, lambda chosen: TranscriberKit(chosen).stt])
async def test_calls_and_transcriptions_take_from_one_budget_of_new_sessions(
    service: AssemblyAIStandIn,
    ears_of_a_job: Callable[[Settings], STT],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    recogniser = ears_of_a_job(settings(base_url=service.url, new_sessions_per_minute=5))
    async with recogniser.stream() as stream:
        stream.push_frame(rtc.AudioFrame(bytes(RATE * 4), RATE, 1, RATE * 2))
        stream.end_input()
        async for _ in stream:
            pass
    assert MachineBudget(1, file_for(LOCAL_KEY)).take_now() > 0  # one was taken
