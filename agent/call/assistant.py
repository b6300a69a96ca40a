"""The assistant: what it is told, what it says first, and what it can do."""

from collections.abc import Callable

from livekit.agents import Agent, RunContext, function_tool


class Assistant(Agent):
    """Greets as soon as the caller can hear it, converses, and can end the call."""

    def __init__(self, *, instructions: str, greeting: str, hang_up: Callable[[], None]) -> None:
        super().__init__(instructions=instructions)
        self._greeting = greeting
        self._hang_up = hang_up

    async def on_enter(self) -> None:
        self.session.say(self._greeting)

    @function_tool
    async def end_call(self, context: RunContext[None]) -> None:
        """End the call. Use it when the caller says goodbye or asks to hang up, and only after you
        have said goodbye yourself, in the same answer."""
        await context.wait_for_playout()
        self._hang_up()
