"""The worker: which jobs it serves, how many calls it takes, what it prepares before a call."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from livekit.agents import AgentServer, JobContext, JobRequest
from livekit.agents.ipc.proc_pool import ProcPool
from livekit.agents.utils.http_server import HttpServer
from livekit.agents.worker import ServerEnvOption

from agent.call import mcp_tools
from agent.call.answer import answer
from agent.call.loop_watch import watched
from agent.call.people.participants import AgentRole
from agent.call.reports import LATE, TRIED, Outcome
from agent.call.session import prepare_parts
from agent.fleet.client import open_redis
from agent.fleet.membership import Membership
from agent.livekit_private import WatchedServer
from agent.tasks import Tasks
from agent.worker import gauges, observations
from agent.worker.admission import Admission, Limit
from agent.worker.environment import set_environment
from agent.worker.garbage import set_aside
from agent.worker.health import Health
from agent.worker.health_pages import health_pages
from agent.worker.hosts.hosts import Hosts
from agent.worker.in_fleet import membership_of
from agent.worker.load_shedding import LoadShedding, cores
from agent.worker.outages import Outages
from agent.worker.prepared import prepared_once
from agent.worker.prewarming import IGNORED_SIGNALS, PRELOADED, prewarm, prewarm_in_development
from agent.worker.session_limit import SessionLimit, session_limit
from agent.worker.starts import Starts
from agent.worker.tally import Tally
from agent.worker.webhook_page import webhook_page
from config.behaviour import AgentSettings
from config.services import LiveKitSettings
from config.settings import Settings

# In conversation a call takes 8 to 10 % of a 2026 core, and two quiet cores carried 12 calls beside
# their callers (docs/capacity.md). The rest is for slower cores and for calls that begin.
CALLS_PER_CORE = 4

# By default. A process that dies takes all of them with it.
MOST_CALLS_EACH = 12

# LiveKit's 10 s are too short on a busy machine with many cold starts.
INITIALIZE_SECONDS = 60

# By default LiveKit's client gives up after two minutes without its server.
RETRIES = 1_000_000


class Worker(WatchedServer, AgentServer):
    """LiveKit's worker, with our own admission of calls."""

    def __init__(
        self,
        admission: Admission,
        load_shedding: LoadShedding,
        starts: Starts,
        prepare: Callable[[], object],
        hosts: Hosts | None = None,
        session_limit: SessionLimit | None = None,
        **options: Any,  # LiveKit's own
    ) -> None:
        super().__init__(load_fnc=self._load, **options)
        self.admission = admission
        self.load_shedding = load_shedding
        self.starts = starts
        self._reports = Tasks()
        self._is_registered = False
        self.once("worker_registered", self._note_registration)
        self.tally = Tally(self._take)
        self.outages = Outages()
        self.calls_ended: list[Callable[[], None]] = []
        """Called when a call's process has ended."""
        self.prepare = prepare
        """Runs in each job process before its call."""
        self.hosts = hosts
        self._session_limit = session_limit

    @property
    def places(self) -> int:
        """How many more calls fit right now."""
        return self.admission.places(len(self.active_jobs))

    @property
    def health(self) -> Health:
        """How it is right now."""
        return Health(
            registered=self._is_registered and not self.is_connecting,
            draining=self.draining or not self.admission.is_open,
            starts_processes=not self.starts.are_failing,
            calls=len(self.active_jobs),
            places_free=self.places,
            shortage=self.admission.shortage(len(self.active_jobs)),
            providers_down=self.outages.down(time.monotonic()),
        )

    def join(self, fleet: Membership, livekit: LiveKitSettings) -> None:
        """Be one of these, and take LiveKit's webhooks for them."""
        self.fleet = fleet
        self.webhooks = webhook_page(livekit, fleet.note_change)

    def keep_ready(self, processes: int) -> None:
        """Keep this many processes waiting for a call, at most `num_idle_processes`."""
        self.starts.keep_ready(processes)

    async def run(self, *, devmode: bool = False, unregistered: bool = False) -> None:
        set_aside()
        with self.tally.listening():
            async with Tasks() as tasks:
                tasks.start(gauges.follow(self._look), name="gauges")
                if self.hosts:
                    tasks.start(self.hosts.watch(), name="processes of calls")
                if self._session_limit:
                    tasks.start(self._session_limit.follow(), name="the fleet's new sessions")
                await super().run(devmode=devmode, unregistered=unregistered)

    async def aclose(self) -> None:
        await super().aclose()
        await self._reports.aclose()
        if self.hosts:
            await self.hosts.aclose()

    async def step_aside(self) -> None:
        """Give up the ports for the next worker, and return when the calls of this one are over."""
        pages = [each.aclose() for each in (self.page, self.metrics_page) if each]
        await asyncio.gather(self.drain(timeout=None), *pages)

    async def break_off(self, running: asyncio.Task[None]) -> None:
        """End `run` before it takes calls.

        LiveKit closes nothing until its first processes are ready, which takes up to a minute.
        """
        running.cancel()
        await asyncio.wait([running])
        if self.pool:
            await self.pool.aclose()
        if self.hosts:
            await self.hosts.aclose()

    def on_pool(self, pool: ProcPool) -> None:
        self.starts.watch(pool)
        pool.on("process_closed", self._report_load)
        if self.hosts:
            self.hosts.take_over(pool)

    def on_page(self, page: HttpServer) -> None:
        page.app.add_routes([*health_pages(lambda: self.health), *self.webhooks])

    def _look(self) -> Health | None:
        return self.health if self.pool else None

    def _take(self, message: Mapping[str, Any]) -> None:
        """One report of a call."""
        observations.count(message)
        if message["kind"] == TRIED:
            outcome = Outcome(message["outcome"])
            self.outages.note(message["provider"], outcome, time.monotonic())
        elif message["kind"] == LATE:
            self.load_shedding.lags.note(message, time.monotonic())

    def _note_registration(self, *_: object) -> None:
        self._is_registered = True

    def _report_load(self, _: object) -> None:
        self._reports.start(self.tell_load(), name="load")
        for each in self.calls_ended:
            each()

    def _load(self) -> float:
        return self.admission.load(self)


def build_server(
    settings: Settings,
    *,
    entrypoint: Callable[[JobContext], Awaitable[None]] = answer,
    before_leaving: Callable[[JobContext], Awaitable[None]] | None = None,
    prepare: Callable[[Settings], object] = prepare_parts,
    role: AgentRole = AgentRole.ANSWERS,
) -> Worker:
    """A worker that is ready to run; nothing is connected yet.

    Each job process calls `prepare` before its first job: its result is `userdata["parts"]`. A job
    that ends awaits `before_leaving`, then leaves its room. All stand at a module's top level.
    """
    set_environment(settings)
    capacity = calls_at_once(settings.agent.max_calls, cores())
    load_shedding, starts = _load_shedding(settings.agent), Starts()
    sessions = _sessions(settings, role)
    admission = _admission(capacity, load_shedding, starts, sessions, role)
    server = Worker(
        admission,
        load_shedding,
        starts,
        partial(prepared_once, prepare, settings),
        _hosts(settings.agent.calls_per_process, capacity),
        sessions,
        **_livekits_options(settings, capacity, entrypoint.__module__),
    )
    server.setup_fnc = partial(prewarm, settings, prepare, server.tally.sender)
    server.join(membership_of(server, settings, role), settings.livekit)

    async def on_request(request: JobRequest) -> None:
        await admission.decide(request, server)

    server.rtc_session(
        partial(watched, entrypoint),
        agent_name=settings.agent.name,
        on_request=on_request,
        on_session_end=before_leaving,
    )
    return server


def calls_at_once(chosen: int | None, cores: float) -> int:
    """How many calls a worker holds: as chosen, or by what a core can carry."""
    return chosen or max(1, math.floor(CALLS_PER_CORE * cores))


def calls_each(chosen: int | None, capacity: int, cores: float) -> int:
    """How many calls a process holds: as chosen, or with one process for each core."""
    return chosen or min(math.ceil(capacity / cores), MOST_CALLS_EACH)


def _hosts(chosen: int | None, capacity: int) -> Hosts | None:
    """Processes that hold several calls each; None if each call has its own."""
    each = calls_each(chosen, capacity, cores())
    return Hosts(each, math.ceil(capacity / each)) if each > 1 else None


def _wanted(settings: Settings) -> list[str]:
    """What job processes share only if a setting asks for it."""
    return [mcp_tools.PRELOADED] if settings.agent.mcp_url else []


def _load_shedding(agent: AgentSettings) -> LoadShedding:
    return LoadShedding(agent.max_cpu_percent / 100, agent.max_loop_lag_ms / 1000)


def _sessions(settings: Settings, role: AgentRole) -> SessionLimit | None:
    if role is not AgentRole.ANSWERS:
        return None
    return session_limit(settings.assemblyai, open_redis(settings.agent.redis_url))


def _admission(
    capacity: int,
    load_shedding: LoadShedding,
    starts: Starts,
    sessions: SessionLimit | None,
    role: AgentRole,
) -> Admission:
    limits: list[Limit] = [lambda _: 0 if starts.are_failing else capacity]
    limits += [sessions] if sessions else []
    return Admission(capacity, load_shedding, *limits, role=role)


def _livekits_options(settings: Settings, capacity: int, job_module: str) -> dict[str, Any]:
    return {
        "preload_modules": [job_module, PRELOADED, IGNORED_SIGNALS, *_wanted(settings)],
        "ws_url": settings.livekit.url,
        "api_key": settings.livekit.api_key.get_secret_value(),
        "api_secret": settings.livekit.api_secret.get_secret_value(),
        "host": settings.agent.http_host,
        "port": settings.agent.http_port,
        # LiveKit's client would compare the load with its own threshold and refuse all but the
        # first calls of a burst; `admission` counts exactly.
        "load_threshold": math.inf,
        # A developer's machine has other work to do.
        "num_idle_processes": ServerEnvOption(
            dev_default=min(capacity, math.ceil(cores())), prod_default=capacity
        ),
        "max_retry": RETRIES,
        "prometheus_port": settings.agent.metrics_port,
        "initialize_process_timeout": INITIALIZE_SECONDS,
        "drain_timeout": settings.agent.drain_seconds,
        "log_level": settings.agent.log_level,
    }


def reread_files(server: Worker, settings: Settings) -> None:
    """Let its calls go by instructions and phrases as their files have them now."""
    assert server.setup_fnc
    server.setup_fnc = partial(prewarm_in_development, settings, server.setup_fnc)
