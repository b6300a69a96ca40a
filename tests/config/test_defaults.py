"""What an operator leaves unset is what the speech module does by itself, with one exception."""

import inspect
from dataclasses import fields
from typing import Any

import pytest

from config.services import AssemblyAISettings
from stt_assemblyai.audio import ReplayBuffer
from stt_assemblyai.cli.options import CommandOptions
from stt_assemblyai.client import connect
from stt_assemblyai.connector import Connector
from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.livekit.stt import STT
from stt_assemblyai.outbox import Pacer
from stt_assemblyai.retries import Patience
from stt_assemblyai.timing import Timing

OUR_OWN = {"patience_seconds"}  # a caller waits less long than other users of the module


def defaults(function: Any) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}


STT_DEFAULTS = defaults(STT.__init__)


def test_settings_and_adapter_agree() -> None:
    settings = {name: info.default for name, info in AssemblyAISettings.model_fields.items()}
    shared = settings.keys() & STT_DEFAULTS.keys() - {"api_key"}
    assert shared >= {"base_url", "idle_seconds", "wait_for_formatted_ms", "eager_ms"}
    assert {name for name in shared if settings[name] != STT_DEFAULTS[name]} == OUR_OWN


@pytest.mark.parametrize("value", [Timing(), TurnChoices()])
def test_adapter_and_values_agree(value: Timing | TurnChoices) -> None:
    renamed = {"unanswered_seconds": "unanswered_after_seconds"}
    for field in fields(value):
        name, default = renamed.get(field.name, field.name), getattr(value, field.name)
        if field.name == "chunk_ms":
            name, default = "buffer_size_seconds", default / 1000
        if field.name != "shortest_session_seconds":  # the adapter does not offer it
            assert STT_DEFAULTS[name] == default, name


def test_the_edges_agree() -> None:
    timing, connector = Timing(), defaults(Connector.__init__)
    assert STT_DEFAULTS["patience_seconds"] == Patience().total_seconds
    assert defaults(ReplayBuffer)["chunk_ms"] == timing.chunk_ms
    assert defaults(ReplayBuffer)["keep_seconds"] == timing.keep_seconds
    assert defaults(Pacer)["speed"] == timing.replay_speed
    for name in ("connect_timeout_seconds", "dead_after_seconds"):
        assert STT_DEFAULTS[name] == connector[name] == defaults(connect)[name]
    base_urls = connector["base_urls"], CommandOptions.model_fields["base_url"].default
    assert base_urls == (STT_DEFAULTS["base_url"],) * 2
