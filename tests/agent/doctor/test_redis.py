"""Each thing that can be wrong with Redis has its own sentence; none keeps a worker from calls."""

from dataclasses import replace

import pytest

from agent.doctor.answers import Failure, Trouble
from agent.doctor.check import Check, Name, State, exit_code
from agent.doctor.redis import RedisResult, RedisSeen, Refused, judge

URL = "rediss://:a-password@redis.example"
WELL = RedisSeen("7.0.15", 2_000_000, 100_000_000, "noeviction", 0.01)


def checks(result: RedisResult, url: str = URL) -> dict[Name, Check]:
    found = judge(url, result)
    assert exit_code(found) == 0
    assert not any("a-password" in f"{each}" for each in found)
    return {each.name: each for each in found}


def test_without_a_setting_nothing_is_judged() -> None:
    assert {each.state for each in judge(None, None)} == {State.SKIPPED}


def test_what_is_well_is_told_with_its_figures() -> None:
    found = checks(WELL)
    assert {each.state for each in found.values()} == {State.OK}
    assert found[Name.REDIS_ADDRESS].seen == "Redis answers at redis.example:6379"
    assert found[Name.REDIS_VERSION].seen == "Redis 7.0.15"
    assert found[Name.REDIS_MEMORY].seen.startswith("2 MB of 100 MB used")
    assert checks(WELL, "unix:///run/redis.sock")[Name.REDIS_ADDRESS].seen.endswith("redis.sock")


@pytest.mark.parametrize(
    ("trouble", "hint"),
    [
        (Trouble.NO_NAME, "correct the host in AGENT_REDIS_URL"),
        (Trouble.REFUSED, "start the server, or correct the port in AGENT_REDIS_URL"),
        (Trouble.SILENT, "or write redis:// instead of rediss:// if it has no TLS"),
        (Trouble.NO_TLS, "write redis:// instead of rediss://"),
    ],
)
def test_a_redis_that_does_not_answer_is_a_warning(trouble: Trouble, hint: str) -> None:
    found = checks(Failure(trouble))
    assert found[Name.REDIS_ADDRESS].state is State.WARNING
    assert hint in found[Name.REDIS_ADDRESS].mend
    assert found[Name.REDIS_CLOCK].state is State.SKIPPED


def test_a_redis_that_refuses_us_is_told_in_its_words() -> None:
    found = checks(Refused("invalid username-password pair"))[Name.REDIS_ADDRESS]
    assert found.state is State.WARNING
    assert "invalid username-password pair" in found.seen
    assert "the password in AGENT_REDIS_URL" in found.mend


@pytest.mark.parametrize(
    ("seen", "name", "state", "words"),
    [
        (replace(WELL, version="6.0.9"), Name.REDIS_VERSION, State.WARNING, "6.0.9"),
        (replace(WELL, version="6.2.0"), Name.REDIS_VERSION, State.OK, "6.2.0"),
        (replace(WELL, version=""), Name.REDIS_VERSION, State.SKIPPED, "does not tell"),
        (replace(WELL, most_bytes=0), Name.REDIS_MEMORY, State.OK, "no limit is set"),
        (replace(WELL, policy="allkeys-lru"), Name.REDIS_MEMORY, State.WARNING, "allkeys-lru"),
        (replace(WELL, refusal="OOM command"), Name.REDIS_MEMORY, State.WARNING, "OOM command"),
        (replace(WELL, clock_ahead_seconds=0.7), Name.REDIS_CLOCK, State.WARNING, "0.7 s ahead"),
        (replace(WELL, clock_ahead_seconds=-9), Name.REDIS_CLOCK, State.WARNING, "9.0 s behind"),
    ],
)
def test_each_oddity_has_its_check(seen: RedisSeen, name: Name, state: State, words: str) -> None:
    found = checks(seen)[name]
    assert found.state is state
    assert words in found.seen
    assert bool(found.mend) is (state is State.WARNING)
