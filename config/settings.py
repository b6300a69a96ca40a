"""Every setting once: its name, description, range, default and a valid example.

The field `min_turn_silence` of `assemblyai` is the variable `ASSEMBLYAI_MIN_TURN_SILENCE`, read
from the environment or, if it is not set there, from `.env`. Messages, `.env.example` and the
reference page are generated from these fields.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config.behaviour import AgentSettings
from config.services import AssemblyAISettings, LiveKitSettings, OpenAISettings
from config.sources import Variables
from stt_assemblyai.options import SessionOptions

DOTENV = Path(".env")  # in the folder where the command is typed


class Settings(BaseSettings):
    """All sections. `config.load.load_settings` makes it and turns faults into sentences."""

    model_config = SettingsConfigDict(
        env_file=DOTENV,
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    livekit: LiveKitSettings
    assemblyai: AssemblyAISettings
    openai: OpenAISettings
    agent: AgentSettings

    @property
    def session_options(self) -> SessionOptions:
        """The options of a streaming session: what was set, and the preset for the rest."""
        return self.assemblyai.session.tempered(self.agent.turn_preset)

    @property
    def vad_threshold(self) -> float:
        """The voice probability from which Silero hears a voice; by default AssemblyAI's."""
        if self.agent.vad_threshold is not None:
            return self.agent.vad_threshold
        return self.assemblyai.voice_threshold

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


PER_CALL: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "assemblyai": frozenset({"speech_model", "language_codes", "keyterms_prompt", "prompt"}),
        "openai": frozenset({"llm_model", "tts_voice"}),
        "agent": frozenset(
            {
                "instructions",
                "greeting",
                "still_there",
                "goodbye",
                "refusal",
                "turn_preset",
                "hears",
            }
        ),
    }
)
"""What the metadata of a single call may set, by section (`config.per_call`)."""
