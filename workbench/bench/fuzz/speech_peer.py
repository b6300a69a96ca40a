"""A far end that hears what it is really sent; see `workbench.standins.spelt_speech`."""

import json
from dataclasses import dataclass, field
from typing import Any

from workbench.bench.fuzz.world import World
from workbench.standins.spelt_speech import SpeltRecogniser, SpeltWord

__all__ = ["SpeechPeer", "SpeechService"]

_LATENCY_SECONDS = 0.3


@dataclass
class SpeechService:
    """Opens a `SpeechPeer` for each connection; see `SpeltRecogniser` for `rewritten`."""

    words: list[SpeltWord]
    rewritten: bool = False
    expires_seconds: float | None = None
    peers: dict[int, "SpeechPeer"] = field(default_factory=dict)

    def open(self, world: World, key: int) -> "SpeechPeer":
        """A session that begins after 0.2 s."""
        peer = self.peers[key] = SpeechPeer(world, key, self)
        expires_at = None
        if self.expires_seconds is not None:
            expires_at = int(world.now + self.expires_seconds)
            world.at(expires_at, lambda: world.drop(key, 3008, "Session Expired"))
        begin = json.dumps({"type": "Begin", "id": f"session-{key}", "expires_at": expires_at})
        world.at(world.now + 0.2, lambda: world.say(key, begin))
        return peer


class SpeechPeer:
    """One session."""

    def __init__(self, world: World, key: int, service: SpeechService) -> None:
        self._world = world
        self._key = key
        self._recogniser = SpeltRecogniser(lambda: service.words, rewritten=service.rewritten)
        self.blocked = False

    def take(self, frame: str | bytes) -> bool:
        """Hear audio, obey messages."""
        if self.blocked:
            return False
        if isinstance(frame, bytes):
            self._say(self._recogniser.hear(frame))
        elif (kind := json.loads(frame)["type"]) in ("ForceEndpoint", "Terminate"):
            self._say(self._recogniser.turn(over=True))
            if kind == "Terminate":
                self._say({"type": "Termination", "session_duration_seconds": 1})
        return True

    def _say(self, message: dict[str, Any] | None) -> None:
        if message is not None:
            frame, at = json.dumps(message), self._world.now + _LATENCY_SECONDS
            self._world.at(at, lambda: self._world.say(self._key, frame))
