"""Who answers calls. This is the file to change: docs/extending.md shows what can be done here.

The call itself gives every agent its greeting, barge-in, patience with dictation, limits for its
tools, and two tools: `end_call` and `change_patience`. Nothing here has to care for them.
"""

from collections.abc import Mapping
from typing import Any

from livekit.agents import Agent


class Assistant(Agent):
    """Who answers first. `instructions` are those of AGENT_INSTRUCTIONS_FILE or AGENT_INSTRUCTIONS.

    `metadata`: the keys of the call's metadata that are not settings, for tools to read.
    """

    def __init__(self, instructions: str, metadata: Mapping[str, Any]) -> None:
        super().__init__(instructions=instructions)
        self.metadata = metadata
