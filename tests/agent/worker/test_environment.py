"""What job processes find in their environment."""

import os

import pytest

from agent.worker.environment import environment, set_environment
from config.load import load_settings

KEYS = {
    "livekit": {"url": "ws://127.0.0.1", "api_key": "APIkey", "api_secret": "a-livekit-secret"},
    "assemblyai": {"api_key": "an-assemblyai-key"},
    "openai": {"api_key": "an-openai-key"},
}


@pytest.mark.parametrize(("opinion", "preloaded"), [("off", "0"), ("livekit", "1")])
def test_the_end_of_turn_model_is_loaded_for_all_job_processes_where_it_is_wanted(
    opinion: str, preloaded: str
) -> None:
    agent = {"agent": {"turn_second_opinion": opinion}}
    found = environment(load_settings(None, given=KEYS | agent))
    assert found["LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE"] == preloaded


def test_what_is_set_already_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS": "7"})
    set_environment(load_settings(None, given=KEYS))
    assert os.environ["LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS"] == "7"
    assert "PYTHONPATH" in os.environ
