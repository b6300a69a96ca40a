"""One call, typed, with a provider that misbehaves; and what must be true of it, whatever it does.

The caller hears an answer, a filler, or a sentence that says what is wrong, within a stated time;
the history has what was said and heard, and nothing else; a call is ended by a provider only after
the whole patience, or where the provider said that it will not answer.
"""

import asyncio
import random
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from livekit.agents import Agent, AgentSession, ErrorEvent, ModelSettings
from livekit.agents.voice.transcription.synchronizer import TranscriptSynchronizer
from livekit.rtc import AudioFrame

from agent.call.output.canned_prompts import CannedPrompt
from agent.call.providers import Clients, build_llm, build_tts, connect_options
from agent.call.reply.broken_answers import BrokenAnswers
from agent.call.reply.fillers import Fillers
from agent.call.reply.prompt_voice import PromptVoice
from agent.call.session_events import subscribe
from config.services import OpenAISettings
from workbench.bench.misbehaviour.audio_output import Heard, NotedAudioOutput
from workbench.bench.misbehaviour.generator import SECONDS_PER_LETTER, Drawn, Generator
from workbench.bench.misbehaviour.network import Network

FILLER_SECONDS = 3.0
REFUSAL = "I cannot talk about that."
# A filler, or what it makes way for.
FIRST_SOUND_SECONDS = FILLER_SECONDS + 3.2
# The patience with a model, with its slowest answer's first sentence, and with the voice.
SOMETHING_SAID_SECONDS = 20 + 25 + 20 + 5
TURN_SECONDS = 300
# Behind the end of a speech, for what is said about it to be the current one.
SETTLED_SECONDS = 0.01


@dataclass(slots=True)
class Turn:
    """A question, and what came of it."""

    began: float
    ended: float = 0.0
    said: list[str] = field(default_factory=list)
    """Of the history."""
    drawn: list[Drawn] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)


@dataclass(slots=True)
class Story:
    """A call that is over."""

    turns: list[Turn] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What must not be."""
    ended_by: str = ""
    """The provider's error that ended it."""


class _Assistant(Agent):
    def __init__(self, fillers: Fillers) -> None:
        super().__init__(instructions="")
        self._fillers = fillers

    async def tts_node(
        self, text: AsyncIterable[str], model_settings: ModelSettings
    ) -> AsyncIterator[AudioFrame]:
        async for frame in Agent.default.tts_node(self, text, model_settings):
            await self._fillers.make_way()
            yield frame


async def call(seed: int) -> Story:
    """Hold a call of three turns, or fewer if it ends; all dice are the seed's."""
    dice = random.Random(seed)
    generator = Generator(dice, badness=dice.choice((0.0, 0.2, 0.5, 0.9)))
    fallback: dict[str, Any] = {"fallback_llm_model": "b", "fallback_tts_model": "c"}
    return await converse(generator, **(fallback if dice.random() < 0.3 else {}))


async def converse(generator: Generator, *, turns: int = 3, **settings: Any) -> Story:
    """Hold a call with such a provider."""
    story, line = Story(), NotedAudioOutput()
    chosen = OpenAISettings.model_validate({"api_key": "key", **settings})
    async with _session(chosen, generator, line, story) as session:
        for _ in range(turns):
            if story.ended_by:
                break
            await _take_turn(session, generator, line, story)
        if story.ended_by:
            await session.interrupt(force=True)
            words = CannedPrompt.APOLOGY.recorded()
            await session.say(words.text, audio=words.frames()).wait_for_playout()
            _require(story, session.history.messages()[-1].text_content == words.text, "no apology")
    _require_patience(story, generator)
    return story


@asynccontextmanager
async def _session(
    settings: OpenAISettings, generator: Generator, line: NotedAudioOutput, story: Story
) -> AsyncIterator[AgentSession[None]]:
    clients = Clients.of(settings, Network(generator.answer).pool)
    jitter = generator.dice.random
    model, voice = build_llm(settings, clients, jitter), build_tts(settings, clients, jitter)
    session: AgentSession[None] = AgentSession(
        llm=model,
        tts=PromptVoice(
            voice, least_chars=20, longest_pause_seconds=0.25, on_first_sound=lambda: None
        ),
        turn_handling={"turn_detection": "manual"},
        conn_options=connect_options(),
    )
    synchronizer = TranscriptSynchronizer(next_in_chain_audio=line, next_in_chain_text=None)
    session.output.audio = synchronizer.audio_output
    session.output.transcription = synchronizer.text_output
    broken_answers = BrokenAnswers(session, REFUSAL, "en")
    fillers = Fillers(session, delay_seconds=FILLER_SECONDS, play=line.play_filler)
    subscribe(session, None, broken_answers, fillers)
    session.on("error", partial(_on_error, story, broken_answers))
    await session.start(_Assistant(fillers), record=False)
    try:
        yield session
    finally:
        await session.aclose()
        await synchronizer.aclose()
        for each in (model, voice, clients):
            await each.aclose()


def _on_error(story: Story, broken_answers: BrokenAnswers, event: ErrorEvent) -> None:
    """As `agent.call.answer` does."""
    failure = event.error
    if not failure.recoverable and not story.ended_by and not broken_answers.forgives(failure):
        story.ended_by = f"{type(failure.error).__name__}: {failure.error}"


async def _take_turn(
    session: AgentSession[None], generator: Generator, line: NotedAudioOutput, story: Story
) -> None:
    loop = asyncio.get_running_loop()
    turn = Turn(loop.time())
    story.turns.append(turn)
    items, drawn, heard = len(session.history.items), len(generator.drawn), len(line.heard)
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await session.generate_reply(user_input="Hello?")
            while (speech := session.current_speech) and not speech.done():
                await speech.wait_for_playout()
                await asyncio.sleep(SETTLED_SECONDS)
    except TimeoutError:
        story.faults.append("the turn has no end")
    turn.ended = loop.time()
    turn.drawn = generator.drawn[drawn:]
    added = session.history.items[items:]
    turn.said = [
        item.text_content or "" for item in added if item.type == "message" and item.role != "user"
    ]
    turn.heard = line.heard[heard:]
    _check(story, turn)


def _check(story: Story, turn: Turn) -> None:
    ended, heard = bool(story.ended_by), turn.heard
    first = heard[0].at_seconds - turn.began if heard else turn.ended - turn.began
    _require(story, first <= FIRST_SOUND_SECONDS, f"silence for {first:.1f} s")
    spoken = [each for each in heard if each.what == "agent"]
    if spoken or ended:
        until = (spoken[0].at_seconds if spoken else turn.ended) - turn.began
        _require(story, until <= SOMETHING_SAID_SECONDS, f"nothing said for {until:.1f} s")
    _require(story, bool(spoken) or ended, "neither an answer nor a sentence about it")
    answers = [each.text for each in turn.drawn if each.asked.path.endswith("completions")]
    answers += [CannedPrompt.CUT_OFF.recorded().text, REFUSAL]
    for said in turn.said:
        known = any(_is_part(said.split(), each.split()) for each in answers)
        _require(story, known, f"the history has what nobody said: {said!r}")
    words = "".join(said for said in turn.said if said != CannedPrompt.CUT_OFF.recorded().text)
    seconds = sum(each.seconds for each in spoken[: len(turn.said)] if each.seconds)
    if not ended and not {CannedPrompt.CUT_OFF.recorded().text, REFUSAL} & set(turn.said):
        due = len(words) * SECONDS_PER_LETTER
        _require(
            story,
            abs(seconds - due) <= 0.3 + 0.1 * due,
            f"{due:.1f} s in the history, {seconds:.1f} s heard",
        )


def _require_patience(story: Story, generator: Generator) -> None:
    """A call ends by a failure that is final, or after a provider failed for the whole patience."""
    if not story.ended_by or "BrokenOff" in story.ended_by:
        return
    path = generator.drawn[-1].asked.path
    last = [each for each in generator.drawn if each.asked.path == path]
    if any(each.is_final or each.name == "empty" for each in last[-12:]):
        return
    failed = [each for each in last if each.asked.at_seconds >= last[-1].asked.at_seconds - 20]
    spent = failed[-1].asked.at_seconds - failed[0].asked.at_seconds
    _require(story, spent >= 10, f"given up after {spent:.1f} s: {story.ended_by}")


def _require(story: Story, holds: bool, otherwise: str) -> None:
    if not holds:
        story.faults.append(otherwise)


def _is_part(said: list[str], thought: list[str]) -> bool:
    """Whether these words stand in that order there; the voice may have left some out."""
    left = iter(thought)
    return all(word in left for word in said)
