"""A worker's part in its fleet: the fleet's name, and what others should know of the worker."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from livekit.agents.job import RunningJobInfo

from agent.call.people.need import Need
from agent.call.people.participants import AgentRole
from agent.fleet.client import open_redis
from agent.fleet.duty import Duty
from agent.fleet.membership import Membership
from agent.fleet.presence import Agent
from agent.worker import metrics
from config.settings import Settings
from config.values import ROOT

PACKAGES = ("agent", "config", "stt_assemblyai")
_DIGITS = 12


class HasCalls(Protocol):
    """A worker, as far as others should know it."""

    @property
    def active_jobs(self) -> Sequence[RunningJobInfo]: ...

    @property
    def places(self) -> int: ...


def membership_of(worker: HasCalls, settings: Settings, role: AgentRole) -> Membership:
    """The part of this worker. Opens nothing."""

    def shown() -> tuple[int, frozenset[Agent]]:
        return worker.places, own_agents(worker)

    redis = open_redis(settings.agent.redis_url)
    version = code_version(ROOT) if redis else ""
    return Membership(redis, fleet_name(settings, role), version, shown)


def show(fleet: Membership) -> None:
    """Set the gauges."""
    for each in Duty:
        metrics.DUTY.labels(each).set(each is fleet.duty)
    metrics.FLEET_WORKERS.clear()
    if others := fleet.others:
        for version, workers in others.versions.items():
            metrics.FLEET_WORKERS.labels(version).set(workers)


def own_agents(worker: HasCalls) -> frozenset[Agent]:
    """The agents of a worker's calls."""
    return frozenset(
        Agent(room=info.job.room.name, identity=info.accept_arguments.identity)
        for info in worker.active_jobs
    )


def need_of(settings: Settings, role: AgentRole) -> Need:
    """Which agent rooms need, as workers of this role see it."""
    is_answering = role is AgentRole.ANSWERS
    return Need.to_answer(settings.agent) if is_answering else Need.to_transcribe(settings.agent)


def fleet_name(settings: Settings, role: AgentRole) -> str:
    """The same for all workers that take the same calls of the same LiveKit project."""
    key = settings.livekit.api_key.get_secret_value()
    parts = (key, role, need_of(settings, role).agent_name)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_DIGITS]


def code_version(root: Path) -> str:
    """The same for the same code, whatever the time and the place: a digest of its sources."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:_DIGITS]
