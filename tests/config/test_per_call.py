"""A call's own settings: what may be set for a single call, and what becomes of a fault."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.contradictions import contradictions
from config.languages import HEARS_ALL, SENTENCES
from config.per_call import LONGEST_METADATA, MOST_FAULTS, CallSettings, settings_of_call
from config.settings import PER_CALL
from workbench.local.sample_settings import sample_settings

BASE = sample_settings(
    assemblyai={"vad_threshold": 0.6, "min_turn_silence": 500},
    agent={"name": "receptionist", "greeting": "Hello."},
)

RIGHT: dict[str, Any] = {
    "AGENT_INSTRUCTIONS": "You answer the phone of a bicycle shop.",
    "AGENT_LANGUAGE": "de",
    "AGENT_GREETING": "Grüezi, Velo Meier.",
    "AGENT_STILL_THERE": "Sind Sie noch da?",
    "AGENT_GOODBYE": "Auf Wiederhören.",
    "AGENT_REFUSAL": "Darüber kann ich nicht sprechen.",
    "AGENT_TURN_PRESET": "conservative",
    "AGENT_HEARS": "everybody",
    "ASSEMBLYAI_SPEECH_MODEL": "universal-3-6-pro",
    "ASSEMBLYAI_LANGUAGE_CODES": ["de", "fr"],
    "ASSEMBLYAI_KEYTERMS_PROMPT": ["Aldi", "Kofi"],
    "ASSEMBLYAI_PROMPT": "A call to a bicycle shop.",
    "OPENAI_LLM_MODEL": "gpt-4.1",
    "OPENAI_TTS_VOICE": "sage",
}


def test_every_key_that_is_allowed_reaches_the_setting_of_its_name() -> None:
    call = settings_of_call(BASE, json.dumps(RIGHT))
    assert (call.faults, call.application) == ([], {})
    own = call.settings
    assert own.prompt == "You answer the phone of a bicycle shop."
    assert own.agent.greeting == "Grüezi, Velo Meier."
    assert own.agent.turn_preset == "conservative"
    assert own.agent.hears == "everybody"
    assert own.assemblyai.session.speech_model == "universal-3-6-pro"
    assert own.assemblyai.session.language_codes == ("de", "fr")
    assert own.assemblyai.session.keyterms_prompt == ("Aldi", "Kofi")
    assert own.openai.llm_model == "gpt-4.1"
    assert own.openai.tts_voice == "sage"


def test_the_example_above_has_every_key_that_is_allowed() -> None:
    names = {f"{section}_{name}".upper() for section, group in PER_CALL.items() for name in group}
    assert set(RIGHT) == names


def test_a_call_in_another_language_says_everything_in_it_and_is_heard_in_it() -> None:
    call = settings_of_call(BASE, '{"AGENT_LANGUAGE": "de"}')
    assert call.faults == []
    own = call.settings
    assert own.agent.greeting == "Hello."  # the operator's
    assert own.agent.goodbye == SENTENCES["de"].goodbye
    assert own.assemblyai.speech_model == HEARS_ALL
    assert settings_of_call(own, '{"AGENT_LANGUAGE": "en"}').settings.agent == BASE.agent


def test_a_language_that_the_model_does_not_hear_costs_only_itself() -> None:
    english = sample_settings(assemblyai={"speech_model": "universal-streaming-english"})
    call = settings_of_call(english, '{"AGENT_LANGUAGE": "de", "AGENT_GREETING": "Hi."}')
    [fault] = call.faults
    assert fault.startswith("AGENT_LANGUAGE=de needs a model that hears it")
    assert (call.settings.agent.language, call.settings.agent.greeting) == ("en", "Hi.")


def test_what_the_metadata_leaves_out_stays_as_the_operator_set_it() -> None:
    metadata = '{"AGENT_GREETING": "Hi.", "OPENAI_TTS_VOICE": "sage"}'
    own = settings_of_call(BASE, metadata).settings
    assert own.agent.name == "receptionist"
    assert own.assemblyai == BASE.assemblyai
    assert own.livekit == BASE.livekit
    assert own.openai.api_key == BASE.openai.api_key


def test_another_call_has_nothing_of_this_one() -> None:
    settings_of_call(BASE, json.dumps(RIGHT))
    assert BASE.agent.greeting == "Hello."
    assert settings_of_call(BASE, "{}") == CallSettings(BASE)


@pytest.mark.parametrize("metadata", ["", "  \n", "{}"])
def test_no_metadata_is_no_fault(metadata: str) -> None:
    assert settings_of_call(BASE, metadata) == CallSettings(BASE)


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
    "a key with a typing error": ('{"AGENT_GREETNG": "Hi"}', "'AGENT_GREETNG': no call can set"),
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
    "no name of a model": (
        '{"ASSEMBLYAI_SPEECH_MODEL": "the best"}',
        "SPEECH_MODEL: must be a name",
    ),
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
    "a greeting that takes minutes": (
        json.dumps({"AGENT_GREETING": "x" * 30_000}),
        "AGENT_GREETING: must have at most 1000 characters",
    ),
    "a preset that contradicts the worker's threshold": (
        '{"AGENT_TURN_PRESET": "aggressive"}',
        "ASSEMBLYAI_MIN_TURN_SILENCE (500 ms) must not be longer than ASSEMBLYAI_MAX_TURN_SILENCE",
    ),
    "a key that forges": (
        '{"AGENT_\\n12:00 ERROR \\u001b[31m": 1}',
        "'AGENT_\\n12:00 ERROR \\x1b[31m'",
    ),
}


@pytest.mark.parametrize(("metadata", "said"), FAULTY.values(), ids=FAULTY.keys())
def test_what_is_faulty_is_left_out_and_told_in_one_sentence(metadata: str, said: str) -> None:
    call = settings_of_call(BASE, metadata)
    assert call.settings == BASE
    (fault,) = call.faults
    assert said in fault
    assert len(fault) < 600
    assert fault.isprintable()


OWN = {"customer_id": "42", "GREETING": "Hi", "plan": {"name": "gold", "seats": [1, None]}}
WRONG = {
    "AGENT_GOODBYE": 5,
    "OPENAI_API_KEY": "sk-1",
    "ASSEMBLYAI_SPEECH_MODEL": "the best one",
    "AGENT_TURN_PRESET": "aggressive",
    "LIVEKIT_URL": "ws://elsewhere",
}


def test_keys_that_are_no_settings_are_the_applications_own() -> None:
    call = settings_of_call(BASE, json.dumps({**OWN, "AGENT_GREETING": "Hi Ann."}))
    assert call.settings.agent.greeting == "Hi Ann."
    assert (call.faults, call.application) == ([], OWN)


@pytest.mark.parametrize("wrong", WRONG.items(), ids=WRONG.keys())
def test_a_wrong_key_costs_only_itself(wrong: tuple[str, Any]) -> None:
    right = {
        "OPENAI_TTS_VOICE": "sage",
        "AGENT_GREETING": "Hola.",
        "ASSEMBLYAI_KEYTERMS_PROMPT": "a",
    }
    faulty = dict([wrong])
    for metadata in ({**right, **OWN, **faulty}, {**faulty, **right, **OWN}):
        call = settings_of_call(BASE, json.dumps(metadata))
        assert len(call.faults) == 1
        assert call.settings == settings_of_call(BASE, json.dumps(right)).settings
        assert call.application == OWN


def test_a_wrong_model_also_costs_what_only_it_would_have_taken() -> None:
    metadata = {**RIGHT, "ASSEMBLYAI_SPEECH_MODEL": "the best one"}
    call = settings_of_call(BASE, json.dumps(metadata))
    assert sorted(fault.split(":")[0] for fault in call.faults) == [
        "ASSEMBLYAI_LANGUAGE_CODES",
        "ASSEMBLYAI_PROMPT",
        "ASSEMBLYAI_SPEECH_MODEL",
    ]
    assert call.settings.agent.greeting == RIGHT["AGENT_GREETING"]


def test_every_text_that_a_call_may_set_has_a_bound() -> None:
    for section, names in PER_CALL.items():
        shapes = getattr(BASE, section).model_json_schema()["properties"]
        for name in names:
            kind = shapes[name].get("anyOf", [shapes[name]])[0]
            parts = kind.get("items", kind)
            assert kind.keys() & {"maxLength", "maxItems", "enum"}, name
            assert parts.keys() & {"maxLength", "pattern", "enum"}, name


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)
keys = st.sampled_from([*RIGHT, *WRONG, "AGENT_NAME", "agent_greeting"]) | st.text(max_size=20)


@given(
    st.dictionaries(keys, json_values | st.sampled_from([*RIGHT.values()]), max_size=6).map(
        json.dumps
    )
    | st.text()
    | st.builds(lambda text, end: json.dumps(text)[:end], json_values, st.integers(0, 40))
)
@settings(max_examples=300)
@pytest.mark.filterwarnings("ignore:The speech model")
def test_any_metadata_gives_settings_and_a_sentence_for_each_key_that_is_left_out(
    metadata: str,
) -> None:
    call = settings_of_call(BASE, metadata)
    assert all(fault.isprintable() and len(fault) < 600 for fault in call.faults)
    assert len(call.faults) <= MOST_FAULTS
    # A call with these settings has them checked again by nobody: they have to be right.
    for section in PER_CALL:
        own = getattr(call.settings, section)
        type(own).model_validate({name: getattr(own, name) for name in own.model_fields_set})
    assert contradictions(call.settings) == []
    for name in call.application:
        assert not name.upper().startswith(("AGENT_", "ASSEMBLYAI_", "OPENAI_", "LIVEKIT_"))


def test_no_fault_holds_a_value() -> None:
    secret = "my card is 4929"
    metadata = json.dumps({name: {secret: secret} for name in RIGHT})
    assert secret not in "".join(settings_of_call(BASE, metadata).faults)


def test_a_thousand_faults_are_not_told_one_by_one() -> None:
    metadata = json.dumps({f"AGENT_{number}": 1 for number in range(1000)})
    assert len(settings_of_call(BASE, metadata).faults) == MOST_FAULTS


def test_the_longest_metadata_is_still_read() -> None:
    text = '{"AGENT_GREETING": "Hi."}'
    call = settings_of_call(BASE, text + " " * (LONGEST_METADATA - len(text)))
    assert (call.settings.agent.greeting, call.faults) == ("Hi.", [])
