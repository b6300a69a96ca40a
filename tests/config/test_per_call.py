"""A call's own settings: what may be set for a single call, and what becomes of a fault."""

import json
from typing import Any

import pytest

from config.per_call import LONGEST_METADATA, MOST_FAULTS, settings_of_call
from config.settings import PER_CALL, Settings

BASE: Settings = Settings.model_construct(
    **{
        section: Settings.model_fields[section].annotation.model_validate(values)  # type: ignore[union-attr]
        for section, values in {
            "livekit": {
                "url": "ws://127.0.0.1:7880",
                "api_key": "APIkey",
                "api_secret": "a-livekit-secret-that-is-long",
            },
            "assemblyai": {"api_key": "an-assemblyai-key", "vad_threshold": 0.6},
            "openai": {"api_key": "sk-an-openai-key"},
            "agent": {"name": "receptionist", "greeting": "Hello."},
        }.items()
    }
)

RIGHT: dict[str, Any] = {
    "AGENT_INSTRUCTIONS": "You answer the phone of a bicycle shop.",
    "AGENT_GREETING": "Grüezi, Velo Meier.",
    "AGENT_STILL_THERE": "Sind Sie noch da?",
    "AGENT_GOODBYE": "Auf Wiederhören.",
    "AGENT_TURN_PRESET": "conservative",
    "ASSEMBLYAI_SPEECH_MODEL": "universal-3-6-pro",
    "ASSEMBLYAI_LANGUAGE_CODES": ["de", "fr"],
    "ASSEMBLYAI_KEYTERMS_PROMPT": ["Aldi", "Kofi"],
    "ASSEMBLYAI_PROMPT": "A call to a bicycle shop.",
    "OPENAI_LLM_MODEL": "gpt-4.1",
    "OPENAI_TTS_VOICE": "sage",
}


def test_every_key_that_is_allowed_reaches_the_setting_of_its_name() -> None:
    settings, faults = settings_of_call(BASE, json.dumps(RIGHT))
    assert faults == []
    assert settings.agent.prompt == "You answer the phone of a bicycle shop."
    assert settings.agent.greeting == "Grüezi, Velo Meier."
    assert settings.agent.turn_preset == "conservative"
    assert settings.assemblyai.session.speech_model == "universal-3-6-pro"
    assert settings.assemblyai.session.language_codes == ("de", "fr")
    assert settings.assemblyai.session.keyterms_prompt == ("Aldi", "Kofi")
    assert settings.openai.llm_model == "gpt-4.1"
    assert settings.openai.tts_voice == "sage"


def test_the_example_above_has_every_key_that_is_allowed() -> None:
    names = {f"{section}_{name}".upper() for section, group in PER_CALL.items() for name in group}
    assert set(RIGHT) == names


def test_what_the_metadata_leaves_out_stays_as_the_operator_set_it() -> None:
    settings, _ = settings_of_call(BASE, '{"AGENT_GREETING": "Hi.", "OPENAI_TTS_VOICE": "sage"}')
    assert settings.agent.name == "receptionist"
    assert settings.assemblyai == BASE.assemblyai
    assert settings.livekit == BASE.livekit
    assert settings.openai.api_key == BASE.openai.api_key


def test_another_call_has_nothing_of_this_one() -> None:
    settings_of_call(BASE, json.dumps(RIGHT))
    assert BASE.agent.greeting == "Hello."
    assert settings_of_call(BASE, "{}") == (BASE, [])


@pytest.mark.parametrize("metadata", ["", "  \n", "{}"])
def test_no_metadata_is_no_fault(metadata: str) -> None:
    assert settings_of_call(BASE, metadata) == (BASE, [])


DEEP = "[" * 30_000
FAULTY = {
    "a word": ("customer 17", "not a JSON object"),
    "a list": ('["AGENT_GREETING"]', "not a JSON object"),
    "half an object": ('{"AGENT_GREETING": "Hi', "not a JSON object"),
    "deep JSON": (DEEP, "not a JSON object"),
    "deep JSON in a value": (
        '{"AGENT_GREETING": ' + DEEP[:900] + "]" * 900 + "}",
        "AGENT_GREETING: ",
    ),
    "deep JSON in a text": (json.dumps({"ASSEMBLYAI_KEYTERMS_PROMPT": DEEP}), "ASSEMBLYAI_"),
    "a number without end": ('{"AGENT_GREETING": ' + "9" * 5000 + "}", "not a JSON object"),
    "megabytes": ('{"AGENT_GREETING": "' + "x" * 2_000_000 + '"}', "longer than 65536"),
    "an unknown key": ('{"GREETING": "Hi"}', "'GREETING': no call can set this"),
    "a key in lower case": ('{"agent_greeting": "Hi"}', "'agent_greeting': no call can set this"),
    "a secret": ('{"OPENAI_API_KEY": "sk-1"}', "'OPENAI_API_KEY': no call can set this"),
    "another address": ('{"OPENAI_BASE_URL": "http://x/v1"}', "no call can set this"),
    "no model": ('{"OPENAI_LLM_MODEL": ""}', "OPENAI_LLM_MODEL: must not be empty"),
    "no voice": ('{"OPENAI_TTS_VOICE": " "}', "OPENAI_TTS_VOICE: must not be empty"),
    "a file of the worker": ('{"AGENT_INSTRUCTIONS_FILE": "/etc/passwd"}', "no call can set this"),
    "another folder": ('{"AGENT_RECORD_DIR": "/"}', "no call can set this"),
    "more power": ('{"AGENT_OPERATORS": "mallory"}', "no call can set this"),
    "a wrong type": ('{"AGENT_GREETING": {"text": "Hi"}}', "AGENT_GREETING: "),
    "nothing to say": ('{"AGENT_GREETING": "  "}', "AGENT_GREETING: must not be empty"),
    "half a character": ('{"AGENT_GREETING": "\\ud800"}', "AGENT_GREETING: "),
    "no such model": ('{"ASSEMBLYAI_SPEECH_MODEL": "best"}', "ASSEMBLYAI_SPEECH_MODEL: must be"),
    "too many terms": (
        json.dumps({"ASSEMBLYAI_KEYTERMS_PROMPT": ["a"] * 101}),
        "ASSEMBLYAI_KEYTERMS_PROMPT: must have at most 100",
    ),
    "what the model does not take": (
        '{"ASSEMBLYAI_LANGUAGE_CODES": ["de"]}',
        "ASSEMBLYAI_LANGUAGE_CODES: the model universal-streaming-english does not take this",
    ),
    "instructions without end": (
        json.dumps({"AGENT_INSTRUCTIONS": "x" * 40_000}),
        "AGENT_INSTRUCTIONS: must have at most 32000 characters",
    ),
    "a key that forges": ('{"x\\n12:00 ERROR \\u001b[31m": 1}', "'x\\n12:00 ERROR \\x1b[31m'"),
}


@pytest.mark.parametrize(("metadata", "said"), FAULTY.values(), ids=FAULTY.keys())
def test_a_faulty_configuration_is_refused_in_one_sentence(metadata: str, said: str) -> None:
    settings, faults = settings_of_call(BASE, metadata)
    assert settings == BASE
    assert len(faults) == 1
    assert said in faults[0]
    assert len(faults[0]) < 600
    assert faults[0].isprintable()


def test_a_single_fault_refuses_all_of_it_and_every_fault_is_named() -> None:
    metadata = '{"AGENT_GREETING": "Hola.", "AGENT_GOODBYE": 5, "OPENAI_API_KEY": "sk-1"}'
    settings, faults = settings_of_call(BASE, metadata)
    assert settings == BASE
    assert sorted(fault.split(":")[0] for fault in faults) == ["'OPENAI_API_KEY'", "AGENT_GOODBYE"]


def test_no_fault_holds_a_value() -> None:
    secret = "my card is 4929"
    metadata = json.dumps({name: {secret: secret} for name in RIGHT})
    assert secret not in "".join(settings_of_call(BASE, metadata)[1])


def test_a_thousand_faults_are_not_told_one_by_one() -> None:
    metadata = json.dumps({f"KEY_{number}": 1 for number in range(1000)})
    assert len(settings_of_call(BASE, metadata)[1]) == MOST_FAULTS


def test_the_longest_metadata_is_still_read() -> None:
    text = '{"AGENT_GREETING": "Hi."}'
    settings, faults = settings_of_call(BASE, text + " " * (LONGEST_METADATA - len(text)))
    assert (settings.agent.greeting, faults) == ("Hi.", [])
