"""What a call is made with, where it has settings of its own."""

import json

import pytest

from agent.call.session import Equipment, equip
from agent.call.turns.end_of_turn.detector import LiveKitDetector
from config.load import load_settings
from config.per_call import settings_of_call

KEYS = {
    "livekit": {"url": "ws://127.0.0.1:9", "api_key": "APIkey", "api_secret": "a-secret-of-length"},
    "assemblyai": {"api_key": "an-assemblyai-key"},
    "openai": {"api_key": "sk-an-openai-key"},
}


@pytest.fixture(scope="module")
def equipment() -> Equipment:
    return equip(load_settings(None, given=KEYS))


def test_an_end_of_turn_detector_is_loaded_only_where_it_is_wanted(equipment: Equipment) -> None:
    assert equipment.end_of_turn is None
    wanted = equip(load_settings(None, given=KEYS | {"agent": {"turn_second_opinion": "livekit"}}))
    assert isinstance(wanted.end_of_turn, LiveKitDetector)
    assert for_call(wanted, '{"AGENT_GREETING": "Hi."}').end_of_turn is wanted.end_of_turn


def for_call(equipment: Equipment, metadata: str) -> Equipment:
    call = settings_of_call(equipment.settings, metadata)
    assert call.faults == []
    return equipment.for_call(call.settings)


def test_a_call_with_nothing_of_its_own_takes_what_is_ready(equipment: Equipment) -> None:
    assert for_call(equipment, "{}") is equipment


async def test_a_call_has_ears_mind_and_voice_of_its_own(equipment: Equipment) -> None:
    metadata = {
        "ASSEMBLYAI_SPEECH_MODEL": "universal-3-6-pro",
        "ASSEMBLYAI_KEYTERMS_PROMPT": ["Aldi", "Kofi"],
        "OPENAI_LLM_MODEL": "gpt-4.1",
        "OPENAI_TTS_VOICE": "sage",
        "AGENT_GREETING": "Hi.",
    }
    own = for_call(equipment, json.dumps(metadata))
    assert own.ears.options.speech_model == "universal-3-6-pro"
    assert own.ears.options.keyterms_prompt == ("Aldi", "Kofi")
    assert own.mind.model == "gpt-4.1"
    assert own.voice is not equipment.voice
    assert own.settings.agent.greeting == "Hi."


async def test_what_takes_time_to_make_is_not_made_for_a_call(equipment: Equipment) -> None:
    own = for_call(equipment, '{"OPENAI_TTS_VOICE": "sage"}')
    assert own.clients is equipment.clients
    assert own.vad is equipment.vad
