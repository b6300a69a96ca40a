"""Reads the settings and turns every fault in them into one line that says what to change."""

import io
import os
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import ValidationError

from config.behaviour import AgentSettings
from config.contradictions import contradictions, without_effect
from config.faults import sentence
from config.files import NAMING, FilesError, read_files
from config.names import OURS, SETTINGS, mistakes
from config.settings import Settings
from config.sources import DOTENV, FoundSections
from config.telemetry import telemetry_of
from stt_assemblyai.options import RENAMED

# LiveKit reads these two itself and would give the worker a name behind our back.
FOREIGN_NAMES = ("LIVEKIT_AGENT_NAME", "LIVEKIT_AGENT_NAME_OVERRIDE")

_QUOTED = re.compile(r"""(["'])(?:(?!\1).)*\1""", re.DOTALL)


class SettingsError(Exception):
    """The settings are wrong: `faults` holds one line each, and no line holds a value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load_settings(
    dotenv: Path | None = DOTENV,
    *,
    given: Mapping[str, Mapping[str, Any]] | None = None,
    completed: Callable[[Settings], Settings] = lambda settings: settings,
) -> Settings:
    """The settings from the environment, completed from the file `dotenv`.

    `given` wins over both: values by section that a program sets itself. `completed` puts in what
    it sets where the operator has set nothing. Raises SettingsError with every fault at once. Warns
    about names that are ignored and settings without effect.
    """
    if faults := faults_of_file(dotenv):
        raise SettingsError(faults)
    in_file, found = _values_of_file(dotenv), texts(dotenv)
    unknown = mistakes(found)
    # Programs share an environment, but `.env` is written for this one.
    refused = [name for name in unknown if name in in_file and name.startswith(OURS)]
    for note in [*(unknown[name] for name in unknown.keys() - set(refused)), *_notes_on_quotes()]:
        warnings.warn(note, stacklevel=2)
    faults = [unknown[name] for name in refused]
    try:
        settings = completed(_with_files(dotenv, given or {}, found))
    except SettingsError as error:
        raise SettingsError(faults + error.faults) from None
    faults += [
        f"{name} names the agent differently from AGENT_NAME: unset it, or set both alike; "
        "for example AGENT_NAME=receptionist"
        for name in FOREIGN_NAMES
        if found.get(name, settings.agent.name) != settings.agent.name
    ]
    if faults := faults + contradictions(settings):
        raise SettingsError(faults)
    for note in without_effect(settings) + settings.telemetry.notes():
        warnings.warn(note, stacklevel=2)
    return settings


def _with_files(
    dotenv: Path | None, given: Mapping[str, Mapping[str, Any]], found: Mapping[str, str]
) -> Settings:
    """The settings and the contents of the files that they name."""
    made: Any = FoundSections  # pydantic-settings takes arguments that are not fields
    try:
        sections: FoundSections = made(_env_file=dotenv, **given)
    except ValidationError as error:
        agent = {**_of_agent(found), **given.get("agent", {})}
        faulty = {each["loc"][1] for each in error.errors() if each["loc"][0] == "agent"}
        valid = {name: agent[name] for name in (NAMING & agent.keys()) - faulty}
        raise SettingsError(
            [sentence(each) for each in error.errors()] + _faults_in(valid)
        ) from None
    try:
        files = read_files(sections.agent)
    except FilesError as error:
        raise SettingsError(error.faults) from None
    settings = Settings(**dict(sections), files=files, telemetry=telemetry_of(found))
    return settings.heard_in_its_language()


def _of_agent(found: Mapping[str, str]) -> dict[str, str]:
    return {
        field: found[name]
        for name, (section, field) in SETTINGS.items()
        if section == "agent" and name in found
    }


def _faults_in(naming: Mapping[str, Any]) -> list[str]:
    """What is wrong with the files that these valid values name; defaults for the rest."""
    try:
        read_files(AgentSettings.model_validate(naming))
    except FilesError as error:
        return error.faults
    return []


def texts(dotenv: Path | None = DOTENV) -> dict[str, str]:
    """What is set, as it is written, by the variable's name; other programs' variables too."""
    return {**_values_of_file(dotenv), **_environment()}


def origins(dotenv: Path | None = DOTENV) -> dict[str, str]:
    """Where each variable is set: "environment", or the name of the file."""
    found = {name: dotenv.name for name in _values_of_file(dotenv) if dotenv}
    found |= dict.fromkeys(_environment(), "environment")
    for old, new in RENAMED.items():
        if where := found.get(f"ASSEMBLYAI_{old}".upper()):
            found.setdefault(f"ASSEMBLYAI_{new}".upper(), where)
    return found


def faults_of_file(dotenv: Path | None) -> list[str]:
    """What is wrong with the file itself, a line each; a missing file is no fault."""
    if dotenv is None or not dotenv.exists():
        return []
    if dotenv.is_fifo():  # it can be read only once, when somebody has written to it
        return [
            f"{dotenv} is a named pipe: write a file, or put its variables into the environment"
        ]
    try:
        text = dotenv.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        return [f"{dotenv} is not UTF-8 text (byte {error.start}): save it as UTF-8"]
    except OSError as error:
        return [f"{dotenv} cannot be read ({error.strerror}): it has to be a file of NAME=value"]
    return [
        f"{dotenv}, line {binding.original.line}: not a setting; write NAME=value"
        for binding in parse_stream(io.StringIO(text))
        if binding.error
    ]


def _environment() -> dict[str, str]:
    return {name.upper(): value for name, value in os.environ.items() if value}


def _notes_on_quotes() -> list[str]:
    """A sentence for each of the environment's settings with quotes around it; in `.env` quotes
    are stripped."""
    found = _environment()
    return [
        f"{name}: the quotes around it are part of the value; leave them out where nothing strips "
        "them, as in a file for docker's --env-file"
        for name in sorted(SETTINGS.keys() & found)
        if _QUOTED.fullmatch(found[name])
    ]


def _values_of_file(dotenv: Path | None) -> dict[str, str]:
    try:
        values = dotenv_values(dotenv, encoding="utf-8-sig") if dotenv and dotenv.is_file() else {}
    except (OSError, UnicodeDecodeError):  # `faults_of_file` reports it
        return {}
    return {name.upper(): value for name, value in values.items() if value}
