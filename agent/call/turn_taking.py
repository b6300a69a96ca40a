"""Turn-taking: who decides that a turn has ended, and how much patience both sides have."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from livekit.agents import AgentSession, TurnHandlingOptions

from config.settings import Settings
from stt_assemblyai.options import PRESETS, U3, US, Preset
from stt_assemblyai.stt import STT

# How long a caller has to be silent before LiveKit lets the agent answer, whatever the service
# says: no more than the service waits anyhow.
MIN_SILENCE_MS: Mapping[Preset, int] = MappingProxyType(
    {"seed": 0, "aggressive": 0, "balanced": 400, "conservative": 800}
)

# What each mode of the U3 family stands for (protocol notes, section 10.2): a value that was
# changed cannot be unset, only set again.
MODE_SILENCES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"min_latency": (128, 640), "balanced": (128, 1280), "max_accuracy": (512, 2560)}
)


class TurnTaking:
    """One call's patience. AssemblyAI's side and LiveKit's change together, also in mid-call.

    What an operator has set one by one wins over every preset.
    """

    def __init__(self, settings: Settings, ears: STT, session: AgentSession[None]) -> None:
        self._settings = settings
        self._ears = ears
        self._session = session
        self._preset = settings.agent.turn_preset
        self._dictations = 0

    @property
    def preset(self) -> Preset:
        """The preset in force."""
        return self._preset

    def change(self, preset: Preset) -> None:
        """Be as patient as this preset from now on, in the turn that is open as well."""
        self._preset = preset
        self._apply()

    @contextmanager
    def dictation(self) -> Iterator[None]:
        """Bear the pauses between the parts of a number, an address or a name that is spelt."""
        self._dictations += 1
        self._apply()
        try:
            yield
        finally:
            self._dictations -= 1
            self._apply()

    def _apply(self) -> None:
        pause_ms = self._settings.agent.dictation_pause_ms if self._dictations else 0
        self._ears.update_options(**thresholds(self._settings, self._preset, pause_ms))
        self._session.update_options(
            endpointing_opts={"min_delay": min_delay(self._settings, self._preset, pause_ms)}
        )


def thresholds(settings: Settings, preset: Preset, pause_ms: int = 0) -> dict[str, Any]:
    """AssemblyAI's side, every value given; a pause of `pause_ms` ends no turn."""
    sent = settings.assemblyai.session.tempered(preset).effective()
    if settings.assemblyai.speech_model in US:
        found = {name: sent[name] for name in PRESETS[preset]}
    elif settings.assemblyai.speech_model in U3:
        mode = sent.get("mode", "balanced")
        shortest, longest = MODE_SILENCES[mode]
        found = {"mode": mode, "min_turn_silence": shortest, "max_turn_silence": longest}
        found = {name: sent.get(name, value) for name, value in found.items()}
    else:
        return {}
    if pause_ms:
        found["min_turn_silence"] = max(found["min_turn_silence"], pause_ms)
        found["max_turn_silence"] = max(found["max_turn_silence"], 2 * pause_ms)
    return found


def min_delay(settings: Settings, preset: Preset, pause_ms: int = 0) -> float:
    """LiveKit's side, in seconds: it holds even where the service ends a turn too soon."""
    chosen = settings.agent.min_silence_ms
    return max(MIN_SILENCE_MS[preset] if chosen is None else chosen, pause_ms) / 1000


def turn_handling(settings: Settings) -> TurnHandlingOptions:
    """Who decides that a turn has ended, and what may interrupt the agent."""
    return {
        # AssemblyAI's end of turn is the end of turn: without this line LiveKit loads a model of
        # its own.
        "turn_detection": "stt",
        # The service has already waited for the silence that its thresholds ask for. LiveKit would
        # add 0.5 s.
        "endpointing": {
            "mode": "fixed",
            "min_delay": min_delay(settings, settings.agent.turn_preset),
            "max_delay": 3.0,
        },
        # Unset, this prefers a detector in LiveKit Cloud, and the caller's audio leaves for it.
        "interruption": {"mode": "vad"},
        # The reply is thought out, and spoken into a buffer, while the end of the turn is still
        # being confirmed.
        "preemptive_generation": {"enabled": True, "preemptive_tts": True},
    }
