"""A caller who wants some answers, and what became of the call."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
class Hearing:
    """When a caller was in the room and heard somebody, on the clock of `time.monotonic`."""

    joined_at: float
    left_at: float
    heard: tuple[tuple[float, float], ...]
    """When speech began and when it ended, in order."""

    @property
    def silences(self) -> Iterator[tuple[float, float]]:
        """When the caller heard nobody, in order; they may have spoken meanwhile."""
        since = self.joined_at
        for began, ended in self.heard:
            if began > since:
                yield since, began
            since = max(since, ended)
        if self.left_at > since:
            yield since, self.left_at

    @property
    def longest_silence_seconds(self) -> float:
        """The longest time in which the caller heard nobody."""
        return max((end - start for start, end in self.silences), default=0.0)


@dataclass(frozen=True, slots=True)
class Report:
    """A call that is over."""

    room: str
    outcome: Outcome
    greeted_seconds: float | None
    story: str
    hearing: Hearing | None = None
    """None for a caller who was never in the room."""


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
    began_at = time.monotonic()
    async with Caller.join(access, room, f"caller of {room}", agent_name) as caller:
        report = await _hold(caller, questions)
        return replace(report, hearing=_hearing(caller, began_at))


async def _hold(caller: Caller, questions: Mapping[str, str]) -> Report:
    agents: set[str] = set()
    greeted: float | None = None
    room = caller.room_name
    try:
        greeted = await _first_words(caller)
        for question, answer in questions.items():
            if not await _answered(caller, question, answer, agents):
                return Report(room, _unanswered(caller), greeted, f"ended: {caller.disconnected}")
    except (TimeoutError, RuntimeError) as error:
        return Report(room, _unanswered(caller), greeted, str(error))
    outcome = Outcome.REPLACED if len(agents) > 1 else Outcome.ANSWERED
    return Report(room, outcome, greeted, "")


def _hearing(caller: Caller, began_at: float) -> Hearing:
    heard = ((span.start_seconds, span.end_seconds) for span in caller.heard_spans)
    return Hearing(
        began_at + caller.joined_seconds,
        began_at + caller.now_seconds,
        tuple((began_at + start, began_at + end) for start, end in heard),
    )


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
