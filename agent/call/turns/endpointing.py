"""Endpointing: AssemblyAI ends a turn by its thresholds, and LiveKit waits for its delay."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from livekit.agents import TurnHandlingOptions

from config.settings import Settings
from stt_assemblyai.models import MODE_SILENCES, SERVICE_THRESHOLDS, U3, US, Preset

# How long a caller has to be silent before LiveKit lets the agent answer, even if the service has
# ended the turn. It is no more than the service waits by itself.
MIN_SILENCE_MS: Mapping[Preset, int] = MappingProxyType(
    {"seed": 0, "aggressive": 0, "balanced": 400, "conservative": 800, "service": 0}
)

# With a second opinion: how long the voice has to be quiet before we ask for the end of a turn.
EARLY_SECONDS = 0.4


def thresholds(settings: Settings, preset: Preset, pause_ms: int = 0) -> dict[str, Any]:
    """AssemblyAI's thresholds, each with a value; a pause of `pause_ms` ends no turn."""
    sent = settings.assemblyai.session.with_preset(preset).effective()
    family = settings.assemblyai.family
    if family is US:
        found = {name: sent.get(name, value) for name, value in SERVICE_THRESHOLDS.items()}
    elif family is U3:
        # A changed value cannot be unset, only set again.
        mode = sent.get("mode", "balanced")
        shortest, longest = MODE_SILENCES.get(mode, MODE_SILENCES["balanced"])
        found = {"mode": mode, "min_turn_silence": shortest, "max_turn_silence": longest}
        found = {name: sent.get(name, value) for name, value in found.items()}
    else:
        return {}
    # A preset chosen in mid-call may not fit a threshold that was set by its own name.
    found["max_turn_silence"] = max(found["max_turn_silence"], found["min_turn_silence"])
    if pause_ms:
        found["min_turn_silence"] = max(found["min_turn_silence"], pause_ms)
        found["max_turn_silence"] = max(found["max_turn_silence"], 2 * pause_ms)
    return found


def min_delay(settings: Settings, preset: Preset, pause_ms: int = 0) -> float:
    """LiveKit's delay, in seconds. It holds even if the service ends a turn too soon."""
    chosen = settings.agent.min_silence_ms
    return max(MIN_SILENCE_MS[preset] if chosen is None else chosen, pause_ms) / 1000


def early_seconds(settings: Settings, preset: Preset, pause_ms: int = 0) -> float:
    """How many seconds the voice has to be quiet before the second opinion may ask for the end of a
    turn: no fewer than AssemblyAI waits when it is sure."""
    asked = thresholds(settings, preset, pause_ms).get("min_turn_silence", pause_ms)
    return max(EARLY_SECONDS, float(asked) / 1000)


def turn_handling(settings: Settings) -> TurnHandlingOptions:
    """LiveKit's options: AssemblyAI ends turns, and only words interrupt the agent."""
    return {
        # AssemblyAI ends turns. Without this line LiveKit loads a model of its own.
        "turn_detection": "stt",
        # The service has already waited for the silence that its thresholds ask for. LiveKit would
        # add 0.5 s.
        "endpointing": {
            "mode": "fixed",
            "min_delay": min_delay(settings, settings.agent.turn_preset),
            "max_delay": 3.0,
        },
        # Unset, LiveKit prefers a detector in LiveKit Cloud, and sends it the caller's audio.
        # Only words interrupt, and `barge_in_filter` lets only real ones through. `floor` pauses
        # before the words are known, and goes on: LiveKit itself pauses only for words, loses what
        # is in its queue, and waits for the end of the turn before it goes on.
        "interruption": {
            "mode": "vad",
            "min_words": 1,
            "min_duration": 0.0,
            "resume_false_interruption": False,
        },
        # The reply is generated and synthesised while the end of the turn is still unconfirmed. To
        # avoid waste, LiveKit does so only in turns of up to 10 s, and three times in each; here a
        # pause has to be sure first (ASSEMBLYAI_PREFLIGHT_CONFIDENCE).
        "preemptive_generation": {
            "enabled": True,
            "preemptive_tts": True,
            "max_speech_duration": 60.0,
            "max_retries": 6,
        },
    }
