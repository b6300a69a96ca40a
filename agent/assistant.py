"""Who answers calls. This is the file to change: docs/extending.md shows what can be done here.

The call itself gives every agent its greeting, barge-in, patience with dictation, limits for its
tools, and two tools: `end_call` and `change_patience`. Nothing here has to care for them.
"""

from collections.abc import Mapping
from typing import Any

from livekit.agents import Agent, llm, stt, tts


class Assistant(Agent):
    """Who answers first. `instructions` are those of AGENT_INSTRUCTIONS_FILE or AGENT_INSTRUCTIONS.

    `metadata`: the keys of the call's metadata that are not settings, for tools to read.
    """

    def __init__(self, instructions: str, metadata: Mapping[str, Any]) -> None:
        super().__init__(instructions=instructions)
        self.metadata = metadata


def own_llm() -> llm.LLM[Any] | None:
    """A language model of any of LiveKit's plugins; None: the one that the settings name."""
    return None


def own_tts() -> tts.TTS[Any] | None:
    """The same for the voice. It has to have `synthesize`."""
    return None


def own_stt() -> stt.STT[Any] | None:
    """The same for what hears the caller, in place of AssemblyAI. It has to report the end of each
    turn (END_OF_SPEECH); patience with dictation reaches LiveKit's delay alone."""
    return None
