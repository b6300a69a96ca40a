"""What a page sees of the agent's patience."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from livekit.agents import AgentSession

from agent.call.turns.shown_patience import ShownPatience
from agent.call.turns.turn_taking import TurnTaking
from config.load import load_settings
from stt_assemblyai.stt import STT


class Room:
    """Keeps what is shown in it, one at a time, when a test lets it."""

    def __init__(self) -> None:
        self.shown: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.is_closed = False
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def show(self, attributes: dict[str, str]) -> None:
        await self.may_go_on.wait()
        self.shown.put_nowait(attributes)
        if self.is_closed:
            raise RuntimeError("the room is closing")


@pytest.fixture
def room() -> Room:
    return Room()


@pytest_asyncio.fixture
async def patience(room: Room) -> AsyncIterator[ShownPatience]:
    patience = ShownPatience(room.show)
    yield patience
    await patience.aclose()


async def test_the_preset_and_the_dictation_are_shown(room: Room, patience: ShownPatience) -> None:
    patience.change("seed", False)
    assert await room.shown.get() == {"agent.turn_preset": "seed", "agent.dictation": ""}
    patience.change("conservative", True)
    assert await room.shown.get() == {
        "agent.turn_preset": "conservative",
        "agent.dictation": "true",
    }


async def test_changes_that_come_faster_than_they_are_shown_are_shown_together(
    room: Room, patience: ShownPatience
) -> None:
    room.may_go_on.clear()
    patience.change("seed", False)
    await asyncio.sleep(0)
    patience.change("balanced", False)
    patience.change("aggressive", True)
    room.may_go_on.set()
    assert (await room.shown.get())["agent.turn_preset"] in ("seed", "aggressive")
    patience.change("aggressive", True)
    last = await room.shown.get()
    assert (last["agent.turn_preset"], last["agent.dictation"]) == ("aggressive", "true")


async def test_a_room_that_refuses_costs_no_later_change(
    room: Room, patience: ShownPatience
) -> None:
    room.is_closed = True
    patience.change("seed", False)
    await room.shown.get()
    room.is_closed = False
    patience.change("balanced", False)
    assert (await room.shown.get())["agent.turn_preset"] == "balanced"


async def test_a_watcher_of_the_turns_learns_each_change() -> None:
    key = {"api_key": "key"}
    livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
    settings = load_settings(None, given={"livekit": livekit, "assemblyai": key, "openai": key})
    turn_taking = TurnTaking(settings, STT(api_key="key"), AgentSession())
    told: list[tuple[str, bool]] = []
    turn_taking.watch(lambda preset, is_dictated: told.append((preset, is_dictated)))
    turn_taking.change("conservative")
    with turn_taking.dictation():
        pass
    assert told == [
        ("seed", False),
        ("conservative", False),
        ("conservative", True),
        ("conservative", False),
    ]
    await turn_taking.aclose()
