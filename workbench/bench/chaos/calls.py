"""A caller who wants some answers, and what became of the call."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from livekit import rtc

from agent.call.output.canned_prompts import CannedPrompt
from agent.caller.caller import CallEndedError, Caller
from agent.caller.conversation import take_turn
from agent.caller.transcript import words
from agent.caller.waiting import WaitedTooLongError
from workbench.local.calling.corpus import synthesised
from workbench.local.livekit_server import Access

QUESTIONS = {
    "What is seven plus five?": "twelve",
    "What is two plus two?": "four",
    "What is four plus five?": "nine",
}
FIRST_WORDS_SECONDS = 60.0
ANSWER_SECONDS = 15.0
# A caller who has asked this often without hearing the answer gives up.
ATTEMPTS = 5


class Outcome(Enum):
    """What became of a call."""

    ANSWERED = "answered"
    REPLACED = "answered, by more than one agent"
    APOLOGISED = "apologised to"
    CUT_OFF = "cut off: the client did not get back to the server"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Report:
    """A call that is over."""

    room: str
    outcome: Outcome
    greeted_seconds: float | None
    story: str


async def call(
    access: Access, room: str, agent_name: str, questions: Mapping[str, str] = QUESTIONS
) -> Report:
    """Dial, again where there is no server at this moment, and hold the call."""
    for _ in range(ATTEMPTS):
        try:
            return await hold_call(access, room, agent_name, questions)
        except rtc.ConnectError:
            await asyncio.sleep(2)
    return Report(room, Outcome.LOST, None, "could not join")


async def hold_call(
    access: Access, room: str, agent_name: str, questions: Mapping[str, str] = QUESTIONS
) -> Report:
    """Join, ask until there is an answer to every question, and hang up."""
    agents: set[str] = set()
    greeted: float | None = None
    async with Caller.join(access, room, f"caller of {room}", agent_name) as caller:
        try:
            greeted = await _first_words(caller)
            for question, answer in questions.items():
                if not await _answered(caller, question, answer, agents):
                    break
            else:
                many = len(agents) > 1
                outcome = Outcome.REPLACED if many else Outcome.ANSWERED
                return Report(room, outcome, greeted, "")
        except (TimeoutError, RuntimeError) as error:
            return Report(room, _unanswered(caller), greeted, str(error))
        return Report(room, _unanswered(caller), greeted, f"ended: {caller.disconnected}")


async def _first_words(caller: Caller) -> float:
    """When an agent was first heard; one may have been replaced before it spoke."""
    for _ in range(ATTEMPTS):
        await caller.another_agent(None, timeout_seconds=FIRST_WORDS_SECONDS)
        try:
            first = await caller.hear_start(after_seconds=0, timeout_seconds=FIRST_WORDS_SECONDS)
        except CallEndedError:
            if await _is_over(caller):
                raise
        else:
            return first.start_seconds
    raise WaitedTooLongError("no agent stayed until its first word")


async def _answered(caller: Caller, question: str, answer: str, agents: set[str]) -> bool:
    for _ in range(ATTEMPTS):
        if await _is_over(caller):
            return False
        await caller.another_agent(None, timeout_seconds=FIRST_WORDS_SECONDS)
        turn = await take_turn(caller, synthesised(question), timeout_seconds=ANSWER_SECONDS)
        if caller.agent_identity:
            agents.add(caller.agent_identity)
        if answer in words(turn.reply_text):
            return True
        if not turn.reply:
            await asyncio.sleep(1)
    return False


async def _is_over(caller: Caller) -> bool:
    """Whether the agent has ended the call; one that merely vanished is waited for."""
    if caller.agent_ending:
        await caller.agent_gone(timeout_seconds=ANSWER_SECONDS)
    return caller.disconnected is not None or _heard_apology(caller)


def _unanswered(caller: Caller) -> Outcome:
    if _heard_apology(caller):
        return Outcome.APOLOGISED
    return Outcome.LOST if caller.is_connected or caller.disconnected else Outcome.CUT_OFF


def _heard_apology(caller: Caller) -> bool:
    apology = words(CannedPrompt.APOLOGY.recorded().text)
    return any(apology in words(segment.text) for segment in caller.transcript.segments)
