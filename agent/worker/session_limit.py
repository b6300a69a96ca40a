"""How many calls AssemblyAI's account lets begin now."""

import asyncio
from typing import TYPE_CHECKING

from agent.fleet.client import FleetRedis
from config.services import AssemblyAISettings

if TYPE_CHECKING:
    from agent.fleet.budget import FleetBudget
    from stt_assemblyai.budget import MachineBudget

# Rather than be heard later than this, a caller is told that nobody is free.
SESSION_SECONDS = 5
LOOK_SECONDS = 1.0


class SessionLimit:
    """How many calls can soon get a session with AssemblyAI: an `admission.Limit`."""

    def __init__(self, machine: "MachineBudget", fleet: "FleetBudget | None" = None) -> None:
        self._machine = machine
        self._fleet = fleet
        self._free: int | None = None
        """Of the fleet, when it was last asked."""

    def __call__(self, recent: int) -> int:
        free = self._machine.free(SESSION_SECONDS) if self._free is None else self._free
        return free - recent

    async def follow(self) -> None:
        """Ask the fleet again and again; return at once without one."""
        while self._fleet:
            self._free = await self._fleet.free(SESSION_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)


def session_limit(
    service: AssemblyAISettings, redis: FleetRedis | None = None
) -> SessionLimit | None:
    """The limit that the settings set; None if there is none.

    There is none with a fallback for AssemblyAI: it hears the calls that get no session.
    """
    per_minute = service.new_sessions_per_minute
    if per_minute is None or service.fallback_inference_model:
        return None
    from stt_assemblyai.budget import (
        MachineBudget,
        file_for,
    )  # only who has a limit needs its library

    account = service.api_key.get_secret_value()
    machine = MachineBudget(per_minute, file_for(account))
    if redis is None:
        return SessionLimit(machine)
    from agent.fleet.budget import fleet_budget

    return SessionLimit(machine, fleet_budget(redis, per_minute, account))
