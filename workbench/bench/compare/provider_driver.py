"""Provider faults in a room: ours and a stock worker, each with a caller who types a question."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.caller.caller import CallEndedError, Caller
from agent.caller.conversation import agent_words
from agent.caller.waiting import WaitedTooLongError
from workbench.bench.compare.provider_scenarios import ProviderScenario
from workbench.bench.compare.report import Row
from workbench.bench.programs import PROGRAMS
from workbench.local.livekit_server import Access
from workbench.local.standins_process import in_this_process
from workbench.local.workers import Places, Worker
from workbench.standins.assemblyai_v3.server import AssemblyAIStandIn
from workbench.standins.openai_v1.server import OpenAIStandIn
from workbench.standins.openai_v1.sound import SAMPLE_RATE_HZ, Samples

__all__ = ["Answered", "compare_providers", "provider_rows"]

NEXT_QUESTION = "What is two plus two?"
GREETING_SECONDS = 60.0
ANSWER_SECONDS = 30.0
NEXT_ANSWER_SECONDS = 15.0
LONGEST_TEXT = 120


@dataclass(frozen=True, slots=True)
class Answered:
    """What a caller heard: times in seconds from the question; None if nothing was heard."""

    first_sound_seconds: float | None
    words: str
    next_answer_seconds: float | None
    ending: str
    """Why the call was over, if it was."""


@dataclass(slots=True)
class _Contestant:
    name: str
    worker: Worker
    openai: OpenAIStandIn


async def compare_providers(
    scenarios: Sequence[ProviderScenario],
    access: Access,
    logs: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Row]:
    """All scenarios, one after the other, for both at the same time."""
    async with AsyncExitStack() as stack:
        contestants = [
            await stack.enter_async_context(_contestant(name, program, access, logs))
            for name, program in PROGRAMS.items()
        ]
        rows: list[Row] = []
        for scenario in scenarios:
            tell(scenario.title)
            async with asyncio.TaskGroup() as group:
                runs = [group.create_task(_call(each, scenario)) for each in contestants]
            rows += provider_rows(scenario.title, [run.result() for run in runs])
        return rows


def provider_rows(title: str, found: Sequence[Answered]) -> list[Row]:
    """The figures of one scenario."""
    figures = {
        "first sound after the question": [_seconds(each.first_sound_seconds) for each in found],
        "the agent says": [_shortened(each.words) for each in found],
        "the next question is answered": [
            f"no: the call has ended ({each.ending})"
            if each.ending
            else f"after {each.next_answer_seconds:.1f} s"
            if each.next_answer_seconds is not None
            else "no"
            for each in found
        ],
    }
    return [Row("", title, name, tuple(cells)) for name, cells in figures.items()]


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


def _shortened(words: str) -> str:
    whole = " ".join(words.split())
    if len(whole) > LONGEST_TEXT:
        return f"{whole[:LONGEST_TEXT]} ... ({len(whole)} characters)"
    return whole or "nothing"


@asynccontextmanager
async def _contestant(
    name: str, program: Path, access: Access, logs: Path
) -> AsyncIterator[_Contestant]:
    async with AssemblyAIStandIn() as assemblyai, OpenAIStandIn(voice=_quick_tone) as openai:
        settings = {"AGENT_NAME": name, "AGENT_FILLER_SECONDS": "3", "AGENT_SILENCE_SECONDS": "600"}
        places = Places(access, in_this_process(assemblyai, openai), logs)
        async with Worker(places, name, settings, program=program).taking_calls() as worker:
            yield _Contestant(name, worker, openai)


def _quick_tone(text: str, _: float) -> Iterator[Samples]:
    """Half a second, and longer for a text that is read for minutes elsewhere."""
    times = np.arange(round(max(0.5, 0.003 * len(text)) * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    yield (0.2 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)


async def _call(contestant: _Contestant, scenario: ProviderScenario) -> Answered:
    room = f"{contestant.name}: {scenario.title}"
    async with Caller.join(contestant.worker.access, room, "caller", contestant.name) as caller:
        await caller.hear_reply(after_seconds=0, timeout_seconds=GREETING_SECONDS)
        contestant.openai.faults += scenario.faults
        try:
            asked_at = caller.now_seconds
            first, ending = await _ask(caller, scenario.question, ANSWER_SECONDS)
            words = agent_words(caller, since_seconds=asked_at)
        finally:
            contestant.openai.reset()
        if ending:
            return Answered(first, words, None, ending)
        following, ending = await _ask(caller, NEXT_QUESTION, NEXT_ANSWER_SECONDS)
        return Answered(first, words, following, ending)


async def _ask(caller: Caller, question: str, limit_seconds: float) -> tuple[float | None, str]:
    """How soon something is heard, and why the call is over if it is."""
    asked_at = caller.now_seconds
    await caller.write(question)
    first: float | None = None
    try:
        begun = await caller.hear_start(after_seconds=asked_at, timeout_seconds=limit_seconds)
        first = begun.start_seconds - asked_at
        await caller.hear_silence(timeout_seconds=2 * limit_seconds)
    except WaitedTooLongError:
        pass
    except CallEndedError:
        spans = [s for s in caller.heard_spans if s.start_seconds >= asked_at]
        first = spans[0].start_seconds - asked_at if spans else None
        return first, caller.agent_ending or caller.disconnected or "the agent left"
    return first, ""
