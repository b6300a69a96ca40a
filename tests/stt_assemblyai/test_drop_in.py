"""Whoever uses LiveKit's own AssemblyAI plugin can use this module in its place.

The installed plugin's signatures are read, and every name is tried here. Where a value means
something else on purpose, `DIFFERENCES` says so, and why.
"""

import inspect
from typing import Any

import pytest
from livekit.agents import NOT_GIVEN
from livekit.plugins import assemblyai as plugin

from stt_assemblyai.errors import ConfigurationError
from stt_assemblyai.options import PARAMETERS, RENAMED
from stt_assemblyai.stt import STT, SpeechStream

DIFFERENCES = {
    "api_key": "must be passed: the environment is read in one place, by the application",
    "model": "defaults to the cheapest model; the plugin follows AssemblyAI's dearest",
    "http_session": "is accepted and not used: the connection is this module's own",
    "agent_context_carryover": "is off unless switched on: it hands out what the agent says",
    "language_detection": "is the service's default unless set; the plugin switches it on",
    "min_turn_silence": "is never 100 by itself: that cuts universal-3 turns at every breath",
    "end_of_turn_confidence_threshold": "is refused, not dropped, by models that do not take it",
    "format_turns": "is true on the universal-streaming models, and waited for 300 ms at most",
}

VALUES: dict[str, Any] = {
    "api_key": "k",
    "sample_rate": 16000,
    "encoding": "pcm_s16le",
    "model": "universal-3-6-pro",
    "language_detection": True,
    "language_codes": ["en-US", "spanish"],
    "end_of_turn_confidence_threshold": NOT_GIVEN,
    "min_turn_silence": 200,
    "max_turn_silence": 900,
    "format_turns": NOT_GIVEN,
    "continuous_partials": True,
    "interruption_delay": 300,
    "keyterms_prompt": ["Aldi"],
    "prompt": "A call about trains.",
    "agent_context": "Where to?",
    "previous_context_n_turns": 3,
    "vad_threshold": 0.3,
    "speaker_labels": True,
    "max_speakers": 2,
    "domain": "medical-v1",
    "voice_focus": "near-field",
    "voice_focus_threshold": 0.5,
    "mode": "balanced",
    "http_session": None,
    "buffer_size_seconds": 0.05,
    "base_url": "wss://streaming.eu.assemblyai.com",
    "agent_context_carryover": True,
}


def names(function: Any) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self"}


def test_every_argument_of_the_plugins_constructor_is_accepted_by_name() -> None:
    taken = {name: VALUES[name] for name in names(plugin.STT.__init__) & VALUES.keys()}
    STT(**taken)
    assert names(plugin.STT.__init__) - taken.keys() <= RENAMED.keys()


@pytest.mark.filterwarnings("ignore:The parameter")
@pytest.mark.parametrize("function", ["STT", "SpeechStream"])
async def test_every_argument_of_the_plugins_updates_is_accepted_by_name(function: str) -> None:
    arguments = names(getattr(plugin, function).update_options)
    speech = STT(api_key="k", model="universal-3-6-pro", base_url="ws://127.0.0.1:9")
    stream = speech.stream()
    target = speech if function == "STT" else stream
    for name in arguments - {"min_end_of_turn_silence_when_confident"}:
        target.update_options(**{name: VALUES[name]})
    target.update_options(min_end_of_turn_silence_when_confident=300)
    await stream.aclose()


@pytest.mark.parametrize("name", ["session_id", "expires_at", "force_endpoint", "update_options"])
def test_streams_offer_what_the_plugins_do(name: str) -> None:
    assert hasattr(plugin.SpeechStream, name)
    assert hasattr(SpeechStream, name)


@pytest.mark.parametrize("name", ["model", "provider", "stream", "update_options"])
def test_the_stt_offers_what_the_plugins_does(name: str) -> None:
    assert hasattr(plugin.STT, name)
    assert hasattr(STT, name)


def test_every_difference_is_about_something_the_plugin_has() -> None:
    assert set(DIFFERENCES) <= names(plugin.STT.__init__)


def test_the_differences_are_real() -> None:
    with pytest.raises(ConfigurationError, match="api_key is missing"):
        STT()
    assert STT(api_key="k").model == "universal-streaming-english"
    assert plugin.STT(api_key="k").model == "universal-3-6-pro"
    assert plugin.STT(api_key="k").capabilities.chat_context
    u3 = STT(api_key="k", model="universal-3-6-pro")
    assert not u3.capabilities.chat_context
    assert u3.options.effective().keys() == {"speech_model", "sample_rate", "encoding"}
    assert STT(api_key="k").options.effective()["format_turns"] is True
    with pytest.raises(ValueError, match="does not take this"):
        STT(api_key="k", model="universal-3-6-pro", end_of_turn_confidence_threshold=0.5)


def test_what_the_plugin_does_not_have_is_there_too() -> None:
    more = {"inactivity_timeout", "session_heartbeat", "redact_pii", "webhook_url", "llm_gateway"}
    assert more <= PARAMETERS.keys() - names(plugin.STT.__init__)
    STT(token="t", base_url=["wss://streaming.us.assemblyai.com", "wss://streaming.assemblyai.com"])
