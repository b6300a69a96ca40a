"""The speech models: their families, and the parameters that are sent for each by default.

A family is the set of its known models. An unknown model is put into a family by its name. Nothing
else is known about it, so it is refused no parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

__all__ = [
    "ALL",
    "MODES",
    "MODE_SILENCES",
    "MULTILINGUAL",
    "OLD_MODELS",
    "PRESETS",
    "SERVICE_THRESHOLDS",
    "U3",
    "US",
    "US_SILENCES",
    "WHISPER",
    "Models",
    "Preset",
    "family_of",
    "shipped_with",
]

Preset = Literal["seed", "aggressive", "balanced", "conservative", "service"]
Models = frozenset[str]

MULTILINGUAL: Models = frozenset({"universal-streaming-multilingual"})
US: Models = frozenset({"universal-streaming-english"}) | MULTILINGUAL
U3: Models = frozenset(
    {
        "assemblyai-stt-3-7-realtime-agent",
        "universal-3-6-pro",
        "universal-3-5-pro",
        "universal-3-6",
        "universal-3-7-preview",
        "u3-rt-pro",
        "u3-rt-pro-beta-1",
        "u3-rt-agent",
    }
)
WHISPER: Models = frozenset({"whisper-rt"})
ALL: Models = US | U3 | WHISPER

OLD_MODELS: Mapping[str, str] = MappingProxyType(
    {
        "u3-pro": "universal-3-6-pro",
        "en": "universal-streaming-english",  # language=en
        "multi": "universal-streaming-multilingual",  # language=multi
    }
)
"""Old names of models."""


def family_of(model: str) -> Models:
    """The family of a model. The name of an unknown one decides; otherwise it is U3, like all new
    models."""
    if model in US or model.startswith("universal-streaming"):
        return US
    return WHISPER if model.startswith("whisper") else U3


def _row(threshold: float | None, minimum: int | None, maximum: int | None) -> Mapping[str, Any]:
    return MappingProxyType(
        {
            "end_of_turn_confidence_threshold": threshold,
            "min_turn_silence": minimum,
            "max_turn_silence": maximum,
        }
    )


PRESETS: Mapping[Preset, Mapping[str, Any]] = MappingProxyType(
    {
        "seed": _row(0.7, 160, 2400),
        "aggressive": _row(0.4, 160, 400),
        "balanced": _row(0.4, 400, 1280),
        "conservative": _row(0.7, 800, 3600),
        "service": _row(None, None, None),  # none is sent
    }
)
"""When a turn ends on the US models, by preset (section 10.1)."""

MODES: Mapping[Preset, Mapping[str, Any]] = MappingProxyType(
    {
        "seed": MappingProxyType({}),
        "aggressive": MappingProxyType({"mode": "min_latency"}),
        "balanced": MappingProxyType({"mode": "balanced"}),
        "conservative": MappingProxyType({"mode": "max_accuracy"}),
        "service": MappingProxyType({}),
    }
)
"""The same presets as the U3 family's modes (section 10.2)."""

MODE_SILENCES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"min_latency": (128, 640), "balanced": (128, 1280), "max_accuracy": (512, 2560)}
)
"""The shortest and the longest silence of each mode, in ms."""

US_SILENCES = (400, 1280)
"""The same for the US models if nothing is sent, in ms."""

SERVICE_THRESHOLDS = _row(0.4, *US_SILENCES)
"""The service's own thresholds on the US models, to restore them in a session."""

_SHIPPED: Mapping[str, Any] = MappingProxyType({"format_turns": True, **PRESETS["seed"]})


def shipped_with(model: str) -> Mapping[str, Any]:
    """What is sent for a model by default. All but the US models keep the service's defaults."""
    return _SHIPPED if family_of(model) is US else MappingProxyType({})
