"""The speech models: which exist, which family each is of, and their silences (notes 4, 5, 10)."""

from dataclasses import dataclass

IMMUTABLE = frozenset({"universal-streaming-english", "universal-streaming-multilingual"})
REWRITING = frozenset(
    {
        "assemblyai-stt-3-7-realtime-agent",
        "u3-rt-pro",
        "u3-rt-pro-beta-1",
        "u3-rt-agent",
        "universal-3-5-pro",
        "universal-3-6-pro",
        "universal-3-6",
        "universal-3-7-preview",
        "_universal-3-5-notetaker",
    }
)
WHISPER = "whisper-rt"
MODELS = IMMUTABLE | REWRITING | {WHISPER}
DEFAULT_MODEL = "universal-3-6-pro"
NOT_ENTITLED = frozenset({"u3-rt-agent", "universal-3-7-preview"})
"""These answer Begin, and 3005 some five seconds later."""


@dataclass(frozen=True, slots=True)
class Silences:
    """How long it must be silent before a turn may end, and before it must."""

    min_ms: int
    max_ms: int


MODE_SILENCES = {
    "min_latency": Silences(128, 640),
    "balanced": Silences(128, 1280),
    "max_accuracy": Silences(512, 2560),
}


def default_silences(model: str, mode: str, *, speaker_labels: bool) -> Silences:
    """What applies where the client says nothing."""
    if model not in REWRITING:
        return Silences(400, 1280)
    if speaker_labels:
        return Silences(640, 768)
    if model.startswith("u3-rt-pro"):
        return Silences(100, 1000)
    return MODE_SILENCES[mode]


def default_vad_threshold(model: str, *, speaker_labels: bool) -> float:
    """The probability below which a frame counts as silence."""
    if model not in REWRITING:
        return 0.4
    if speaker_labels:
        return 0.5
    return 0.3 if model.startswith("u3-rt-pro") else 0.2
