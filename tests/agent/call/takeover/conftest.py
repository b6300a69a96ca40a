"""Two sides of a hand-over in one room, on a virtual clock."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

import pytest_asyncio

from agent.call.takeover.boundary import Facts
from agent.call.takeover.predecessor import GivesOver
from agent.call.takeover.protocol import Do
from agent.call.takeover.state import CallState
from agent.call.takeover.successor import TakesOver
from agent.tasks import Tasks
from workbench.standins.shared_room import SharedRoom, Side

CALM = Facts(agent_listens=True, caller_is_heard=False)
BUSY = replace(CALM, agent_listens=False)
SECONDS = 15.0


@dataclass
class Given:
    """A call that is given, and what was done to it."""

    now: Facts = BUSY
    reason: str = ""
    hears: bool = True
    successor: str | None = None
    story: list[str] = field(default_factory=list)
    application: Callable[[], object] = lambda: None

    def why_not(self) -> str:
        return self.reason

    def facts(self) -> Facts:
        return self.now

    def quiet_seconds(self) -> float:
        return 10.0

    def stop_hearing(self) -> None:
        self.hears = False
        self.story.append("stops hearing")

    def hear_on(self) -> None:
        self.hears = True
        self.story.append("hears on")

    def state(self, number: int) -> CallState:
        application = self.application()
        return CallState(
            number=number, sent_at=0.0, cut_at=0.0, caller="ann", application=application
        )

    def gives_over(self, successor: str) -> None:
        self.successor = successor


@dataclass
class Taken:
    """A call that is taken."""

    story: list[str] = field(default_factory=list)
    ears: asyncio.Event = field(default_factory=asyncio.Event)
    prepares: Callable[[CallState], None] = lambda _: None

    async def heard(self) -> None:
        await self.ears.wait()

    async def prepare(self, state: CallState) -> None:
        self.prepares(state)
        self.story.append(f"prepares {state.number}")

    async def forget(self) -> None:
        self.story.append("forgets")


class HandOver:
    """A predecessor in a room, and successors as the test sends them."""

    def __init__(self) -> None:
        self.room = SharedRoom()
        self.asked_at: list[float] = []
        self.given = Given()
        self.loop = asyncio.get_running_loop()
        self.began: float | None = None
        """When it was first asked for an agent: in a test, unlike here, the time is virtual."""
        self.side = self.room.enter("old", agent_caller="ann")
        self.gives = GivesOver(self.side.as_livekit, "", self.given, self._ask, SECONDS)
        self.tasks = Tasks()
        self.is_server_away = False
        self.sends: list[str] = []
        """Who comes at each request."""
        self.taken: dict[str, Taken] = {}
        self.outcomes: dict[str, Do] = {}
        self.takes: dict[str, TakesOver] = {}

    async def _ask(self) -> None:
        self.began = self.loop.time() if self.began is None else self.began
        self.asked_at.append(round(self.loop.time() - self.began, 1))
        if self.is_server_away:
            raise RuntimeError("no server")
        if self.sends:
            self.send(self.sends.pop(0))

    def send(self, identity: str, *, hears: bool = True) -> Taken:
        """A successor comes."""
        side = self.room.enter(identity)
        taken = self.taken[identity] = Taken()
        if hears:
            taken.ears.set()
        self.takes[identity] = TakesOver(side.as_livekit, "old", taken)
        self.tasks.start(self._run(identity, side), name=identity)
        return taken

    async def _run(self, identity: str, side: Side) -> None:
        self.outcomes[identity] = await self.takes[identity].run()
        if self.outcomes[identity] is Do.LEAVE and side.is_connected:
            self.room.remove(identity)


@pytest_asyncio.fixture
async def hand_over() -> AsyncIterator[HandOver]:
    made = HandOver()
    yield made
    await made.tasks.aclose()
    await made.gives.aclose()
