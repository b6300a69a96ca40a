"""LiveKit's settings alone: no other setting is asked for."""

from pathlib import Path

import pytest

from config.load import SettingsError
from config.project import load_project

THREE = {
    "LIVEKIT_URL": "wss://mine.livekit.cloud",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": "hush",
}


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*THREE, "AGENT_NAME"):
        monkeypatch.delenv(name, raising=False)


def test_three_settings_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in THREE.items():
        monkeypatch.setenv(name, value)
    project = load_project(None)
    assert project.livekit.url == "wss://mine.livekit.cloud"
    assert project.livekit.api_secret.get_secret_value() == "hush"
    assert project.agent_name == ""


def test_the_file_completes_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv = tmp_path / ".env"
    lines = [f"{name}={value}" for name, value in THREE.items()]
    dotenv.write_text("\n".join([*lines, "AGENT_NAME=receptionist"]))
    monkeypatch.setenv("LIVEKIT_URL", "ws://127.0.0.1:7880")
    project = load_project(dotenv)
    assert project.livekit.url == "ws://127.0.0.1:7880"
    assert project.agent_name == "receptionist"


def test_every_fault_is_named_and_no_value_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_URL", "mine.livekit.cloud")
    monkeypatch.setenv("LIVEKIT_API_KEY", "API key")
    with pytest.raises(SettingsError) as refusal:
        load_project(None)
    url, key, secret = refusal.value.faults
    assert url.startswith("LIVEKIT_URL: must start with ws://")
    assert key.startswith("LIVEKIT_API_KEY: has a character")
    assert secret.startswith("LIVEKIT_API_SECRET: is missing")
    assert "API key" not in key


def test_a_broken_file_is_a_fault(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("LIVEKIT_URL: ws://127.0.0.1\n")
    with pytest.raises(SettingsError, match="line 1"):
        load_project(dotenv)
