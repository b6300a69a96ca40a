"""No caller waits for ever: a room with a caller and no agent gets one.

LiveKit asks for an agent once, when a room is made. If every worker is full at that moment, or the
agent dies in the call, LiveKit does not ask again. So a worker asks itself. What each worker sees
of its own calls is in `vacated`. All other rooms are looked after by one worker of a fleet
(`agent.fleet`). Where workers know nothing of each other, each looks after all rooms, and several
may see the same one: each adds a random wait, and a new request restarts that wait. If two agents
come all the same, the later one leaves (`agent.call.people.presence`). If no worker has a place,
the caller is told so.
"""

import asyncio
import contextlib
import logging
import random
from functools import partial

from livekit import api

from agent.call.people.need import ask_for_agent
from agent.call.people.participants import AgentRole
from agent.fleet.duty import Duty
from agent.fleet.presence import Agent
from agent.worker import metrics
from agent.worker.hold_announcement import HoldAnnouncements
from agent.worker.in_fleet import need_of, own_agents, show
from agent.worker.left_overs import remove_left_over
from agent.worker.listing import Listing
from agent.worker.livekit_api import FAILURES, livekit_api
from agent.worker.liveness import QUESTIONS, QUESTIONS_IF_LOST, Liveness
from agent.worker.replacing import Replacing
from agent.worker.rooms import UNSEEN_SECONDS, WAITING_SECONDS, Room, Rooms, Sight, Verdict
from agent.worker.server import Worker
from agent.worker.strangers import Strangers
from agent.worker.vacated import Vacated
from config.settings import Settings

log = logging.getLogger(__name__)

PASS_SECONDS = 0.5
"""Without a change, and without a caller who waits, a pass makes no request."""
JITTER_SECONDS = 1.0
# Looked into one by one, rooms on a distant or dead server would hold up all the others.
ROOMS_AT_ONCE = 20
# A room that does not answer in this time is skipped for a while: others wait behind it.
SIGHT_SECONDS = 2.5
# Shorter failures of the server are logged elsewhere.
SILENT_SECONDS = 10.0
# What a worker knew of the rooms before it last looked after them is of no use after this long.
STALE_SECONDS = 60.0
# The one that leads makes so many by itself: that is quickest.
OWN_ANNOUNCEMENTS = 10
# A call that was asked for is among those that its worker names after this long.
COUNTED_SECONDS = 1.5


async def look_after_callers(settings: Settings, worker: Worker, *, speaks: bool) -> None:
    """Look for waiting callers and dead agents until cancelled.

    A worker that `speaks` tells callers when no agent is free.
    """
    need = need_of(settings, AgentRole.ANSWERS if speaks else AgentRole.TRANSCRIBES)
    count = metrics.LIVEKIT_API_CALLS
    async with livekit_api(settings.livekit, lambda method: count.labels(method).inc()) as server:
        replacing = Replacing(server.client, need, partial(remove_left_over, settings.livekit))
        await look_after(settings, worker, replacing, Liveness(server))


async def look_after(
    settings: Settings, worker: Worker, replacing: Replacing, liveness: Liveness
) -> None:
    """The same with means of somebody else's."""
    async with asyncio.TaskGroup() as tasks:
        announcements = HoldAnnouncements(settings, replacing.need, tasks)
        tasks.create_task(Vacated(worker, replacing).run())
        patience_seconds = settings.agent.rescue_seconds
        means = (worker, replacing, liveness, announcements, tasks)
        await Dispatcher(patience_seconds, *means).run()


class Dispatcher:
    """Looks after all rooms, as long as that is this worker's duty."""

    def __init__(
        self,
        patience_seconds: float,
        worker: Worker,
        replacing: Replacing,
        liveness: Liveness,
        announcements: HoldAnnouncements,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """`patience_seconds`: how long the agent that was asked for may take to come."""
        self._patience_seconds = patience_seconds
        self._worker = worker
        self._fleet = worker.fleet
        self._replacing = replacing
        self._client = replacing.client
        self._liveness = liveness
        self._announcements = announcements
        self._tasks = tasks
        self._duty = Duty.FOLLOWS
        self._on_duty_at = float("-inf")
        self._asked_at: list[float] = []
        self._forget()

    async def run(self) -> None:
        """Look after the rooms until cancelled. A lasting failure is logged once."""
        is_said = False
        while True:
            await asyncio.sleep(PASS_SECONDS)
            for room in self._fleet.take_untold():
                self._announcements.start(room)
            if not self._is_on_duty():
                continue
            try:
                await self._list()
            except FAILURES as error:
                failing_seconds = self._listing.failed(_now())
                if failing_seconds or isinstance(error, TimeoutError):
                    self._fleet.decline()  # another worker may reach the server
                if failing_seconds > SILENT_SECONDS and not is_said:
                    is_said = True
                    reason = str(error) or type(error).__name__
                    log.warning("cannot look for waiting callers", extra={"error": reason})
            else:
                is_said = is_said and self._listing.is_failing
                await self._look()

    def _forget(self) -> None:
        self._rooms = Rooms(self._replacing.need, self._patience_seconds, about, self._jitter)
        self._strangers = Strangers(about)
        self._listing = Listing(_now())

    def _is_on_duty(self) -> bool:
        """Whether to look after all rooms. What was known of them lately still helps."""
        before, self._duty = self._duty, self._fleet.duty
        show(self._fleet)
        if self._duty is Duty.FOLLOWS:
            return False
        if before is Duty.FOLLOWS and _now() - self._on_duty_at > STALE_SECONDS:
            self._forget()
        self._on_duty_at = _now()
        if before is not self._duty:
            self._listing.at_once()
        return True

    async def _list(self) -> None:
        """Take what has changed, by webhooks, by other workers, and by a listing if it is due."""
        changed = self._fleet.take_changes()
        if changed is None:
            self._listing.at_once()
        now, knows_others = _now(), self._fleet.others is not None or not self._strangers
        self._listing.named(changed or (), now)
        alive = self._alive()
        self._strangers.known(alive, self._rooms.alive(alive, now))
        if self._listing.is_due(now, knows_others=knows_others):
            rooms = (await self._client.room.list_rooms(api.ListRoomsRequest())).rooms
            now = _now()
            moved = self._rooms.listed(rooms, now)
            is_quiet = not (moved or self._rooms.is_busy or self._strangers)
            self._listing.listed(moved, now, is_quiet=is_quiet)
            self._strangers.keep({each.name for each in rooms})
        self._rooms.changed(changed or (), now)

    async def _look(self) -> None:
        """Look into the rooms where that is due, and do what is needed there."""
        gate = asyncio.Semaphore(ROOMS_AT_ONCE)
        due = self._rooms.due(_now())
        async with asyncio.TaskGroup() as looking:
            seen = [looking.create_task(self._see(each, gate)) for each in due]
        places = self._places()
        for room, found in zip(due, seen, strict=True):
            if sight := found.result():
                with contextlib.suppress(*FAILURES):
                    places -= await self._attend(room, sight, has_place=places > 0)
        for agent in self._strangers.due(_now()):
            self._tasks.create_task(self._ask_after(agent))

    async def _see(self, room: Room, gate: asyncio.Semaphore) -> Sight | None:
        """Who is in a room and which agents were asked for; None if it does not say."""
        need = self._replacing.need
        async with gate:
            try:
                async with asyncio.timeout(SIGHT_SECONDS):
                    people = await self._replacing.participants(room.name)
                    if need.agents(people) or not any(map(need.is_caller, people)):
                        return Sight(people, ())
                    return Sight(people, await self._client.agent_dispatch.list_dispatch(room.name))
            except TimeoutError:
                self._rooms.unseen(room, _now(), UNSEEN_SECONDS)
            except FAILURES:  # the room has just closed, or its server is gone
                self._rooms.unseen(room, _now(), WAITING_SECONDS)
        return None

    async def _attend(self, room: Room, sight: Sight, *, has_place: bool) -> bool:
        """Do what a room needs. True if an agent was asked for."""
        now, is_new = _now(), not room.is_seen
        verdict = self._rooms.seen(room, sight, now, has_place=has_place)
        agents = self._replacing.need.agents(sight.participants)
        strangers = self._rooms.strangers(room.name, agents)
        # This worker may replace one that died, and whose callers wait.
        self._strangers.seen(room.name, strangers, now, at_once=is_new)
        if verdict is Verdict.AGENT:
            return await self._rescue(room.name, sight)
        if verdict is Verdict.ANNOUNCEMENT:
            self._announce(room.name)
        return False

    def _announce(self, room: str) -> None:
        """Tell the callers in a room that nobody is free; of many, other workers tell some."""
        if self._duty is Duty.LEADS and self._announcements.count >= OWN_ANNOUNCEMENTS:
            self._fleet.leave_to_others(room)
        else:
            self._announcements.start(room)

    async def _rescue(self, room: str, sight: Sight) -> bool:
        """Ask for an agent, unless a request has since been made or taken back."""
        dispatches = await self._client.agent_dispatch.list_dispatch(room)
        if {each.id for each in sight.dispatches} != {each.id for each in dispatches}:
            return False
        log.warning("a caller waits without an agent", extra={"room": room})
        metrics.CALLERS_RESCUED.inc()
        self._asked_at.append(_now())
        await ask_for_agent(self._client, room, self._replacing.need, dispatches)
        return True

    async def _ask_after(self, agent: Agent) -> None:
        """Replace an agent unless it answers."""
        questions = QUESTIONS_IF_LOST if self._strangers.is_lost(agent) else QUESTIONS
        if await self._liveness.is_dead(agent.room, agent.identity, questions):
            with contextlib.suppress(*FAILURES):
                await self._replacing.replace(agent.room, agent.identity)
        self._strangers.answered(agent, _now())

    def _alive(self) -> frozenset[Agent]:
        """The agents that need not be asked: this worker's own, and those that others name."""
        others = self._fleet.others
        return own_agents(self._worker) | (others.agents if others else frozenset())

    def _places(self) -> int:
        """How many more calls may be asked for, as far as this worker knows."""
        others, since = self._fleet.others, _now() - COUNTED_SECONDS
        self._asked_at = [at for at in self._asked_at if at > since]
        return others.places - len(self._asked_at) if others else self._worker.places

    def _jitter(self) -> float:
        return 0.0 if self._duty is Duty.LEADS else random.uniform(0, JITTER_SECONDS)


def about(seconds: float) -> float:
    """A random time near this one, so that workers do not all look at the same moment."""
    return seconds * random.uniform(0.75, 1.25)


def _now() -> float:
    return asyncio.get_running_loop().time()
