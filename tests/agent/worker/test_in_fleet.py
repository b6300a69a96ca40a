"""Which workers are one fleet, and what is known of each."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from prometheus_client import REGISTRY

from agent.call.people.participants import AgentRole
from agent.fleet.duty import Duty
from agent.fleet.presence import Agent
from agent.worker.in_fleet import code_version, fleet_name, membership_of, own_agents, show
from config.load import load_settings
from config.settings import Settings

INFO = SimpleNamespace(
    job=SimpleNamespace(room=SimpleNamespace(name="room")),
    accept_arguments=SimpleNamespace(identity="agent"),
)


def settings(api_key: str = "key", **agent: str) -> Settings:
    key = {"api_key": "key"}
    livekit = {"url": "ws://127.0.0.1", "api_key": api_key, "api_secret": "secret"}
    given = {"livekit": livekit, "assemblyai": key, "openai": key, "agent": agent}
    return load_settings(None, given=given)


def test_workers_that_take_the_same_calls_are_one_fleet() -> None:
    name = fleet_name(settings(greeting="Hello"), AgentRole.ANSWERS)
    assert name == fleet_name(settings(greeting="Hi"), AgentRole.ANSWERS)
    others = {
        fleet_name(settings("another"), AgentRole.ANSWERS),
        fleet_name(settings(name="sales"), AgentRole.ANSWERS),
        fleet_name(settings(), AgentRole.TRANSCRIBES),
    }
    assert len(others | {name}) == 4
    assert "key" not in name


def test_what_others_should_know_are_its_agents() -> None:
    worker: Any = SimpleNamespace(places=3, active_jobs=[INFO])
    assert own_agents(worker) == {Agent(room="room", identity="agent")}


async def test_a_worker_without_redis_shows_that_it_looks_after_everything() -> None:
    worker: Any = SimpleNamespace(places=3, active_jobs=[INFO])
    show(membership_of(worker, settings(), AgentRole.ANSWERS))
    shown = {each: REGISTRY.get_sample_value("agent_fleet_duty", {"duty": each}) for each in Duty}
    assert shown == {Duty.ALONE: 1.0, Duty.LEADS: 0.0, Duty.FOLLOWS: 0.0}


def test_the_version_follows_the_sources_and_nothing_else(tmp_path: Path) -> None:
    versions = []
    for place, text in (("one", "a = 1\n"), ("two", "a = 1\n"), ("three", "a = 2\n")):
        (tmp_path / place / "agent").mkdir(parents=True)
        (tmp_path / place / "agent" / "module.py").write_text(text, encoding="utf-8")
        (tmp_path / place / "notes.txt").write_text(place, encoding="utf-8")
        versions.append(code_version(tmp_path / place))
    assert versions[0] == versions[1] != versions[2]
