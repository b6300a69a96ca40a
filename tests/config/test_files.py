"""The files that settings name: read once, and not missed when they go away."""

import pickle
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.behaviour import INSTRUCTIONS_CHARS, AgentSettings
from config.files import FilesError, read_files
from config.load import SettingsError, load_settings
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
        assert settings.prompt == "You answer the phone of a lighthouse."
        assert settings.files.phrasebook.of("en").interjections


@pytest.fixture
def _lighthouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An operator's own module, which counts in `sys.modules` only once it is imported."""
    (tmp_path / "lighthouse_hooks.py").write_text("async def colleague(*_): return True\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("lighthouse_hooks", None)


@pytest.mark.usefixtures("_lighthouse")
def test_an_operators_function_is_imported_where_files_are_read_and_not_before() -> None:
    agent = AgentSettings(hand_over_to="lighthouse_hooks:colleague")
    assert "lighthouse_hooks" not in sys.modules
    read_files(agent)
    assert "lighthouse_hooks" in sys.modules


def test_all_that_cannot_be_used_is_named_at_once_beside_other_faults(tmp_path: Path) -> None:
    (tmp_path / "records").touch()
    wrong = {
        "instructions_file": "nowhere.md",
        "record_dir": str(tmp_path / "records"),
        "phrases_dir": str(tmp_path / "phrases"),
        "hand_over_to": "math:sqrt",
    }
    named = [
        "AGENT_INSTRUCTIONS_FILE: cannot be read as UTF-8 text (FileNotFoundError)",
        "AGENT_RECORD_DIR: is a file, not a folder",
        "AGENT_PHRASES_DIR: has no file such as en.toml in it",
        "AGENT_HAND_OVER_TO: must name an async function",
    ]
    assert faults(wrong) == named
    assert faults(wrong | {"http_port": "x", "record_dir": "~nobody-of-this-name/records"}) == [
        "AGENT_RECORD_DIR: begins with ~, which is no folder here",
        "AGENT_HTTP_PORT: must be a whole number",
        *(each for each in named if "RECORD" not in each),
    ]


def faults(agent: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, given={**KEYS, "agent": agent})
    return [fault.partition("; for example")[0] for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"instructions_file": "/dev/zero"}, "AGENT_INSTRUCTIONS_FILE: is a pipe or a device"),
        ({"instructions_file": "/dev/null"}, "AGENT_INSTRUCTIONS_FILE: is a pipe or a device"),
        ({"instructions_file": "empty.md"}, "AGENT_INSTRUCTIONS_FILE: is an empty file"),
        ({"instructions_file": "long.md"}, "AGENT_INSTRUCTIONS_FILE: is longer than 32000"),
        ({"record_dir": "x" * 300}, "AGENT_RECORD_DIR: cannot be a folder (OSError)"),
        ({"hand_over_to": "nowhere:colleague"}, "cannot be imported (ModuleNotFoundError)"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    tmp_path: Path, given: dict[str, str], said: str
) -> None:
    (tmp_path / "empty.md").touch()
    (tmp_path / "long.md").write_text("é" * (INSTRUCTIONS_CHARS + 1), "utf-8")
    (name, value), *_ = given.items()
    placed = value if name == "hand_over_to" else str(tmp_path / value)
    with pytest.raises(FilesError) as caught:
        read_files(AgentSettings.model_validate({name: placed}))
    (fault,) = caught.value.faults
    assert said in fault


def test_a_folder_for_records_may_be_made_later(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "not yet there"):
        read_files(AgentSettings(record_dir=path))


def test_a_caller_may_be_handed_over_to_an_address() -> None:
    read_files(AgentSettings(hand_over_to="tel:+15550100"))


def test_an_mcp_server_needs_the_package_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asks = AgentSettings(mcp_url=SecretStr("https://host/mcp"))
    read_files(asks)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(FilesError, match="AGENT_MCP_URL: needs the package mcp: pip install"):
        read_files(asks)
    read_files(AgentSettings())
