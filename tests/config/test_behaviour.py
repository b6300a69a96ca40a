"""The agent's files: read once, and not missed when they go away."""

import pickle
import shutil
from pathlib import Path

from config.load import load_settings
from config.per_call import settings_of_call
from config.values import ROOT

KEYS = {
    "livekit": {"url": "ws://127.0.0.1:9", "api_key": "APIkey", "api_secret": "a-secret-of-length"},
    "assemblyai": {"api_key": "an-assemblyai-key"},
    "openai": {"api_key": "sk-an-openai-key"},
}


def test_files_that_go_away_while_the_worker_runs_are_not_missed(tmp_path: Path) -> None:
    phrases, told = tmp_path / "phrases", tmp_path / "instructions.md"
    shutil.copytree(ROOT / "agent/call/phrases", phrases)
    told.write_text("You answer the phone of a lighthouse.", "utf-8")
    files = {"phrases_dir": str(phrases), "instructions_file": str(told)}
    sent = pickle.dumps(load_settings(None, given={**KEYS, "agent": files}))
    shutil.rmtree(phrases)
    told.unlink()
    in_a_job = pickle.loads(sent)
    of_a_call = settings_of_call(in_a_job, '{"AGENT_GREETING": "Hi."}')
    assert of_a_call.faults == []
    assert of_a_call.settings.agent.greeting == "Hi."
    for settings in (in_a_job, of_a_call.settings):
        assert settings.agent.prompt == "You answer the phone of a lighthouse."
        assert settings.agent.phrasebook.of("en").interjections
