"""Settings: what is read from where, and what is said about faults."""

import os
import re
import tempfile
import warnings
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.load import SettingsError, load_settings, origins
from config.reference import variables

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
    assert settings.prompt.startswith("You are Alex")


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
        ("AGENT_REDIS_URL", "redis.example:6379", "must be redis://HOST:PORT"),
        ("ASSEMBLYAI_BASE_URL", "https://streaming.assemblyai.com", "ws:// or wss://"),
        ("ASSEMBLYAI_MIN_TURN_SILENCE", "20", "must be at least 50"),
        ("ASSEMBLYAI_SPEECH_MODEL", "n" * 101, "at most 100 characters"),
        ("ASSEMBLYAI_ENCODING", "opus", "'pcm_s16le' or 'pcm_mulaw'"),
        ("ASSEMBLYAI_EXTRA_PARAMETERS", "fast please", "must be name=value,name=value"),
        ("ASSEMBLYAI_EXTRA_PARAMETERS", "sample_rate=8001", "must not hold sample_rate"),
        ("ASSEMBLYAI_MODE", "balanced", "does not take this"),
        ("ASSEMBLYAI_LLM_GATEWAY", "{", "must be a JSON object"),
        ("ASSEMBLYAI_BASE_URL", "wss://streaming.assemblyai.com/v3/ws", "but scheme and host"),
        ("ASSEMBLYAI_BASE_URL", "wss://user:secret@host", "but scheme and host"),
        ("ASSEMBLYAI_KEYTERMS_PROMPT", "[", "must be a list"),
        ("ASSEMBLYAI_VAD_THRESHOLD", "loud", "must be a number"),
        ("ASSEMBLYAI_FORMAT_TURNS", "perhaps", "must be true or false"),
        ("OPENAI_BASE_URL", "https://api.openai.com", "must end in /v1"),
        ("AGENT_HTTP_PORT", "http", "must be a whole number"),
        ("AGENT_LOG_LEVEL", "loud", "'debug', 'info'"),
        ("AGENT_INSTRUCTIONS_FILE", "nowhere.md", "cannot be read"),
        ("LIVEKIT_URL", "ws://[::1", "a host or a port that cannot be"),
        ("LIVEKIT_URL", "ws://host:port", "a host or a port that cannot be"),
        ("LIVEKIT_URL", "wss://host:99999", "a host or a port that cannot be"),
        ("LIVEKIT_URL", "wss://my project.livekit.cloud", "a host or a port that cannot be"),
        ("LIVEKIT_URL", "wss://10.0.0.256", "a host or a port that cannot be"),
        ("LIVEKIT_URL", "livekit.example.com", "must start with ws://"),
        ("AGENT_HTTP_HOST", "http://0.0.0.0", "must be an IP address or the name of a host"),
        ("AGENT_HTTP_HOST", "0.0.0.0:8081", "must be an IP address or the name of a host"),
        ("AGENT_HTTP_HOST", "999.1.1.1", "must be an IP address or the name of a host"),
        ("AGENT_GREETING", "x" * 1001, "must have at most 1000 characters"),
        ("ASSEMBLYAI_KEYTERMS_PROMPT", "[" * 100_000, "must be a list"),
        ("ASSEMBLYAI_LLM_GATEWAY", "[]", "must be a JSON object"),
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
def test_a_model_of_tomorrow_is_passed_on_and_a_misspelt_one_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASSEMBLYAI_SPEECH_MODEL", "universal-4-pro")
    with pytest.warns(UserWarning, match="it is passed on as it is") as said:
        settings = load_settings(dotenv=None)
    assert len(said) == 1
    assert settings.session_options.speech_model == "universal-4-pro"
    monkeypatch.setenv("ASSEMBLYAI_SPEECH_MODEL", "universal-streaming-englich")
    with pytest.warns(UserWarning, match="did you mean universal-streaming-english"):
        load_settings(dotenv=None)


@pytest.mark.usefixtures("_keys")
def test_more_parameters_reach_the_service_and_are_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASSEMBLYAI_EXTRA_PARAMETERS", "diarizer=v2, tenant=s3cret-tenant")
    monkeypatch.setenv("ASSEMBLYAI_WEBHOOK_URL", "https://hooks.example/s3cret-path")
    monkeypatch.setenv("ASSEMBLYAI_LLM_GATEWAY", '{"model": "m", "key": "s3cret-key"}')
    settings = load_settings(dotenv=None)
    assert "&diarizer=v2&tenant=s3cret-tenant" in settings.session_options.query()
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in settings.model_dump_json()


@pytest.mark.usefixtures("_keys")
def test_a_fault_comes_with_an_example_of_a_right_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSEMBLYAI_VAD_THRESHOLD", "high")
    assert faults()[0].endswith("; for example ASSEMBLYAI_VAD_THRESHOLD=0.5")


STRANGERS = {
    "OPENAI_ORG_ID": "org",
    "LIVEKIT_SERVER": "/usr/bin/livekit-server",
    "AGENTS_MD": "x",
    # Services of Kubernetes that are named agent, agent-http, agent-metrics, livekit and openai
    "AGENT_PORT": "tcp://10.0.0.1:80",
    "AGENT_SERVICE_HOST": "10.0.0.1",
    "AGENT_SERVICE_PORT": "80",
    "AGENT_SERVICE_PORT_WEB": "80",
    "AGENT_PORT_80_TCP": "tcp://10.0.0.1:80",
    "AGENT_PORT_80_TCP_ADDR": "10.0.0.1",
    "AGENT_HTTP_PORT": "tcp://10.0.0.1:80",
    "AGENT_METRICS_PORT": "tcp://[fd00::1]:80",
    "LIVEKIT_PORT": "udp://10.0.0.1:80",
    "OPENAI_SERVICE_HOST": "10.0.0.1",
    # Azure Pipelines, Jenkins, and whoever has a variable by the mere name of a section
    "AGENT_ID": "7",
    "AGENT_OS": "Linux",
    "AGENT_WORKDIR": "/w",
    "AGENT": "yes",
    "OPENAI": "1",
}


@pytest.mark.usefixtures("_keys")
def test_what_others_set_in_the_environment_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in STRANGERS.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(dotenv=None)
    assert (settings.agent.http_port, settings.agent.metrics_port) == (0, None)


MISTAKES = {
    "OPENAI_TEMPERATURE": "docs/settings.md lists them all",
    "OPENAI_MODEL": "did you mean OPENAI_TTS_MODEL or OPENAI_LLM_MODEL?",
    "OPENAI_KEY": "did you mean OPENAI_API_KEY",
    "OPEN_AI_API_KEY": "did you mean OPENAI_API_KEY",
    "LIVEKIT_SECRET": "did you mean LIVEKIT_API_SECRET",
    "LIVE_KIT_URL": "did you mean LIVEKIT_URL",
    "ASSEMBLY_AI_KEY": "did you mean ASSEMBLYAI_API_KEY",
    "ASSEMBLYAI_FOO_BAR_BAZ": "docs/settings.md lists them all",
    "AGENT_PORT": "did you mean AGENT_HTTP_PORT",
    "AGENT_GREETNG": "did you mean AGENT_GREETING",
    "AGENT_COLOUR": "docs/settings.md lists them all",
}


@pytest.mark.usefixtures("_keys")
@pytest.mark.parametrize(("name", "advice"), MISTAKES.items(), ids=MISTAKES.keys())
def test_a_name_of_the_environment_that_is_no_setting_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, name: str, advice: str
) -> None:
    monkeypatch.setenv(name, "0.2")
    with pytest.warns(UserWarning, match=f"{name}: there is no such setting; ") as told:
        load_settings(dotenv=None)
    assert advice in str(told[0].message)
    assert len(told) == 1


@pytest.mark.usefixtures("_keys")
def test_a_name_in_the_file_that_is_no_setting_is_a_fault(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("AGENT_COLOUR=red\nAGENT_HTTP_PORT=x\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(dotenv)
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "AGENT_COLOUR",
        "AGENT_HTTP_PORT",
    ]


@pytest.mark.usefixtures("_keys")
def test_settings_that_contradict_each_other_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_HTTP_PORT", "8081")
    monkeypatch.setenv("AGENT_METRICS_PORT", "8081")
    (fault,) = faults()
    assert "AGENT_METRICS_PORT and AGENT_HTTP_PORT must not both be 8081" in fault


@pytest.mark.usefixtures("_keys")
def test_a_setting_without_effect_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSEMBLYAI_MAX_SPEAKERS", "2")
    with pytest.warns(UserWarning, match="has no effect without ASSEMBLYAI_SPEAKER_LABELS"):
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


TEXTS = (
    st.text(max_size=40)
    | st.sampled_from(
        ["true", "0", "-1", "1e999", "nan", "[", "{", "[[1]]", '{"a": 1}', "ws://h", "https://h/v1"]
    )
    | st.integers().map(str)
    | st.sampled_from(["[", "{", '{"a":']).map(lambda half: half * 1200)
)
NAMES = st.sampled_from([each.name for each in variables()]) | st.builds(
    lambda prefix, rest: prefix + rest,
    st.sampled_from(["AGENT_", "ASSEMBLYAI_", "OPENAI_", "LIVEKIT_", "AGENT", "ASSEMBLY_AI_", ""]),
    st.text(
        st.characters(codec="ascii", categories=("Lu", "Nd", "Ll")) | st.just("_"), max_size=20
    ),
)


def loaded_or_told(dotenv: Path | None) -> None:
    """Load; where that fails, each sentence has to name what it is about, in one line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        faults = []
        try:
            load_settings(dotenv)
        except SettingsError as error:
            faults = error.faults
    for fault in faults:
        assert re.match(r"[A-Z][A-Z0-9_]+\b|.*\.env", fault), fault
        assert fault.isprintable()
        assert len(fault) < 600


@given(st.dictionaries(NAMES, TEXTS, max_size=8), st.booleans())
@settings(max_examples=200)
def test_any_environment_gives_settings_or_sentences(found: dict[str, str], has_keys: bool) -> None:
    clean = {name: text.replace("\0", "") for name, text in found.items() if name}
    with patch.dict(os.environ, (KEYS if has_keys else {}) | clean):
        loaded_or_told(None)


@given(
    st.binary(max_size=200)
    | st.lists(st.builds("{}={}".format, NAMES, TEXTS), max_size=8).map(
        lambda lines: "\n".join([*(f"{n}={v}" for n, v in KEYS.items()), *lines]).encode(
            errors="surrogatepass"
        )
    )
)
@settings(max_examples=200)
def test_any_file_gives_settings_or_sentences(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        dotenv = Path(folder) / ".env"
        dotenv.write_bytes(content)
        loaded_or_told(dotenv)


@pytest.mark.usefixtures("_keys")
def test_quotes_that_nothing_takes_off_are_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_NAME", '"receptionist"')
    monkeypatch.setenv("OPENAI_LLM_MODEL", "'gpt-4.1'")
    monkeypatch.setenv("AGENT_GREETING", '"Hi" is what I say, "hello" I do not')
    with warnings.catch_warnings(record=True, action="always") as notes:
        load_settings(dotenv=None)
    told = [str(note.message).partition(":")[0] for note in notes]
    assert told == ["AGENT_NAME", "OPENAI_LLM_MODEL"]


@pytest.mark.usefixtures("_keys")
def test_quotes_in_the_file_are_taken_off(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('AGENT_NAME="receptionist"\n', encoding="utf-8")
    with warnings.catch_warnings(action="error"):
        assert load_settings(dotenv=file).agent.name == "receptionist"


@pytest.mark.usefixtures("_keys")
def test_a_pipe_in_the_place_of_the_file_is_told_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / ".env"
    os.mkfifo(pipe)
    with pytest.raises(SettingsError, match="is a named pipe"):
        load_settings(dotenv=pipe)


@pytest.mark.usefixtures("_keys")
def test_a_tilde_is_the_home_folder_though_no_shell_has_seen_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AGENT_RECORD_DIR", "~/records")
    assert load_settings(dotenv=None).agent.record_dir == tmp_path / "records"
    monkeypatch.setenv("AGENT_RECORD_DIR", "~nobody-of-this-name/records")
    assert faults()[0].startswith("AGENT_RECORD_DIR: begins with ~, which is no folder here")


@pytest.mark.usefixtures("_keys")
@pytest.mark.parametrize("device", ["/dev/zero", "pipe"])
def test_instructions_without_an_end_are_told_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("AGENT_INSTRUCTIONS_FILE", str(tmp_path / device))
    assert faults()[0].startswith("AGENT_INSTRUCTIONS_FILE: is a pipe or a device")


@pytest.mark.usefixtures("_keys")
def test_instructions_without_a_measure_are_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AGENT_INSTRUCTIONS_FILE", str(tmp_path / "told.md"))
    (tmp_path / "told.md").write_text("é" * 32_000)
    assert len(load_settings(dotenv=None).prompt) == 32_000
    for too_long in ("é" * 32_001, "Be kind. " * 1_000_000, " " * 32_000 + "Be kind."):
        (tmp_path / "told.md").write_text(too_long)
        (fault,) = faults()
        assert fault.startswith("AGENT_INSTRUCTIONS_FILE: is longer than 32000 characters")


@pytest.mark.usefixtures("_keys")
def test_a_variable_in_another_encoding_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_GREETING", "Gr\udcfc\udcdfe")  # as Python hands on Latin-1
    assert faults()[0].startswith("AGENT_GREETING: is not UTF-8 text; for example")


@pytest.mark.usefixtures("_keys")
def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="it has to be a file of NAME=value"):
        load_settings(dotenv=tmp_path)


def test_what_is_set_under_an_old_name_has_its_origin_under_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "old.env"
    file.write_text("ASSEMBLYAI_MIN_END_OF_TURN_SILENCE_WHEN_CONFIDENT=200\n", "utf-8")
    assert origins(file)["ASSEMBLYAI_MIN_TURN_SILENCE"] == "old.env"


def test_a_file_that_is_no_text_sets_nothing(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"AGENT_NAME=Gr\xfc\xdf\n")
    assert "AGENT_NAME" not in origins(file)


@pytest.mark.usefixtures("_keys")
def test_a_file_that_is_not_there_is_told_beside_a_wrong_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AGENT_HTTP_PORT", "x")
    monkeypatch.setenv("AGENT_INSTRUCTIONS_FILE", "nowhere.md")
    assert [fault.split(":")[0] for fault in faults()] == [
        "AGENT_HTTP_PORT",
        "AGENT_INSTRUCTIONS_FILE",
    ]
