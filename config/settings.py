"""Every setting once: its name, description, range, default and a valid example.

The field `min_turn_silence` of `assemblyai` is the variable `ASSEMBLYAI_MIN_TURN_SILENCE`, read
from the environment or, if it is not set there, from `.env`. Messages, `.env.example` and the
reference page are generated from these fields. All of this is values: `config.load` makes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, InstanceOf

from config.behaviour import AgentSettings
from config.languages import HEARS_ALL, told_to_speak
from config.phrases import Phrasebook
from config.services import AssemblyAISettings, LiveKitSettings, OpenAISettings
from config.telemetry import Telemetry
from stt_assemblyai.options import SessionOptions


@dataclass(frozen=True, slots=True)
class FileContents:
    """What the files that the settings name held when the settings were loaded.

    It travels with the settings to the job processes: a file may be deleted later.
    """

    instructions: str
    """At least one character."""
    phrasebook: Phrasebook


class Sections(BaseModel):
    """The variables, in four groups by prefix."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    livekit: LiveKitSettings
    assemblyai: AssemblyAISettings
    openai: OpenAISettings
    agent: AgentSettings


class Settings(Sections):
    """The settings in force. `config.load.load_settings` makes them."""

    files: InstanceOf[FileContents] = Field(exclude=True, repr=False)
    telemetry: InstanceOf[Telemetry] = Field(default=Telemetry(), exclude=True, repr=False)

    @property
    def prompt(self) -> str:
        """The agent's instructions, as prose."""
        if self.agent.instructions:
            return self.agent.instructions
        is_ours = "instructions_file" not in self.agent.model_fields_set
        language = told_to_speak(self.agent.language) if is_ours else ""
        return f"{self.files.instructions}\n\n{language}".strip()

    def heard_in_its_language(self) -> "Settings":
        """The same; if no speech model is set, with one that hears the agent's language."""
        service = self.assemblyai
        if self.agent.language == "en" or "speech_model" in service.model_fields_set:
            return self
        kept = {name: getattr(service, name) for name in service.model_fields_set}
        heard = AssemblyAISettings.model_validate({**kept, "speech_model": HEARS_ALL})
        return self.model_copy(update={"assemblyai": heard})

    @property
    def session_options(self) -> SessionOptions:
        """The options of a streaming session: what was set, and the preset for the rest."""
        return self.assemblyai.session.with_preset(self.agent.turn_preset)

    @property
    def vad_threshold(self) -> float:
        """The voice probability from which Silero hears a voice; by default AssemblyAI's."""
        if self.agent.vad_threshold is not None:
            return self.agent.vad_threshold
        return self.assemblyai.voice_threshold


PER_CALL: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "assemblyai": frozenset({"speech_model", "language_codes", "keyterms_prompt", "prompt"}),
        "openai": frozenset({"llm_model", "tts_voice"}),
        "agent": frozenset(
            {
                "instructions",
                "language",
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
