"""The LiveKit project alone, for commands that need no other setting."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from config.faults import sentence
from config.load import SettingsError, faults_of_file, texts
from config.services import LiveKitSettings
from config.sources import DOTENV


@dataclass(frozen=True, slots=True)
class Project:
    """Where LiveKit is, what opens it, and the name of the agent there; empty: it has none."""

    livekit: LiveKitSettings
    agent_name: str = ""


def load_project(dotenv: Path | None = DOTENV) -> Project:
    """LiveKit's three settings and AGENT_NAME. Raises SettingsError with every fault at once."""
    if faults := faults_of_file(dotenv):
        raise SettingsError(faults)
    found = texts(dotenv)
    fields = LiveKitSettings.model_fields
    given = {name: found.get(f"LIVEKIT_{name}".upper()) for name in fields}
    try:
        livekit = LiveKitSettings.model_validate({k: v for k, v in given.items() if v})
    except ValidationError as error:
        raise SettingsError(
            [sentence(each, section="livekit") for each in error.errors()]
        ) from None
    return Project(livekit, found.get("AGENT_NAME", ""))
