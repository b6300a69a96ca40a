"""Whether a worker lives, and whether it should get the next call, with the reasons in words.

Programs that only wait for a worker import this too, so it needs nothing of LiveKit's.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Literal

from agent.records.schema import Provider

Shortage = Literal["full", "busy", "limited"]
"""All places are taken; the CPU is too busy, or calls run late; a limit says so."""
_DOWN: dict[Provider, tuple[str, str]] = {
    "stt": ("stt_down", "the speech recognition is down"),
    "llm": ("llm_down", "the language model is down"),
    "tts": ("tts_down", "the speech synthesis is down"),
}

OBSTACLES = (
    *("unregistered", "draining", "no_processes", "full", "busy", "limited"),
    *(code for code, _ in _DOWN.values()),
)
"""The codes of all reasons not to be ready."""

_SHORT: dict[Shortage, str] = {
    "full": "no place is free",
    "busy": "the machine is too busy for another call",
    "limited": "AssemblyAI grants no new session within seconds",
}

OCCUPIED = frozenset(_SHORT)
"""The codes of the reasons that a worker in good health has, with its calls."""


@dataclass(frozen=True, slots=True)
class Health:
    """One worker at one moment."""

    registered: bool
    """It has a connection to LiveKit's server now, and is registered there."""
    draining: bool
    starts_processes: bool
    calls: int
    places_free: int
    shortage: Shortage | None
    """Why no place is free."""
    providers_down: tuple[Provider, ...]

    @property
    def is_alive(self) -> bool:
        """Whether it is better to let this worker run than to start it again. One that can start no
        process for a call is left alone until its calls are over: a restart would end them."""
        return self.starts_processes or self.calls > 0

    @property
    def obstacles(self) -> dict[str, str]:
        """Why the next call should not go to this worker: codes with sentences; none if it may."""
        found: dict[str, str] = {}
        if not self.registered:
            found["unregistered"] = "not registered with LiveKit"
        if self.draining:
            found["draining"] = "draining: it takes no more calls"
        if not self.starts_processes:
            found["no_processes"] = "job processes cannot be started"
        elif self.shortage:
            found[self.shortage] = _SHORT[self.shortage]
        return found | dict(_DOWN[each] for each in self.providers_down)

    def live(self) -> tuple[bool, str, dict[str, Any]]:
        """For `/livez`: whether it lives, one line, and the same for machines."""
        if not self.starts_processes:
            text = "job processes cannot be started"
            text += "" if self.is_alive else ", and there are no calls: start this worker again"
        else:
            text = "alive"
        return self.is_alive, text, {"alive": self.is_alive, "reason": text, "calls": self.calls}

    def ready(self, excluding: Collection[str] = ()) -> tuple[bool, str, dict[str, Any]]:
        """For `/readyz`, in the same form; obstacles with the codes in `excluding` are none."""
        obstacles = {code: why for code, why in self.obstacles.items() if code not in excluding}
        if obstacles:
            text = "not ready: " + "; ".join(obstacles.values())
        else:
            text = f"ready (places free: {self.places_free}, calls: {self.calls})"
        document = {"ready": not obstacles, "reason": text, "obstacles": list(obstacles)}
        return not obstacles, text, document | asdict(self)
