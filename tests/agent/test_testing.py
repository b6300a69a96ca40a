"""The helpers for tests of an agent of one's own."""

import pytest
from livekit.agents import Agent

from agent.testing import GOODBYE, calls, conversation


async def test_the_agent_greets_answers_and_ends_the_call() -> None:
    agent = Agent(instructions="Be kind.")
    async with conversation(agent, "Fine.", calls("end_call"), greeting="Hello.") as talk:
        answered = await talk.ask("How are you?")
        answered.expect.next_event().is_message(role="assistant")
        assert talk.model.asked == [["Be kind.", "Hello.", "How are you?"]]
        assert not talk.has_ended
        await talk.ask("Bye.")
        assert talk.has_ended
        assert talk.agent is agent
        said = [each.text_content for each in talk.session.history.messages()]
        assert said == ["Hello.", "How are you?", "Fine.", "Bye.", GOODBYE]


async def test_a_model_that_is_asked_too_often_fails_the_test() -> None:
    async with conversation(Agent(instructions="")) as talk:
        with pytest.raises(AssertionError, match="more than it has answers"):
            await talk.ask("Hello?")
