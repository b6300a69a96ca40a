"""The agent that takes a call over, beside a real predecessor, in a room that may lose messages."""

import asyncio
import json

import pytest
from livekit import rtc

from agent.call.takeover.protocol import Do
from agent.call.takeover.state import CallState
from agent.call.takeover.successor import _offset
from agent.room_names import Attribute, Method
from tests.agent.call.takeover.conftest import BUSY, CALM, HandOver

pytestmark = pytest.mark.looptime

DIED = rtc.DisconnectReason.SIGNAL_CLOSE


async def begun(hand_over: HandOver, *, hears: bool = True) -> None:
    hand_over.gives.begin()
    await asyncio.sleep(0.1)
    hand_over.send("new", hears=hears)
    await asyncio.sleep(0.5)


async def test_it_offers_itself_when_it_hears_and_not_before(hand_over: HandOver) -> None:
    hand_over.given.now = CALM
    await begun(hand_over, hears=False)
    assert hand_over.given.hears
    hand_over.taken["new"].ears.set()
    await asyncio.sleep(1)
    assert hand_over.outcomes == {"new": Do.ANSWER}
    state = hand_over.takes["new"].state
    assert state is not None
    assert state.caller == "ann"


async def test_it_knows_how_far_the_predecessors_clock_is_ahead(hand_over: HandOver) -> None:
    participant = hand_over.side.local_participant
    answer = participant.answer

    async def in_the_future(method: str, caller: str, payload: str) -> str:
        said = json.loads(await answer(method, caller, payload))
        return json.dumps({"now": said["now"] + 100})

    participant.answer = in_the_future  # type: ignore[method-assign]
    await begun(hand_over)
    assert hand_over.takes["new"].clock_offset == pytest.approx(100, abs=1)


@pytest.mark.parametrize("method", [Method.MAY_TAKE_OVER, Method.TOOK_OVER])
@pytest.mark.parametrize("half", ["asked", "answered"])
async def test_a_question_that_is_lost_once_is_asked_again(
    hand_over: HandOver, method: Method, half: str
) -> None:
    lost: list[str] = []

    def loses(name: str) -> bool:
        is_first = name == f"{method} {half}" and not lost
        lost.extend([name] if is_first else [])
        return is_first

    hand_over.room.loses = loses
    await begun(hand_over)
    hand_over.given.now = CALM
    await asyncio.sleep(8)
    assert lost
    assert hand_over.outcomes == {"new": Do.ANSWER}
    assert hand_over.given.successor == "new"


async def test_a_state_that_cannot_be_used_makes_it_leave_and_the_predecessor_goes_on(
    hand_over: HandOver,
) -> None:
    await begun(hand_over)

    def fail(_: CallState) -> None:
        raise ValueError("another release's")

    hand_over.taken["new"].prepares = fail
    hand_over.given.now = CALM
    await asyncio.sleep(0.2)
    hand_over.given.now = BUSY
    await asyncio.sleep(0.2)
    assert hand_over.outcomes == {"new": Do.LEAVE}
    assert hand_over.given.hears


async def test_texts_of_others_are_no_state(hand_over: HandOver) -> None:
    await begun(hand_over)
    hand_over.room.sides["new"].receive("agent.call_state", "nonsense", "ann")
    await asyncio.sleep(0.5)
    assert hand_over.outcomes == {}


async def test_it_replaces_a_predecessor_that_dies(hand_over: HandOver) -> None:
    await begun(hand_over)
    hand_over.room.remove("old", DIED)
    await asyncio.sleep(0.1)
    assert hand_over.outcomes == {"new": Do.REPLACE}


async def test_it_leaves_with_a_predecessor_whose_call_is_over(hand_over: HandOver) -> None:
    await begun(hand_over)
    hand_over.room.remove("old")
    await asyncio.sleep(0.1)
    assert hand_over.outcomes == {"new": Do.LEAVE}


async def test_it_leaves_when_the_predecessor_keeps_its_call(hand_over: HandOver) -> None:
    await begun(hand_over)
    await hand_over.side.local_participant.set_attributes({Attribute.HANDS_OVER: ""})
    await asyncio.sleep(0.1)
    assert hand_over.outcomes == {"new": Do.LEAVE}


async def test_with_the_state_it_answers_when_the_predecessor_is_gone_without_an_answer(
    hand_over: HandOver,
) -> None:
    hand_over.room.loses = lambda name: name == f"{Method.TOOK_OVER} answered"
    await begun(hand_over)
    hand_over.given.now = CALM
    await asyncio.sleep(0.4)
    assert hand_over.given.successor == "new"
    hand_over.room.remove("old")
    await asyncio.sleep(0.1)
    assert hand_over.outcomes == {"new": Do.ANSWER}


async def test_one_that_was_not_accepted_leaves_a_dead_predecessors_place_to_another(
    hand_over: HandOver,
) -> None:
    hand_over.gives.begin()
    hand_over.room.remove("old", DIED)
    hand_over.send("new")
    await asyncio.sleep(0.1)
    assert hand_over.outcomes == {"new": Do.LEAVE}


async def test_a_state_that_was_void_is_forgotten(hand_over: HandOver) -> None:
    await begun(hand_over)
    hand_over.room.loses = lambda name: name == f"{Method.TOOK_OVER} asked"
    hand_over.given.now = CALM
    await asyncio.sleep(0.3)
    hand_over.given.now = BUSY
    await asyncio.sleep(2)
    hand_over.room.loses = lambda _: False
    await asyncio.sleep(3)
    assert hand_over.taken["new"].story == ["prepares 1", "forgets"]
    assert hand_over.takes["new"].state is None


@pytest.mark.parametrize(
    ("said", "offset"), [(100.0, 0.0), (101.9, 0.0), (102.0, 0.0), (200.0, 99.0), (50.0, -51.0)]
)
def test_an_answer_that_was_under_way_for_seconds_makes_no_two_clocks_differ(
    said: float, offset: float
) -> None:
    assert _offset(said, 100.0, 102.0) == pytest.approx(offset)
