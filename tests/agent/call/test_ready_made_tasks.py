"""LiveKit's ready-made tasks that take more than one answer, or keys, work in our session.

Those that take one answer, spoken, are in `test_agents`.
"""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from livekit.agents import Agent, AgentTask, function_tool
from livekit.agents.beta.workflows import (
    GetCreditCardResult,
    GetCreditCardTask,
    GetDtmfTask,
    dtmf_inputs,
)
from livekit.rtc import EventEmitter

from agent.testing import calls, conversation

pytestmark = pytest.mark.looptime


class Desk(Agent):
    """Asks for something with a task."""

    def __init__(self, task: AgentTask[Any]) -> None:
        super().__init__(instructions="the desk")
        self.task = task
        self.found: Any = None

    @function_tool
    async def ask(self) -> str:
        """With LiveKit's own task."""
        self.found = await self.task
        return "done"


async def test_the_whole_of_a_card_is_asked_for_step_by_step() -> None:
    desk = Desk(GetCreditCardTask())
    answers = [
        calls("ask"),
        "What is your card number?",
        calls("update_card_number", card_number="4242424242424242"),
        "When does it expire?",
        calls("update_expiration_date", expiration_month=12, expiration_year=79),
        "And the security code?",
        calls("update_security_code", security_code="123"),
        "Whose name is on it?",
        calls("update_name", first_name="Ann", last_name="Lee"),
        "The caller gave a card.",  # the summary that the group asks for
        "Thank you, Ann.",
    ]
    async with conversation(desk, *answers) as talk:
        for said in ("I want to pay", "4242 4242 4242 4242", "12 79", "123", "Ann Lee"):
            await talk.ask(said)
        await asyncio.sleep(5)
        assert desk.found == GetCreditCardResult(
            "Ann Lee", "Visa", "4242424242424242", "123", "12/79"
        )
        assert talk.agent is desk
        [*_, last] = talk.session.history.messages()
        assert last.text_content == "Thank you, Ann."


async def test_keys_of_a_telephone_are_taken_while_the_agent_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = EventEmitter[Any]()
    job = SimpleNamespace(room=room)
    monkeypatch.setattr(dtmf_inputs, "get_job_context", lambda: job)
    desk = Desk(GetDtmfTask(num_digits=4))
    async with conversation(desk, calls("ask"), "Your PIN?", "Thank you.") as talk:
        asking = talk.session.generate_reply(user_input="Let me in")
        await asyncio.sleep(1)
        assert talk.agent is desk.task
        for digit in "1234#":
            room.emit("sip_dtmf_received", SimpleNamespace(digit=digit))
        await asyncio.wait_for(asking, 10)
        assert desk.found.user_input == "1 2 3 4"
        assert talk.agent is desk
