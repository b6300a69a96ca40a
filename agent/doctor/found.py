"""Reads the settings for the doctor: what is wrong with them, and the sections that are right."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from agent.needed_settings import load_needed
from config.behaviour import AgentSettings
from config.load import SettingsError, texts
from config.reference import variables
from config.services import AssemblyAISettings, LiveKitSettings, OpenAISettings
from config.sources import FoundSections, Variables

Section = TypeVar("Section", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Found:
    """The settings as far as they can be read. A section with a fault in it is None."""

    texts: Mapping[str, str]
    """What is set, as it is written, by name; other programs' variables too."""
    faults: list[str]
    notes: list[str]
    livekit: LiveKitSettings | None
    assemblyai: AssemblyAISettings | None
    openai: OpenAISettings | None
    agent: AgentSettings | None

    @property
    def secrets(self) -> set[str]:
        """Every value that is a secret, right or wrong."""
        names = {each.name for each in variables() if each.secret}
        return {text for name, text in self.texts.items() if name in names}


def find(dotenv: Path | None) -> Found:
    """Read the environment and the file. Raises nothing: faults are part of what is found."""
    faults: list[str] = []
    with warnings.catch_warnings(record=True, action="always") as notes:
        try:
            load_needed(dotenv)
        except SettingsError as error:
            faults = error.faults
    written = texts(dotenv)
    values = Variables(FoundSections, written)()
    return Found(
        written,
        faults,
        [str(note.message) for note in notes],
        _section(values["livekit"], LiveKitSettings),
        _section(values["assemblyai"], AssemblyAISettings),
        _section(values["openai"], OpenAISettings),
        _section(values["agent"], AgentSettings),
    )


def _section(values: Mapping[str, str], model: type[Section]) -> Section | None:
    try:
        return model.model_validate(values)
    except ValidationError:
        return None
