"""What a worker that stops asks of its agents, by what reaches LiveKit's server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit.protocol import models
from livekit.protocol import room as rooms
from pydantic import SecretStr

from agent.worker.requests_to_agents import ask_agents_to_hand_over, ask_agents_to_leave
from config.services import LiveKitSettings

LONG_SECONDS = 30.0
MODULE = "agent.worker.requests_to_agents"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that begin take next to nothing of this machine."""
    monkeypatch.setattr(f"{MODULE}.START_CORE_SECONDS", 0.0)
    monkeypatch.setattr(f"{MODULE}.AGAIN_SECONDS", 0.01)


class LiveKit:
    """A server that knows the agents in `present`. `worker` has the calls in `rooms`."""

    def __init__(self, *rooms: str) -> None:
        self.present = set(rooms)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.was_asked_thrice = asyncio.Event()
        self.settings = LiveKitSettings(
            url="ws://127.0.0.1", api_key=SecretStr("key"), api_secret=SecretStr("s" * 32)
        )
        self.jobs = [
            SimpleNamespace(
                job=SimpleNamespace(id=f"job of {each}", room=SimpleNamespace(name=each)),
                accept_arguments=SimpleNamespace(identity=f"agent of {each}"),
            )
            for each in rooms
        ]

    @property
    def worker(self) -> Any:
        """Takes the place of the worker."""
        return cast("Any", SimpleNamespace(active_jobs=self.jobs))

    async def _update(self, request: web.Request) -> web.Response:
        told = rooms.UpdateParticipantRequest.FromString(await request.read())
        assert told.identity == f"agent of {told.room}"
        self.asked.append((told.room, dict(told.attributes)))
        if len(self.asked) == 3:
            self.was_asked_thrice.set()
        if told.room not in self.present:
            self.present.add(told.room)
            return web.json_response({"code": "not_found", "msg": "nobody"}, status=404)
        answer = models.ParticipantInfo(identity=told.identity).SerializeToString()
        return web.Response(body=answer, content_type="application/protobuf")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        application = web.Application()
        path = "/twirp/livekit.RoomService/UpdateParticipant"
        application.router.add_post(path, self._update)
        async with TestServer(application, host="127.0.0.1") as server:
            self.settings = self.settings.model_copy(update={"url": str(server.make_url(""))})
            yield


async def test_each_agent_is_asked_to_hand_over_once_and_again_only_where_it_is_not_there_yet() -> (
    None
):
    livekit = LiveKit("a", "b")
    livekit.present.remove("b")
    async with livekit.running(), asyncio.timeout(LONG_SECONDS), asyncio.TaskGroup() as tasks:
        asking = ask_agents_to_hand_over(livekit.worker, livekit.settings, LONG_SECONDS)
        done = tasks.create_task(asking)
        await livekit.was_asked_thrice.wait()
        livekit.jobs.clear()  # both calls have gone to another worker
        await done
    wish = {"agent.must_hand_over": "true"}
    assert sorted(livekit.asked) == [("a", wish), ("b", wish), ("b", wish)]


async def test_agents_are_asked_one_after_the_other_so_that_their_calls_do_not_all_begin_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"{MODULE}.START_CORE_SECONDS", LONG_SECONDS)
    livekit = LiveKit("a", "b")
    async with livekit.running():
        await ask_agents_to_hand_over(livekit.worker, livekit.settings, 0.2)
    assert [room for room, _ in livekit.asked] == ["a"]


async def test_agents_are_asked_no_more_when_the_time_is_up() -> None:
    livekit = LiveKit("a")
    async with livekit.running(), asyncio.timeout(LONG_SECONDS):
        await ask_agents_to_hand_over(livekit.worker, livekit.settings, 0.2)
    assert [room for room, _ in livekit.asked] == ["a"]


async def test_agents_that_cannot_wait_are_asked_to_leave() -> None:
    livekit = LiveKit("a", "b")
    async with livekit.running():
        await ask_agents_to_leave(livekit.worker, livekit.settings)
    wish = {"agent.must_go": "true"}
    assert sorted(livekit.asked) == [("a", wish), ("b", wish)]


async def test_whom_livekit_does_not_reach_ends_without_an_apology_and_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"{MODULE}.DEADLINE_SECONDS", 0.2)
    asked = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()  # until the worker gives up
        writer.close()

    livekit = LiveKit("a")
    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = livekit.settings.model_copy(update={"url": f"ws://127.0.0.1:{port}"})
        async with asyncio.timeout(LONG_SECONDS):
            await ask_agents_to_leave(livekit.worker, settings)
    assert asked.is_set()
