"""The assistant: what it is told, and what it says first."""

from livekit.agents import Agent


class Assistant(Agent):
    """Greets as soon as the caller can hear it, then converses."""

    def __init__(self, *, instructions: str, greeting: str) -> None:
        super().__init__(instructions=instructions)
        self._greeting = greeting

    async def on_enter(self) -> None:
        self.session.say(self._greeting)
