"""People who come, go, reload, vanish and listen at random: whoever can speak is served, once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as some
from livekit import rtc

from config.load import load_settings
from workbench.bench.misbehaviour.room_world import Served, World
from workbench.standins.scripted_room import Permission, Person

pytestmark = pytest.mark.looptime

Kind, Source = rtc.ParticipantKind, rtc.TrackSource

BACK_SECONDS = 6.0
"""Within this time whoever can speak and waits is served, where an agent has just left or died."""
FOUND_SECONDS = 24.0
"""The same, where the last agent left long ago (AGENT_RESCUE_SECONDS, and how rarely a worker looks
into a room where nothing happens), or where the server shows a client that is dead."""
JUST_SECONDS = 25.0
NEVER = -1000.0

COMERS: dict[str, Callable[[str], Person]] = {
    "ann": Person,
    "bob": Person,
    "phone": lambda identity: Person(identity, Kind.PARTICIPANT_KIND_SIP),
    "observer": lambda identity: Person(identity, permissions=Permission(can_publish=False)),
    "ops-carl": Person,
    "recorder": lambda identity: Person(identity, Kind.PARTICIPANT_KIND_EGRESS),
    "avatar": lambda identity: Person(identity, Kind.PARTICIPANT_KIND_AGENT),
    "minutes": lambda identity: Person(
        identity, Kind.PARTICIPANT_KIND_AGENT, attributes={"agent.role": "transcribes"}
    ),
}
CALLERS = ("ann", "bob", "phone")

STEP = some.tuples(
    some.sampled_from([0.0, 0.1, 0.4, 1.0, 2.5, 7.0, 20.0, 40.0]),
    some.sampled_from(["come", "come", "leave", "vanish", "screen", "unknown", "mute", "kill"]),
    some.sampled_from(list(COMERS)),
)


@asynccontextmanager
async def owned_tasks() -> AsyncIterator[asyncio.TaskGroup]:
    """A group whose tasks end with it; what fails in one fails the test."""

    class OverError(Exception):
        """The test is over."""

    async def end() -> None:
        raise OverError

    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
            tasks.create_task(end())
    except* OverError:
        pass


class Room:
    """The world, and what must hold of it at every moment."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.killed_at = [NEVER]
        self._since: float | None = None
        self._bound = FOUND_SECONDS

    def step(self, action: str, who: str) -> None:
        world = self.world
        match action:
            case "come":
                world.join(COMERS[who](who))
                if who in CALLERS:
                    world.publish(who, Source.SOURCE_MICROPHONE)
            case "kill":
                if world.kill():
                    self.killed_at.append(world.now)
                    self._since = None
            case "leave" if who in world.people:
                world.leave(who)
            case "vanish" if who in world.people:
                world.vanish(who)
            case "screen" | "unknown" | "mute" if who in world.people:
                name = "SCREENSHARE_AUDIO" if action == "screen" else "UNKNOWN"
                world.publish(who, Source.Value(f"SOURCE_{name}"))

    async def last(self, seconds: float) -> None:
        """Let this time pass, and look all the while."""
        until = self.world.now + seconds
        while True:
            self._look()
            if self.world.now >= until:
                return
            await asyncio.sleep(0.25)

    def _look(self) -> None:
        world = self.world
        serving = [job.serves for job in world.jobs if job.serves]
        assert len(serving) <= 1, "two agents at once"
        assert set(serving) <= set(CALLERS), "served who is no caller"
        waiting = [each for each in CALLERS if each in world.people.keys() - world.vanished]
        if not waiting or any(each in waiting for each in serving):
            self._since = None
            return
        if self._since is None:
            self._since = world.now
            is_just = self._since - max(world.last_left, *self.killed_at) < JUST_SECONDS
            self._bound = BACK_SECONDS if is_just else FOUND_SECONDS
        if world.vanished:
            self._bound = FOUND_SECONDS
        assert world.now - self._since <= self._bound, f"{waiting} wait since {self._since}"

    def served_twice(self) -> list[Served]:
        """Who was served by one agent after another without having left, or an agent's death."""
        pairs = zip(self.world.served, self.world.served[1:], strict=False)
        return [
            later
            for earlier, later in pairs
            if earlier.person is later.person
            and not any(earlier.at <= at <= later.at for at in self.killed_at)
        ]


@given(some.lists(STEP, max_size=8))
@settings(max_examples=10, derandomize=True, phases=[Phase.generate])
async def test_whoever_can_speak_and_waits_is_served_in_time_by_one_agent_and_not_twice(
    steps: list[tuple[float, str, str]],
) -> None:
    key = {"api_key": "key"}
    livekit = {"url": "ws://127.0.0.1", "api_secret": "secret", **key}
    agent = {"operators": "ops-*"}
    given_settings = {"livekit": livekit, "assemblyai": key, "openai": key, "agent": agent}
    loaded = load_settings(None, given=given_settings)
    async with owned_tasks() as tasks:
        room = Room(World(loaded, tasks))
        for seconds, action, who in steps:
            room.step(action, who)
            await room.last(seconds)
        await room.last(30.0)
        assert room.served_twice() == []
