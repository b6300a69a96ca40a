"""What a call is made with, where it has settings of its own."""

import asyncio
import json

import pytest
from livekit.agents import Agent, CloseReason

from agent.call.session import SessionParts, build_session, prepare_parts
from agent.call.turns.end_of_turn.detector import LiveKitDetector
from config.load import load_settings
from config.per_call import settings_of_call

KEYS = {
    "livekit": {"url": "ws://127.0.0.1:9", "api_key": "APIkey", "api_secret": "a-secret-of-length"},
    "assemblyai": {"api_key": "an-assemblyai-key"},
    "openai": {"api_key": "sk-an-openai-key"},
}


@pytest.fixture(scope="module")
def parts() -> SessionParts:
    return prepare_parts(load_settings(None, given=KEYS))


def test_an_end_of_turn_detector_is_loaded_only_where_it_is_wanted(parts: SessionParts) -> None:
    assert parts.end_of_turn is None
    chosen = load_settings(None, given=KEYS | {"agent": {"turn_second_opinion": "livekit"}})
    wanted = prepare_parts(chosen)
    assert isinstance(wanted.end_of_turn, LiveKitDetector)
    assert for_call(wanted, '{"AGENT_GREETING": "Hi."}').end_of_turn is wanted.end_of_turn


def for_call(parts: SessionParts, metadata: str) -> SessionParts:
    call = settings_of_call(parts.settings, metadata)
    assert call.faults == []
    return parts.for_call(call.settings)


def test_a_call_with_nothing_of_its_own_takes_what_is_ready(parts: SessionParts) -> None:
    assert for_call(parts, "{}") is parts


async def test_calls_of_one_process_share_what_no_call_changes(parts: SessionParts) -> None:
    other = parts.again()
    shared = [name for name in ("settings", "clients", "vad") if getattr(other, name) is not None]
    assert [getattr(other, name) is getattr(parts, name) for name in shared] == [True] * 3
    for name in ("assemblyai", "stt", "llm", "tts"):  # they have listeners, options and usage
        assert getattr(other, name) is not getattr(parts, name)


async def test_a_call_has_stt_llm_and_tts_of_its_own(parts: SessionParts) -> None:
    metadata = {
        "ASSEMBLYAI_SPEECH_MODEL": "universal-3-6-pro",
        "ASSEMBLYAI_KEYTERMS_PROMPT": ["Aldi", "Kofi"],
        "OPENAI_LLM_MODEL": "gpt-4.1",
        "OPENAI_TTS_VOICE": "sage",
        "AGENT_GREETING": "Hi.",
    }
    own = for_call(parts, json.dumps(metadata))
    assert own.assemblyai.options.speech_model == "universal-3-6-pro"
    assert own.assemblyai.options.keyterms_prompt == ("Aldi", "Kofi")
    assert own.llm.model == "gpt-4.1"
    assert own.tts is not parts.tts
    assert own.settings.agent.greeting == "Hi."


async def test_what_takes_time_to_make_is_not_made_for_a_call(parts: SessionParts) -> None:
    own = for_call(parts, '{"OPENAI_TTS_VOICE": "sage"}')
    assert own.clients is parts.clients
    assert own.vad is parts.vad


async def test_a_call_whose_model_hears_otherwise_has_a_detector_of_its_own(
    parts: SessionParts,
) -> None:
    """The process's own detector keeps its threshold."""
    own = for_call(parts, '{"ASSEMBLYAI_SPEECH_MODEL": "universal-3-6-pro"}')
    assert own.settings.vad_threshold != parts.settings.vad_threshold
    assert own.vad is not parts.vad
    same = for_call(parts, '{"ASSEMBLYAI_SPEECH_MODEL": "universal-streaming-multilingual"}')
    assert same.vad is parts.vad


@pytest.mark.parametrize(
    ("is_closed_by_job", "reason"),
    [(True, CloseReason.JOB_SHUTDOWN), (False, CloseReason.USER_INITIATED)],
)
async def test_a_session_says_whether_its_job_closed_it_or_an_agent(
    parts: SessionParts, is_closed_by_job: bool, reason: CloseReason
) -> None:
    session = build_session(parts)
    closed: asyncio.Future[CloseReason] = asyncio.get_running_loop().create_future()
    session.on("close", lambda event: closed.set_result(event.reason))
    await session.start(Agent(instructions=""), record=False)
    if is_closed_by_job:
        await session.aclose()
    else:
        session.shutdown()
    assert await asyncio.wait_for(closed, 10) is reason
