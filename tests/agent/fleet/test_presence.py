"""Who lives, by what workers write about themselves."""

import json

from agent.fleet.presence import LATE_SECONDS, PRESENCE_SECONDS, Agent, Presence, Roster

EMMA, OTTO = Agent(room="emma", identity="a1"), Agent(room="otto", identity="a2")


def present(worker: str, beat: int, *agents: Agent, places: int = 1, version: str = "") -> Presence:
    return Presence(worker=worker, beat=beat, places=places, version=version, agents=agents)


def test_agents_of_workers_that_write_are_alive() -> None:
    roster = Roster()
    for beat in range(10):
        roster.read([present("one", beat, EMMA), present("two", beat, OTTO)], now=float(beat))
    assert roster.agents == {EMMA, OTTO}
    assert roster.places == 2


def test_a_worker_that_writes_nothing_new_is_late_before_its_presence_is_gone() -> None:
    roster = Roster()
    roster.read([present("one", 1, EMMA), present("two", 1, OTTO)], now=10.0)
    roster.read([present("one", 1, EMMA), present("two", 2, OTTO)], now=10.0 + LATE_SECONDS)
    assert roster.agents == {OTTO}
    assert roster.places == 1
    assert LATE_SECONDS < PRESENCE_SECONDS


def test_a_worker_whose_presence_is_gone_is_not_there() -> None:
    roster = Roster()
    roster.read([present("one", 1, EMMA)], now=10.0)
    roster.read([], now=10.4)
    assert roster.agents == frozenset()


def test_a_worker_that_was_late_is_there_again_when_it_writes() -> None:
    roster = Roster()
    roster.read([present("one", 1, EMMA)], now=10.0)
    roster.read([present("one", 1, EMMA)], now=13.0)
    roster.read([present("one", 2, EMMA)], now=13.4)
    assert roster.agents == {EMMA}


def test_versions_are_counted() -> None:
    roster = Roster()
    versions = zip("abc", ("new", "old", "new"), strict=True)
    roster.read([present(name, 1, version=each) for name, each in versions], now=1.0)
    assert roster.versions == {"new": 2, "old": 1}


def test_what_a_newer_version_adds_is_ignored() -> None:
    written = json.loads(present("one", 1, EMMA).model_dump_json()) | {"mood": "good"}
    assert Presence.model_validate_json(json.dumps(written)) == present("one", 1, EMMA)
