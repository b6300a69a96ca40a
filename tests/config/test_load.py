"""Settings: what is read from where, and what is said about faults."""

from pathlib import Path

import pytest

from config.load import SettingsError, load_settings, origins

KEYS = {
    "LIVEKIT_URL": "ws://127.0.0.1:7880",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": "a-livekit-secret-that-is-long",
    "ASSEMBLYAI_API_KEY": "an-assemblyai-key",
    "OPENAI_API_KEY": "sk-an-openai-key",
}
OURS = ("LIVEKIT", "ASSEMBLYAI", "OPENAI", "AGENT")


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.upper().startswith(OURS):
            monkeypatch.delenv(name)


@pytest.fixture
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def faults() -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(dotenv=None)
    return caught.value.faults


@pytest.mark.usefixtures("_keys")
def test_five_keys_are_enough() -> None:
    settings = load_settings(dotenv=None)
    assert settings.assemblyai.session.effective() == {
        "speech_model": "universal-streaming-english",
        "sample_rate": 16000,
        "encoding": "pcm_s16le",
        "format_turns": True,
        "end_of_turn_confidence_threshold": 0.7,
        "min_turn_silence": 160,
        "max_turn_silence": 2400,
    }
    assert settings.agent.prompt.startswith("You are Alex")


def test_every_missing_key_is_named_at_once() -> None:
    assert [fault.split(":")[0] for fault in faults()] == [
        "LIVEKIT_URL",
        "LIVEKIT_API_KEY",
        "LIVEKIT_API_SECRET",
        "ASSEMBLYAI_API_KEY",
        "OPENAI_API_KEY",
    ]


@pytest.mark.usefixtures("_keys")
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LIVEKIT_URL", "localhost:7880", "must start with ws://"),
        ("LIVEKIT_API_SECRET", "two words", "a character that no key has"),
        ("ASSEMBLYAI_BASE_URL", "https://streaming.assemblyai.com", "ws:// or wss://"),
        ("ASSEMBLYAI_MIN_TURN_SILENCE", "20", "must be at least 50"),
        ("ASSEMBLYAI_SPEECH_MODEL", "nova-3", "'universal-streaming-english'"),
        ("ASSEMBLYAI_MODE", "balanced", "does not take this"),
        ("ASSEMBLYAI_LLM_GATEWAY", "{", "JSON"),
        ("ASSEMBLYAI_BASE_URL", "wss://streaming.assemblyai.com/v3/ws", "but scheme and host"),
        ("ASSEMBLYAI_BASE_URL", "wss://user:secret@host", "but scheme and host"),
        ("ASSEMBLYAI_KEYTERMS_PROMPT", "[", "must be a list"),
        ("ASSEMBLYAI_VAD_THRESHOLD", "loud", "must be a number"),
        ("ASSEMBLYAI_FORMAT_TURNS", "perhaps", "must be true or false"),
        ("OPENAI_BASE_URL", "https://api.openai.com", "must end in /v1"),
        ("AGENT_HTTP_PORT", "http", "must be a whole number"),
        ("AGENT_LOG_LEVEL", "loud", "'debug', 'info'"),
        ("AGENT_INSTRUCTIONS_FILE", "nowhere.md", "cannot be read"),
        ("AGENT_GREETNG", "Hi", "did you mean AGENT_GREETING?"),
        ("ASSEMBLYAI_FOO_BAR_BAZ", "1", "no such setting"),
        ("LIVEKIT_AGENT_NAME", "somebody", "differently from AGENT_NAME"),
        ("LIVEKIT_AGENT_NAME_OVERRIDE", "somebody", "differently from AGENT_NAME"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_wrong_but_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    (fault,) = faults()
    assert fault.startswith(name)
    assert said in fault
    shown = fault.partition("; for example")[0]
    assert value not in shown.removeprefix(name) or value in {"{", "balanced"}


@pytest.mark.usefixtures("_keys")
def test_a_fault_comes_with_an_example_of_a_right_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSEMBLYAI_VAD_THRESHOLD", "high")
    assert faults()[0].endswith("; for example ASSEMBLYAI_VAD_THRESHOLD=0.5")


@pytest.mark.usefixtures("_keys")
def test_a_strangers_variable_under_a_prefix_that_is_not_ours_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org")
    monkeypatch.setenv("LIVEKIT_SERVER", "/usr/bin/livekit-server")
    load_settings(dotenv=None)


@pytest.mark.usefixtures("_keys")
def test_the_name_that_livekit_reads_may_agree_with_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_AGENT_NAME", "receptionist")
    monkeypatch.setenv("AGENT_NAME", "receptionist")
    assert load_settings(dotenv=None).agent.name == "receptionist"


@pytest.mark.usefixtures("_keys")
def test_a_list_is_written_with_commas_or_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("Aldi, Kofi", '["Aldi", "Kofi"]'):
        monkeypatch.setenv("ASSEMBLYAI_KEYTERMS_PROMPT", text)
        assert load_settings(dotenv=None).assemblyai.keyterms_prompt == ("Aldi", "Kofi")


@pytest.mark.usefixtures("_keys")
def test_the_old_name_of_the_shorter_silence_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSEMBLYAI_MIN_END_OF_TURN_SILENCE_WHEN_CONFIDENT", "200")
    with pytest.warns(FutureWarning, match="is now called min_turn_silence"):
        settings = load_settings(dotenv=None)
    assert settings.assemblyai.session.effective()["min_turn_silence"] == 200


@pytest.mark.usefixtures("_keys")
def test_a_model_that_does_not_know_our_thresholds_is_not_sent_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASSEMBLYAI_SPEECH_MODEL", "universal-3-6-pro")
    assert set(load_settings(dotenv=None).assemblyai.session.effective()) == {
        "speech_model",
        "sample_rate",
        "encoding",
    }


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dotenv = tmp_path / ".env"
    lines = [
        *(f"{name}={value}" for name, value in KEYS.items()),
        "AGENT_NAME=",
        "AGENT_HTTP_PORT=1",
    ]
    dotenv.write_text("\n".join(lines))
    monkeypatch.setenv("AGENT_HTTP_PORT", "2")
    settings = load_settings(dotenv)
    assert (settings.agent.name, settings.agent.http_port) == ("", 2)
    assert settings.livekit.url == KEYS["LIVEKIT_URL"]
    where = origins(dotenv)
    assert where["LIVEKIT_URL"] == ".env"
    assert where["AGENT_HTTP_PORT"] == "environment"
    assert "AGENT_NAME" not in where


@pytest.mark.usefixtures("_keys")
def test_no_secret_shows_in_a_representation() -> None:
    text = repr(load_settings(dotenv=None))
    assert not [value for name, value in KEYS.items() if name != "LIVEKIT_URL" and value in text]


@pytest.mark.usefixtures("_keys")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"AGENT_NAME=a\nAGENT_GREETING=Gr\xfc\xdf\n", "is not UTF-8 text (byte 30)"),
        (b"AGENT_NAME=a\nHello there\n=x\n", "line 3: not a setting; write NAME=value"),
        (b"LIVEKIT_AGENT_NAME=somebody\n", "differently from AGENT_NAME"),
    ],
)
def test_a_faulty_file_is_named_with_what_is_wrong(
    tmp_path: Path, content: bytes, said: str
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings(dotenv)
    assert said in str(caught.value)


@pytest.mark.usefixtures("_keys")
def test_a_file_from_another_system_is_read(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"\xef\xbb\xbfexport AGENT_NAME='front desk'\r\nAGENT_GREETING = Hi \r\n")
    agent = load_settings(dotenv).agent
    assert (agent.name, agent.greeting) == ("front desk", "Hi")


@pytest.mark.usefixtures("_keys")
def test_a_key_is_not_shown_to_another_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_FALLBACK_BASE_URL", "https://openai.example.com/v1")
    (fault,) = faults()
    assert "OPENAI_FALLBACK_BASE_URL: needs OPENAI_FALLBACK_API_KEY" in fault


@pytest.mark.usefixtures("_keys")
@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("+15550100", "no tel: or sip: address"),
        ("nowhere:colleague", "cannot be imported (ModuleNotFoundError)"),
        ("math:sqrt", "must name an async function"),
    ],
)
def test_a_person_who_cannot_be_reached_is_told_before_the_call(
    monkeypatch: pytest.MonkeyPatch, to: str, said: str
) -> None:
    monkeypatch.setenv("AGENT_HAND_OVER_TO", to)
    (fault,) = faults()
    assert said in fault


@pytest.mark.usefixtures("_keys")
def test_records_go_into_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AGENT_RECORD_DIR", str(tmp_path / "file"))
    (fault,) = faults()
    assert fault.startswith("AGENT_RECORD_DIR: is a file, not a folder")
    monkeypatch.setenv("AGENT_RECORD_DIR", str(tmp_path / "not yet there"))
    assert load_settings(dotenv=None).agent.record_dir == tmp_path / "not yet there"
