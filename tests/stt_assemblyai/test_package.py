"""What the package promises as a whole: its surface, and who may know whom."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import stt_assemblyai

ROOT = Path(stt_assemblyai.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in ROOT.rglob("*.py")
    if path.stem != "__init__"
)
ADAPTER = {"stt"} | {module for module in MODULES if module.startswith("livekit.")}
PROGRAM = {"__main__", "cli.main", "cli.input"}  # the command line, at the edge of the package
DOES_IO = (
    PROGRAM
    | ADAPTER
    | {
        "client",
        "connector",
        "transcriber",
    }
)

SURFACE = {
    "audio": {"SAMPLE_BYTES", "AudioClock", "ReplayBuffer", "to_mono", "to_mulaw"},
    "connector": {"Connect", "Connector", "Token"},
    "endpointing": {"Endpointing", "TurnChoices", "endpointing_for"},
    "usage": {"Sent", "UsageMeter"},
    "text": {"same_words"},
    "loudness": {"StallDetector", "has_voice", "is_quiet", "voice_end_ms"},
    "retries": {"Patience", "Retries"},
    "events": {
        "EndOfSpeech",
        "Ended",
        "Events",
        "Final",
        "Interim",
        "Interrupted",
        "LateFormat",
        "NothingToEnd",
        "Noticed",
        "Opened",
        "Overdue",
        "Preflight",
        "SessionUsage",
        "SpeakersRevised",
        "SpeechEvent",
        "StartOfSpeech",
        "StreamEvent",
        "Unanswered",
    },
    "stt": {"STT", "SpeechStream"},
    "transcriber": {"StreamConfig", "Transcriber"},
    "transcript": {"SpokenWord", "Transcript", "heard_words", "known", "read", "spoken_words"},
}


def source(module: str) -> str:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text("utf-8")


def imports(module: str) -> set[str]:
    """The packages that a module imports, at whatever place."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source(module))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("module", sorted(set(MODULES) - PROGRAM))
def test_every_module_says_what_it_is_for(module: str) -> None:
    assert importlib.import_module(f"stt_assemblyai.{module}").__doc__


@pytest.mark.parametrize("module", sorted(SURFACE))
def test_the_surface_does_not_change_unnoticed(module: str) -> None:
    assert set(importlib.import_module(f"stt_assemblyai.{module}").__all__) == SURFACE[module]


@pytest.mark.parametrize("module", sorted(set(MODULES) - DOES_IO))
def test_what_decides_does_no_io(module: str) -> None:
    assert not imports(module) & {"asyncio", "websockets", "livekit", "socket", "time", "random"}


@pytest.mark.parametrize("module", sorted(set(MODULES) - ADAPTER))
def test_only_the_adapter_knows_livekit(module: str) -> None:
    assert "livekit" not in imports(module)


def test_nothing_reads_the_environment_but_the_adapter_its_key() -> None:
    texts = [source(module) for module in set(MODULES) - PROGRAM]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    readers = [line for line in lines if any(w in line for w in ("environ[", "environ.", "getenv"))]
    assert readers == ['api_key = os.environ.get("ASSEMBLYAI_API_KEY")']


def test_the_client_is_usable_without_livekit() -> None:
    program = "import sys, stt_assemblyai.transcriber; sys.exit('livekit' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT.parent)


def test_the_adapter_is_found_at_the_top_and_livekit_is_imported_only_then() -> None:
    program = """
import sys, stt_assemblyai
assert 'livekit' not in sys.modules
assert not hasattr(stt_assemblyai, 'TTS')
from stt_assemblyai import STT
from stt_assemblyai.stt import STT as same
assert STT is same and 'livekit' in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT.parent)


def test_livekits_own_package_is_not_hidden_by_ours() -> None:
    program = """
import stt_assemblyai.livekit.stream
from livekit import rtc
assert rtc.__name__ == 'livekit.rtc' and stt_assemblyai.livekit.stream.rtc is rtc
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT.parent)
