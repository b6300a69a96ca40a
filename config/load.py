"""Reads the settings, and turns every fault in them into one line that says what to change."""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError as SourceError

from config.settings import DOTENV, Settings

# LiveKit itself reads these two and would name a nameless worker behind our back.
FOREIGN_NAMES = ("LIVEKIT_AGENT_NAME", "LIVEKIT_AGENT_NAME_OVERRIDE")


class SettingsError(Exception):
    """What is wrong with the settings: `faults` holds one line each, and no line holds a value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load_settings(
    dotenv: Path | None = DOTENV, *, given: Mapping[str, Mapping[str, Any]] | None = None
) -> Settings:
    """The settings of the environment, completed from the file `dotenv`.

    `given` wins over both: values by section, for what a program does not leave to its operator.
    Raises SettingsError with every fault at once.
    """
    try:
        made: Any = Settings  # pydantic-settings takes arguments that the fields do not tell
        settings: Settings = made(_env_file=dotenv, **(given or {}))
    except ValidationError as error:
        raise SettingsError([_fault(details) for details in error.errors()]) from None
    except (SourceError, UnicodeDecodeError) as error:
        raise SettingsError([f"The settings cannot be read: {error}."]) from None
    if faults := [
        f"{name} names the agent differently from AGENT_NAME: unset it, or set both alike; "
        "for example AGENT_NAME=receptionist"
        for name in FOREIGN_NAMES
        if os.environ.get(name, settings.agent.name) != settings.agent.name
    ]:
        raise SettingsError(faults)
    return settings


def origins(dotenv: Path | None = DOTENV) -> dict[str, str]:
    """For each variable that is set, where it was set: "environment", or the name of the file."""
    in_file = dotenv_values(dotenv) if dotenv and dotenv.is_file() else {}
    found = {name.upper(): dotenv.name for name, value in in_file.items() if value and dotenv}
    return found | {name.upper(): "environment" for name, value in os.environ.items() if value}


def variables() -> Iterator[tuple[str, type[BaseModel], str]]:
    """Each variable with its section and its field, in the order of the reference page."""
    for section, info in Settings.model_fields.items():
        assert isinstance(info.annotation, type)
        assert issubclass(info.annotation, BaseModel)
        for field in info.annotation.model_fields:
            yield variable(section, field), info.annotation, field


def variable(*location: str | int) -> str:
    """The name of the variable behind a place in the settings, such as ("agent", "http_port")."""
    return "_".join(str(part) for part in location[:2]).upper()


def _fault(details: ErrorDetails) -> str:
    name = variable(*details["loc"])
    known = {known_name: (section, field) for known_name, section, field in variables()}
    if details["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, known, n=1)
        hint = (
            f"did you mean {close[0]}?"
            if close
            else "the reference page docs/settings.md lists them all"
        )
        return f"{name}: there is no such setting; {hint}"
    if details["type"] == "missing":
        wrong = "is missing"
    else:
        wrong = details["msg"][:1].lower() + details["msg"][1:]
    if name not in known:
        return f"{name}: {wrong}"
    section, field = known[name]
    examples = section.model_fields[field].examples
    return f"{name}: {wrong}" + (f"; for example {name}={examples[0]}" if examples else "")
