"""A call goes on after an answer that broke off in the middle."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from livekit.agents import Agent, AgentSession

from agent.call.output.canned_prompts import CannedPrompt
from agent.call.providers import Clients, build_llm, connect_options
from agent.call.reply.broken_answers import MOST_IN_A_CALL, BrokenAnswers
from agent.call.session_events import subscribe
from config.services import OpenAISettings
from workbench.standins.openai_v1.faults import Fault
from workbench.standins.openai_v1.server import LOCAL_KEY, OpenAIStandIn

QUESTION = "what is seven plus five"
PART, WHOLE = "Seven plus", "Seven plus five is twelve."
BROKEN = Fault(endpoint="chat", break_after_chunks=3)


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIStandIn]:
    async with OpenAIStandIn() as stand_in:
        yield stand_in


class Call:
    """A conversation in writing."""

    def __init__(self, settings: OpenAISettings, clients: Clients) -> None:
        self.session: AgentSession[None] = AgentSession(
            llm=build_llm(settings, clients),
            turn_handling={"turn_detection": "manual"},
            conn_options=connect_options(),
        )
        self.forgiven: list[bool] = []
        broken = BrokenAnswers(self.session, "No.", "en")
        subscribe(self.session, None, broken)
        self.session.on("error", lambda event: self.forgiven.append(broken.forgives(event.error)))

    async def ask(self) -> list[str | None]:
        """What the agent says then, sentence by sentence."""
        before = len(self.session.history.items)
        await self.session.generate_reply(user_input=QUESTION)
        if speech := self.session.current_speech:
            await speech
        added = self.session.history.items[before + 1 :]
        return [item.text_content for item in added if item.type == "message"]


@pytest.fixture
async def call(openai: OpenAIStandIn) -> AsyncIterator[Call]:
    settings = OpenAISettings(api_key=LOCAL_KEY, base_url=openai.url)
    async with aclosing(Clients.of(settings)) as clients:
        call = Call(settings, clients)
        await call.session.start(Agent(instructions=""), record=False)
        yield call
        await call.session.aclose()


async def test_the_caller_is_told_after_the_words_that_were_thought(
    openai: OpenAIStandIn, call: Call
) -> None:
    openai.faults.append(BROKEN)
    assert await call.ask() == [PART, CannedPrompt.CUT_OFF.recorded().text]
    assert await call.ask() == [WHOLE]
    assert call.forgiven == [True]


async def test_a_call_whose_answers_keep_breaking_off_ends(
    openai: OpenAIStandIn, call: Call
) -> None:
    openai.faults += [BROKEN] * (MOST_IN_A_CALL + 1)
    for _ in range(MOST_IN_A_CALL):
        assert await call.ask() == [PART, CannedPrompt.CUT_OFF.recorded().text]
    assert await call.ask() == [PART]
    assert call.forgiven == [True] * MOST_IN_A_CALL + [False]


async def test_a_model_that_fails_from_the_start_is_not_forgiven(
    openai: OpenAIStandIn, call: Call
) -> None:
    openai.faults.append(Fault(endpoint="chat", status=401))
    assert await call.ask() == []
    assert call.forgiven == [False]
