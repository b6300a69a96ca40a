"""The sources of settings: variables of the environment and of `.env`, by section and field."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config.settings import Sections
from stt_assemblyai.options import RENAMED

DOTENV = Path(".env")  # in the folder where the command is typed

_LINK = re.compile(r"_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$")
_ADDRESS = re.compile(r"(tcp|udp|sctp)://\S+")


class Variables(PydanticBaseSettingsSource):
    """The settings in one source. Names that are no setting are left out (`config.names`)."""

    def __init__(self, owner: type[BaseSettings], found: Mapping[str, str | None]) -> None:
        super().__init__(owner)
        self._found = found

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Never called: sections are read as a whole."""
        raise NotImplementedError

    def __call__(self) -> dict[str, Any]:
        sections = self.settings_cls.model_fields
        values: dict[str, Any] = {section: {} for section in sections}
        for name, text in self._found.items():
            section, _, field = name.lower().partition("_")
            if text and section in sections and not is_service_link(name.upper(), text):
                model = sections[section].annotation
                assert isinstance(model, type)
                assert issubclass(model, BaseModel)
                if field in model.model_fields or is_renamed(section, field):
                    values[section][field] = text
        return values


class FoundSections(BaseSettings, Sections):
    """The sections as they are found: making one reads the environment and `.env`."""

    model_config = SettingsConfigDict(
        env_file=DOTENV,
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(  # names and order are pydantic-settings'
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then `.env`."""
        assert isinstance(env_settings, EnvSettingsSource)
        assert isinstance(dotenv_settings, DotEnvSettingsSource)
        environment = Variables(settings_cls, env_settings.env_vars)
        return init_settings, environment, Variables(settings_cls, dotenv_settings.env_vars)

    @model_validator(mode="before")
    @classmethod
    def _every_section(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Check sections in which nothing is set too, so that each missing variable is named."""
        return {section: values.get(section, {}) for section in cls.model_fields}


def is_renamed(section: str, field: str) -> bool:
    """Whether this is an old name that still works."""
    return section == "assemblyai" and field in RENAMED


def is_service_link(name: str, text: str) -> bool:
    """Whether Kubernetes sets this variable in every pod, because of a Service's name.

    For a Service `agent` it sets AGENT_SERVICE_HOST; for a Service `agent-http` it sets
    AGENT_HTTP_PORT=tcp://10.0.0.1:80, which is no port.
    """
    is_port = name.endswith("_PORT") and _ADDRESS.fullmatch(text)
    return bool(is_port or _LINK.search(name))
