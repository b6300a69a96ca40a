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
PROGRAM = {"__main__", "cli.main", "cli.input"}  # the command line, at the edge of the package

SURFACE = {
    "audio": {"SAMPLE_BYTES", "AudioClock", "ReplayBuffer", "to_mono", "to_mulaw"},
    "connector": {"Budget", "Connect", "Connector", "Token"},
    "endpointing": {"Endpointing", "TurnChoices", "endpointing_for"},
    "usage": {"Sent", "UsageMeter"},
    "text": {"same_words"},
    "loudness": {"Calm", "StallDetector", "has_voice", "is_quiet", "voice_end_ms"},
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
    "transcript": {
        "SpokenWord",
        "SpokenWords",
        "Transcript",
        "TurnEnd",
        "heard_words",
        "known",
        "read",
        "shared",
    },
}


def source(module: str) -> str:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text("utf-8")


@pytest.mark.parametrize("module", sorted(set(MODULES) - PROGRAM))
def test_every_module_says_what_it_is_for(module: str) -> None:
    assert importlib.import_module(f"stt_assemblyai.{module}").__doc__


@pytest.mark.parametrize("module", sorted(SURFACE))
def test_the_surface_does_not_change_unnoticed(module: str) -> None:
    assert set(importlib.import_module(f"stt_assemblyai.{module}").__all__) == SURFACE[module]


def imported_by(folder: str, *, without: str = "") -> set[str]:
    """The modules of this package that the Python files below a folder of the project import."""
    paths = [
        path
        for path in (ROOT.parent / folder).rglob("*.py")
        if not without or not path.is_relative_to(ROOT.parent / without)
    ]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[2] for name in names if f"{name}.".startswith("stt_assemblyai.")}


PUBLIC = {
    "agent": {
        "stt": "speech recognition for LiveKit",
        "events": "what LiveKit has no event for: late formatting, turns without words",
        "models": "what a preset sends to which family of models",
        "budget": "how many sessions this machine may still open",
    },
    "config": {
        "options": "every parameter of a session: settings are made from them",
        "models": "families of models and their defaults",
        "values": "types of parameters",
        "endpointing": "defaults that a setting shows",
        "service": "defaults that a setting shows",
        "timing": "defaults that a setting shows",
    },
    "workbench": {"client": "the names of a socket, for one that a script answers"},
}
"""What the rest of the project may import of this package, and what for."""


@pytest.mark.parametrize("folder", PUBLIC)
def test_the_project_uses_what_is_public(folder: str) -> None:
    """Measurements, in workbench/bench, look inside."""
    assert imported_by(folder, without="workbench/bench") == PUBLIC[folder].keys()


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
