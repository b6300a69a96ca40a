"""The lines of a call on one machine are those that another goes on from, whatever Redis does."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.call.history.record import FileRecord, unfinished
from agent.fleet import live_calls
from agent.fleet.client import FleetRedis
from agent.fleet.live_calls import KEPT_SECONDS, LiveCall, live_key, restore
from agent.records.schema import Consent, End, Line, Said
from workbench.local.redis_server import RedisServer

ROOM = "RM_abc"
KEY = live_key(ROOM)


class Machine:
    """One with its own folder and connection: it records a call as `Keeping` does."""

    def __init__(self, folder: Path, redis: RedisServer) -> None:
        self.redis = FleetRedis(SecretStr(redis.url))
        self.file = folder / f"{ROOM}.jsonl"
        self.live: LiveCall | None = None

    async def begins(self) -> None:
        await restore(self.redis, ROOM, self.file)
        self._record = FileRecord(self.file)
        self.live = LiveCall(self.redis, ROOM, self.file)

    def writes(self, line: Line) -> None:
        assert self.live
        self._record.write(line)
        self.live.written(line)

    def says(self, text: str) -> None:
        self.writes(Said(role="user", text=text))

    def refused(self) -> None:
        assert self.live
        self._record.forget()
        self.live.forgotten()
        self.writes(Consent(answer="no"))

    async def ends(self) -> None:
        assert self.live
        await self.live.aclose()
        self._record.close()
        await self.redis.aclose()

    @property
    def heard(self) -> list[str]:
        return [said.text for said in unfinished(self.file)]


@pytest.fixture
async def machine(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[str], Machine]]:
    monkeypatch.setattr(live_calls, "RETRY_SECONDS", 0.02)
    made: list[Machine] = []

    def of(name: str) -> Machine:
        made.append(Machine(tmp_path / name, redis))
        return made[-1]

    yield of
    for each in made:
        await each.ends()


async def stored(redis: RedisServer) -> list[str]:
    async with redis.client() as client:
        lines = await client.lrange(KEY, 0, -1)  # type: ignore[misc]  # of both its clients
    return [json.loads(line).get("text", json.loads(line)["kind"]) for line in lines]


async def until(redis: RedisServer, texts: list[str]) -> None:
    found: list[str] = []
    for _ in range(400):
        if (found := await stored(redis)) == texts:
            return
        await asyncio.sleep(0.02)
    assert found == texts


async def test_another_machine_goes_on_from_what_was_said_and_the_first_from_both(
    redis: RedisServer, machine: Callable[[str], Machine]
) -> None:
    first = machine("one")
    await first.begins()
    for text in ("My name is Emma.", "I would like tea.\u2028"):
        first.says(text)
    await until(redis, ["My name is Emma.", "I would like tea.\u2028"])
    second = machine("two")
    await second.begins()
    assert second.heard == ["My name is Emma.", "I would like tea.\u2028"]
    second.says("And milk.")
    await until(redis, [*first.heard, "And milk."])
    third = machine("one")
    await third.begins()
    assert third.heard == ["My name is Emma.", "I would like tea.\u2028", "And milk."]


async def test_the_lines_end_by_themselves_and_with_the_call_at_once(
    redis: RedisServer, machine: Callable[[str], Machine]
) -> None:
    one = machine("one")
    await one.begins()
    one.says("a")
    await until(redis, ["a"])
    async with redis.client() as client:
        assert KEPT_SECONDS - 10 < await client.ttl(KEY) <= KEPT_SECONDS
    one.writes(End(ending="caller_left"))
    await until(redis, [])
    await one.begins()
    one.says("b")  # another call in the same room
    await until(redis, ["b"])
    other = machine("two")
    await other.begins()
    assert other.heard == ["b"]


async def test_an_agent_that_leaves_without_a_word_brings_nothing_back(
    redis: RedisServer, machine: Callable[[str], Machine]
) -> None:
    """It came to take the call over, and the call ended with the agent that had it."""
    one, other = machine("one"), machine("two")
    await one.begins()
    one.says("a")
    await until(redis, ["a"])
    await other.begins()
    one.writes(End(ending="caller_left"))
    await until(redis, [])
    await other.ends()
    assert await stored(redis) == []


async def test_a_call_whose_end_redis_missed_is_not_gone_on_with(
    redis: RedisServer, machine: Callable[[str], Machine]
) -> None:
    one = machine("one")
    await one.begins()
    one.says("a")
    await until(redis, ["a"])
    redis.freeze()
    one.writes(End(ending="caller_left"))
    await one.ends()
    redis.thaw()
    again = machine("one")
    await again.begins()
    assert again.heard == []
    again.says("b")
    await until(redis, ["b"])


async def test_a_successor_has_what_was_said_while_it_waited(
    redis: RedisServer, machine: Callable[[str], Machine]
) -> None:
    one, other = machine("one"), machine("two")
    await one.begins()
    one.says("a")
    await until(redis, ["a"])
    await other.begins()
    one.says("b")
    await until(redis, ["a", "b"])
    other.says("c")
    await until(redis, ["a", "b", "c"])
    assert sorted(other.heard) == ["a", "b", "c"]


async def test_a_refusal_removes_what_was_said_and_nothing_more_is_sent(
    redis: RedisServer, machine: Callable[[str], Machine]
) -> None:
    one = machine("one")
    await one.begins()
    one.says("a secret")
    await until(redis, ["a secret"])
    one.refused()
    await until(redis, ["consent"])


@pytest.mark.parametrize("failure", ["killed", "frozen", "full", "flushed"])
async def test_what_redis_missed_or_lost_is_sent_again(
    redis: RedisServer, machine: Callable[[str], Machine], failure: str
) -> None:
    one = machine("one")
    await one.begins()
    one.says("before")
    await until(redis, ["before"])
    async with redis.client() as client:
        match failure:
            case "killed":
                await redis.kill()
            case "frozen":
                redis.freeze()
            case "full":
                await redis.fill()
            case "flushed":
                await client.flushall()
    one.says("meanwhile")
    if failure != "flushed":
        await one.redis.ask(lambda asked: asked.set("a", "b"), within_seconds=0.1)
    one.says("later")
    match failure:
        case "killed":
            await redis.start()
        case "frozen":
            redis.thaw()
        case "full":
            await redis.empty()
    if failure == "flushed":
        await until_same(redis, {"before", "meanwhile", "later"})
    else:
        await until(redis, ["before", "meanwhile", "later"])


async def until_same(redis: RedisServer, texts: set[str]) -> None:
    found: list[str] = []
    for _ in range(400):
        if set(found := await stored(redis)) == texts:
            return
        await asyncio.sleep(0.02)
    assert set(found) == texts


async def test_a_call_begins_and_ends_in_time_without_redis(
    redis: RedisServer, machine: Callable[[str], Machine]
) -> None:
    redis.freeze()
    loop = asyncio.get_running_loop()
    one = machine("one")
    began = loop.time()
    await one.begins()
    one.says("a")
    await one.ends()
    assert loop.time() - began < 5
    assert one.heard == ["a"]


async def test_no_more_than_the_newest_lines_are_kept(
    redis: RedisServer, machine: Callable[[str], Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_calls, "MOST_LINES", 3)
    one = machine("one")
    await one.begins()
    for text in "abcde":
        one.says(text)
        await asyncio.sleep(0)
    await until(redis, ["c", "d", "e"])
    one.says("f")
    await until(redis, ["d", "e", "f"])


async def test_a_file_that_cannot_be_written_changes_nothing(
    redis: RedisServer, machine: Callable[[str], Machine], tmp_path: Path
) -> None:
    one = machine("one")
    await one.begins()
    one.says("a")
    await until(redis, ["a"])
    (tmp_path / "two").write_text("a file in the place of the folder")
    await restore(one.redis, ROOM, tmp_path / "two" / f"{ROOM}.jsonl")
