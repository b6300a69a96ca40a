"""The agent that gives its call up, beside a real successor, in a room that may lose messages."""

import asyncio
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.agents.types import ATTRIBUTE_PUBLISH_ON_BEHALF

from agent.call.takeover.predecessor import ALONG_SECONDS, ANSWER_SECONDS, ASK_SECONDS
from agent.call.takeover.protocol import Do
from agent.room_names import Attribute, Method, Topic
from tests.agent.call.takeover.conftest import BUSY, CALM, SECONDS, HandOver

pytestmark = pytest.mark.looptime

DIED = rtc.DisconnectReason.SIGNAL_CLOSE


async def test_a_call_is_given_at_the_first_boundary(hand_over: HandOver) -> None:
    hand_over.sends = ["new"]
    hand_over.gives.begin()
    await asyncio.sleep(3)
    assert hand_over.side.local_participant.attributes[Attribute.HANDS_OVER] == "1"
    assert hand_over.given.successor is None
    hand_over.given.now = CALM
    await asyncio.sleep(0.3)
    shown = hand_over.side.local_participant.attributes
    assert shown[ATTRIBUTE_PUBLISH_ON_BEHALF] == "new"  # while pages still see this agent
    assert hand_over.given.successor is None
    await asyncio.sleep(0.3)
    assert hand_over.given.successor == "new"
    assert hand_over.outcomes == {"new": Do.ANSWER}
    assert hand_over.given.story == ["stops hearing"]
    assert hand_over.asked_at == [0.0]


async def test_the_successor_listens_along_for_a_moment_before_it_gets_the_call(
    hand_over: HandOver,
) -> None:
    hand_over.given.now = CALM
    hand_over.sends = ["new"]
    hand_over.gives.begin()
    await asyncio.sleep(ALONG_SECONDS - 0.05)
    assert hand_over.given.story == []
    await asyncio.sleep(0.2)
    assert hand_over.given.story == ["stops hearing"]


async def test_nothing_happens_before_the_worker_asks(hand_over: HandOver) -> None:
    hand_over.given.now = CALM
    await asyncio.sleep(SECONDS)
    assert hand_over.asked_at == []
    assert Attribute.HANDS_OVER not in hand_over.side.local_participant.attributes
    assert not hand_over.gives.is_under_way


async def test_a_call_that_cannot_be_handed_over_stays_and_one_line_says_why(
    hand_over: HandOver, caplog: pytest.LogCaptureFixture
) -> None:
    hand_over.given.reason = "the agent hears several people"
    with caplog.at_level(logging.INFO):
        hand_over.gives.begin()
    await asyncio.sleep(3)
    assert hand_over.asked_at == []
    assert [vars(line)["reason"] for line in caplog.records] == ["the agent hears several people"]


async def test_while_no_worker_is_free_it_asks_again_until_the_time_is_up(
    hand_over: HandOver,
) -> None:
    hand_over.gives.begin()
    await asyncio.sleep(SECONDS + 5)
    expected = [ASK_SECONDS * n for n in range(int(SECONDS / ASK_SECONDS) + 1)]
    assert hand_over.asked_at == [pytest.approx(each, abs=0.5) for each in expected]
    assert hand_over.side.local_participant.attributes[Attribute.HANDS_OVER] == ""
    assert not hand_over.gives.is_under_way


async def test_one_that_cannot_ask_asks_again(hand_over: HandOver) -> None:
    hand_over.is_server_away = True
    hand_over.gives.begin()
    await asyncio.sleep(ASK_SECONDS + 1)
    assert len(hand_over.asked_at) == 2


async def test_a_second_successor_is_sent_away(hand_over: HandOver) -> None:
    hand_over.gives.begin()
    await asyncio.sleep(0.1)
    hand_over.send("first")
    await asyncio.sleep(0.1)
    hand_over.send("second")
    await asyncio.sleep(0.5)
    assert hand_over.outcomes == {"second": Do.LEAVE}
    hand_over.given.now = CALM
    await asyncio.sleep(0.5)
    assert hand_over.given.successor == "first"


async def test_when_the_time_is_up_the_successor_leaves_and_the_call_goes_on(
    hand_over: HandOver,
) -> None:
    hand_over.sends = ["new"]
    hand_over.gives.begin()
    await asyncio.sleep(SECONDS + 1)
    assert hand_over.outcomes == {"new": Do.LEAVE}
    assert hand_over.given.hears


async def test_a_successor_that_dies_is_replaced(hand_over: HandOver) -> None:
    hand_over.sends = ["first", "second"]
    hand_over.gives.begin()
    await asyncio.sleep(1)
    hand_over.room.remove("first", DIED)
    await asyncio.sleep(1)
    hand_over.given.now = CALM
    await asyncio.sleep(0.5)
    assert hand_over.given.successor == "second"


@pytest.mark.parametrize("lost", [Topic.CALL_STATE, f"{Method.TOOK_OVER} asked"])
async def test_what_is_lost_on_the_way_to_the_successor_costs_a_second_and_no_word(
    hand_over: HandOver, lost: str
) -> None:
    hand_over.room.loses = lambda name: name == lost
    hand_over.sends = ["new"]
    hand_over.gives.begin()
    await asyncio.sleep(1)
    hand_over.given.now = CALM
    await asyncio.sleep(0.3)
    assert not hand_over.given.hears
    hand_over.given.now = BUSY
    await asyncio.sleep(ANSWER_SECONDS)
    assert hand_over.given.hears
    hand_over.room.loses = lambda _: False
    await asyncio.sleep(3)
    hand_over.given.now = CALM
    await asyncio.sleep(0.5)
    assert hand_over.given.successor == "new"
    assert hand_over.given.story == ["stops hearing", "hears on", "stops hearing"]


async def test_a_state_that_cannot_be_taken_keeps_the_call(hand_over: HandOver) -> None:
    def fail() -> object:
        raise RuntimeError("the application's own fault")

    hand_over.given.application = fail
    hand_over.given.now = CALM
    hand_over.sends = ["new"]
    hand_over.gives.begin()
    await asyncio.sleep(2)
    assert hand_over.given.hears
    assert hand_over.outcomes == {"new": Do.LEAVE}
    assert not hand_over.gives.is_under_way


async def test_a_state_that_is_no_json_keeps_the_call(hand_over: HandOver) -> None:
    hand_over.given.application = lambda: object()
    hand_over.given.now = CALM
    hand_over.sends = ["new"]
    hand_over.gives.begin()
    await asyncio.sleep(2)
    assert hand_over.given.hears
    assert hand_over.outcomes == {"new": Do.LEAVE}


async def refused(hand_over: HandOver, method: Method, caller: str, payload: str) -> bool:
    """Whether the predecessor refuses this question."""
    data: Any = SimpleNamespace(caller_identity=caller, payload=payload)
    participant: Any = hand_over.side.local_participant
    try:
        await participant.answer(method, data.caller_identity, data.payload)
    except rtc.RpcError:
        return True
    return False


@pytest.mark.parametrize("payload", ["", "[]", "{}", '{"version": "x"}', '{"version": 9}'])
async def test_a_question_that_makes_no_sense_is_refused(hand_over: HandOver, payload: str) -> None:
    hand_over.gives.begin()
    hand_over.room.enter("new")
    assert await refused(hand_over, Method.MAY_TAKE_OVER, "new", payload)
    assert await refused(hand_over, Method.TOOK_OVER, "new", payload)


async def test_nobody_but_an_agent_of_ours_gets_the_call(hand_over: HandOver) -> None:
    hand_over.gives.begin()
    offer = json.dumps({"version": 1})
    assert await refused(hand_over, Method.MAY_TAKE_OVER, "ann", offer)
    other = hand_over.room.enter("another")
    hand_over.side.remote_participants[other.identity].attributes["agent.role"] = "transcribes"
    assert await refused(hand_over, Method.MAY_TAKE_OVER, "another", offer)
