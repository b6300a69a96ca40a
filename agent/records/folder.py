"""Where records are kept under development, unless the settings say otherwise."""

from pathlib import Path
from typing import Any

from config.settings import Settings
from config.values import ROOT

DEVELOPERS: Path = ROOT / "calls"
"""An ignored folder; `make clean` removes it."""

MOST_MB = 1000
"""What the calls of developers may take there: the oldest are removed first."""


def kept_in_development(settings: Settings) -> Settings:
    """The settings of a developer's worker: without a folder for records there is one, and calls
    are kept there with their sound, unless AGENT_RECORD_AUDIO or AGENT_REDACT says otherwise."""
    agent = settings.agent
    if agent.record_dir:
        return settings
    kept: dict[str, Any] = {"record_dir": DEVELOPERS}
    if agent.record_keep_mb is None:
        kept["record_keep_mb"] = MOST_MB
    if "record_audio" not in agent.model_fields_set:
        kept["record_audio"] = agent.redact != "personal"
    return settings.model_copy(update={"agent": agent.model_copy(update=kept)})
