"""Whoever uses LiveKit's own AssemblyAI plugin can use this module in its place.

The installed plugin's signatures are read, and every name is tried here. Where a value means
something else on purpose, docs/stt.md says so, and why.
"""

import inspect
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from livekit.agents import NOT_GIVEN
from livekit.plugins import assemblyai as plugin

from stt_assemblyai.options import PARAMETERS, RENAMED, SessionOptions
from stt_assemblyai.stt import STT, SpeechStream
from workbench.standins.assemblyai_v3.knobs import Knobs
from workbench.standins.assemblyai_v3.server import LOCAL_KEY, AssemblyAIStandIn

PAGE = (Path(__file__).parents[2] / "docs" / "stt.md").read_text("utf-8")
SECTION = PAGE.split("### In place of")[1].split("\n## ")[0]
ROWS = [
    [cell.strip().strip("`") for cell in line.strip("|").split("|")]
    for line in SECTION.splitlines()
    if line.startswith("| `")
]
COMMON = {"speech_model", "sample_rate", "encoding"}

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


@pytest.mark.parametrize("model", sorted({row[0] for row in ROWS if len(row) == 5}))
async def test_the_page_tells_all_that_is_sent_by_either_where_nothing_is_set(model: str) -> None:
    asked = [row[1:] for row in ROWS if row[0] == model]
    async with AssemblyAIStandIn(knobs=Knobs(begin_delay_ms=0)) as stand_in:
        common = {"api_key": LOCAL_KEY, "base_url": stand_in.url}
        async with aiohttp.ClientSession() as http:
            stock = plugin.STT(model=model, http_session=http, **common).stream()  # type: ignore[arg-type]
            await stand_in.wait_for_session(0)
            await stock.aclose()
        ours = STT(model=model, **common).stream()
        await stand_in.wait_for_session(1)
        await ours.aclose()
        service = STT(options=SessionOptions.preset("service"), model=model, **common).stream()
        await stand_in.wait_for_session(2)
        await service.aclose()
        sent = [dict(session.query) for session in stand_in.sessions]
    for column, query in enumerate(sent, start=1):
        listed = {row[0]: row[column] for row in asked if row[column]}
        assert {name: text for name, text in query.items() if name not in COMMON} == listed


def test_every_difference_on_the_page_is_about_something_the_plugin_has() -> None:
    listed = {name for row in ROWS if len(row) == 2 for name in re.findall(r"\w+", row[0])}
    assert len(listed) >= 7
    assert listed <= names(plugin.STT.__init__)


def test_the_differences_are_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSEMBLYAI_API_KEY", raising=False)
    for missing in (STT, plugin.STT):
        with pytest.raises(ValueError, match=r"(?i)api.key"):
            missing()
    assert STT(api_key="k").model == "universal-streaming-english"
    assert plugin.STT(api_key="k").model == "universal-3-6-pro"
    for either in (STT, plugin.STT):
        assert either(api_key="k", model="universal-3-6-pro").capabilities.chat_context
    with pytest.raises(ValueError, match="does not take this"):
        STT(api_key="k", model="universal-3-6-pro", end_of_turn_confidence_threshold=0.5)


def test_what_the_plugin_does_not_have_is_there_too() -> None:
    more = {"inactivity_timeout", "session_heartbeat", "redact_pii", "webhook_url", "llm_gateway"}
    assert more <= PARAMETERS.keys() - names(plugin.STT.__init__)
    STT(token="t", base_url=["wss://streaming.us.assemblyai.com", "wss://streaming.assemblyai.com"])
