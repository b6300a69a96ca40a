"""What is measured: every preset, both sides of it, with and without a second opinion."""

from agent.call.turns.end_of_turn.detector import LiveKitDetector
from agent.call.turns.endpointing import early_seconds, min_delay, thresholds
from config.load import load_settings
from stt_assemblyai.models import PRESETS, Preset
from workbench.bench.turns.hearing import Opinionated, Setting

__all__ = ["DETECTOR", "VOICE_THRESHOLD", "default_hold_ms", "settings"]

DETECTOR = LiveKitDetector(lambda _: 0.0)
"""What is known of it without its weights."""

_NOBODY = {"api_key": "none"}
_USUAL = load_settings(
    None,
    given={
        "livekit": {"url": "ws://127.0.0.1", "api_secret": "none", **_NOBODY},
        "assemblyai": _NOBODY,
        "openai": _NOBODY,
    },
)
VOICE_THRESHOLD = _USUAL.vad_threshold


def default_hold_ms() -> int:
    """How long an end is held back where nobody has said."""
    return _USUAL.agent.turn_hold_ms


def settings(hold_ms: int | None = None) -> list[Setting]:
    """Every preset, and the first one during dictation. With `hold_ms` each has a second opinion,
    which holds an end back for this many milliseconds."""
    return [
        *(_setting(name, name, hold_ms) for name in PRESETS),
        _setting("seed, in dictation", "seed", hold_ms, _USUAL.agent.dictation_pause_ms),
    ]


def _setting(name: str, preset: Preset, hold_ms: int | None, pause_ms: int = 0) -> Setting:
    options = _USUAL.assemblyai.session.revised(**thresholds(_USUAL, preset, pause_ms))
    min_delay_ms = round(min_delay(_USUAL, preset, pause_ms) * 1000)
    if hold_ms is None:
        return Setting(name, options, min_delay_ms)
    early_ms = round(early_seconds(_USUAL, preset, pause_ms) * 1000)
    opinion = Opinionated(hold_ms, early_ms, DETECTOR.threshold("en"))
    return Setting(name, options, min_delay_ms, opinion)
