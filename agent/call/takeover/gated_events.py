"""The caller's speech events on their way through the gate."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable

from livekit.agents import stt

from agent.call.relay import Relay
from agent.call.takeover.gate import Gate


class GatedEvents:
    """For one call."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.last_at = float("-inf")
        """When the last event came, on the event loop's clock."""
        self._relay = Relay("gate")

    def sift(self, events: AsyncIterable[stt.SpeechEvent]) -> AsyncGenerator[stt.SpeechEvent]:
        """What passes the gate, until the source has ended. Raises what the source raises."""
        return self._relay.read(events, self._take)

    def close(self) -> None:
        """Hold all events from now on."""
        self.gate.close()

    def open(self, cut_at: float | None = None) -> None:
        """Let all pass from now on, first what was held: see `Gate.open`."""
        self._pass_on(self.gate.open(cut_at))

    def _take(self, event: stt.SpeechEvent) -> None:
        self.last_at = asyncio.get_running_loop().time()
        self._pass_on(self.gate.push(event))

    def _pass_on(self, events: list[stt.SpeechEvent]) -> None:
        for event in events:
            self._relay.pass_on(event)
