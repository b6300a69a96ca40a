"""A whole call changes hands between two sessions, without a server: what is said before, between
and after is heard once, and answered once. Time is virtual."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from livekit.agents import Agent, AgentSession, ChatMessage, LanguageCode, llm, stt
from livekit.agents.types import TimedString

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools, change_patience_tool, end_call_tool
from agent.call.changing_hands import ChangingHands
from agent.call.chat import Chat, hear_in
from agent.call.people.authority import Authority
from agent.call.recording.keeping import Keeping
from agent.call.session_events import subscribe
from agent.call.silence import Silence
from agent.call.takeover.boundary import is_boundary
from agent.call.takeover.gate import Gate
from agent.call.takeover.gated_events import GatedEvents
from agent.call.takeover.state import CallState, UnreadableError, from_text, to_text
from agent.call.turn_record.recorder import CallRecorder
from agent.call.turns.endpointing import turn_handling
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.vad_tap import TappedVAD
from agent.records.schema import GaveOver, Line, Said, TookOver, Turn
from agent.testing import Part, ScriptedLLM
from config.load import load_settings
from stt_assemblyai.stt import STT
from workbench.standins.scripted import Loudspeaker, ScriptedSTT, ScriptedTTS, ScriptedVAD
from workbench.standins.silent_input import SilentInput

pytestmark = pytest.mark.looptime
Type = stt.SpeechEventType
WORD_SECONDS = 0.3
LAG_SECONDS = 0.4
"""How late speech recognition is."""


BEGAN_AT = time.time()


def now() -> float:
    """The wall time."""
    return BEGAN_AT + asyncio.get_running_loop().time() % 1e6


@pytest.fixture(autouse=True)
def wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wall time that goes as fast as the loop's, about a time at which LiveKit stamps its items."""
    monkeypatch.setattr("time.time", now)


class Clerk(Agent):
    """An agent with a state of its own."""

    def __init__(self) -> None:
        super().__init__(instructions="Be kind.")
        self.cart: list[str] = []
        self.entered = 0

    async def on_enter(self) -> None:
        self.entered += 1

    def call_state(self) -> list[str]:
        return self.cart

    async def restore_call_state(self, cart: list[str]) -> None:
        self.cart = cart


class Side:
    """One agent's side of a call. The caller's voice reaches both."""

    def __init__(self, *answers: Part | list[Part], waits: bool = False) -> None:
        key = {"api_key": "key"}
        livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
        self.settings = load_settings(
            None, given={"livekit": livekit, "assemblyai": key, "openai": key}
        )
        self.stt, self.detector, self.loudspeaker = ScriptedSTT(), ScriptedVAD(), Loudspeaker()
        self.llm = ScriptedLLM(*answers)
        self.session: AgentSession[None] = AgentSession(
            stt=self.stt,
            vad=TappedVAD(self.detector),
            llm=self.llm,
            tts=ScriptedTTS(),
            turn_handling=turn_handling(self.settings),
            aec_warmup_duration=None,
            user_away_timeout=self.settings.agent.silence_seconds,
        )
        self.lines: list[Line] = []
        self.recorder = CallRecorder([self.lines.append])
        service = STT(api_key="key", options=self.settings.session_options)
        self.turn_taking = TurnTaking(self.settings, service, self.session)
        self.endings: list[object] = []
        self.silence = Silence(
            self.session, self.settings.agent, self.endings.append, knows_stt=False
        )
        self.keeping = Keeping(self.settings.agent, "RM_1")
        presence: Any = SimpleNamespace(caller_identity="ann")
        job: Any = SimpleNamespace(job=SimpleNamespace(id="AJ_1"), worker_id="AW_1")
        self.hands = ChangingHands(
            job,
            self.settings,
            self.session,
            presence,
            self.keeping,
            self.recorder,
            self.turn_taking,
            self.silence,
        )
        if waits:
            self.hands.wait()
        tools = CallTools(
            self.session, change_patience_tool(self.turn_taking), end_call_tool("Bye.", print)
        )
        self.agents = self.hands.agents = CallAgents(
            self.session,
            self.turn_taking,
            tools,
            "" if waits else "Hello.",
            gated=GatedEvents(Gate(is_open=not waits)),
            waits=waits,
            recorder=self.recorder,
        )
        subscribe(
            self.session,
            service,
            self.turn_taking,
            self.agents,
            tools.limits,
            self.recorder,
            self.silence,
            self.hands,
        )
        self.chat = self.hands.chat = Chat(Authority("ann"), hear_in(self.session))
        if waits:
            self.chat.hold()
        self.clerk = Clerk()
        self.given = 0
        self.hands.on_given = self._give

    def _give(self) -> None:
        self.given += 1

    @property
    def is_boundary(self) -> bool:
        return is_boundary(self.hands.facts(), self.hands.quiet_seconds())

    @property
    def spoken(self) -> list[str]:
        """What the agent has said."""
        return [
            each.text_content or ""
            for each in self.session.history.items
            if isinstance(each, ChatMessage) and each.role == "assistant"
        ]

    @property
    def asked(self) -> list[str]:
        """What the model was asked last, without instructions; sorted, as LiveKit orders it by the
        real clock."""
        return sorted({*self.llm.asked[-1]} - {"Be kind."})

    def hear(self, kind: Any, words: list[tuple[str, float]] | None = None, **times: Any) -> None:
        """Speech recognition gives an event; words with their wall times."""
        data = []
        if words:
            ended_at = words[-1][1] + WORD_SECONDS
            timed = [
                TimedString(text, start_time=at - BEGAN_AT, end_time=at - BEGAN_AT + WORD_SECONDS)
                for text, at in words
            ]
            data = [
                stt.SpeechData(
                    language=LanguageCode("en"),
                    text=" ".join(text for text, _ in words),
                    start_time=words[0][1] - BEGAN_AT,
                    end_time=ended_at - BEGAN_AT,
                    words=timed,
                    metadata={"ended_at": ended_at},
                )
            ]
        event = stt.SpeechEvent(type=kind, alternatives=data, created_at=now(), **times)
        self.stt.events.put_nowait(event)


class Caller:
    """Speaks to all sides at once."""

    def __init__(self, *sides: Side) -> None:
        self.sides = [*sides]
        self.loop = asyncio.get_running_loop()

    def _all(self, kind: Any, words: list[tuple[str, float]] | None = None, **times: Any) -> None:
        for each in self.sides:
            each.hear(kind, words, **times)

    async def say(self, text: str) -> None:
        """Speak, a word at a time; speech recognition follows."""
        said: list[tuple[str, float]] = []
        began_at = now()
        for each in self.sides:
            each.detector.voice = True
        for word in text.split():
            said.append((word, now()))
            await asyncio.sleep(WORD_SECONDS)
            self.loop.call_later(LAG_SECONDS, self._interim, [*said], began_at)
        ended_at = now()
        for each in self.sides:
            each.detector.voice = False
        self.loop.call_later(LAG_SECONDS + 0.3, self._final, said, ended_at)

    def _interim(self, said: list[tuple[str, float]], began_at: float) -> None:
        if len(said) == 1:
            self._all(Type.START_OF_SPEECH, speech_start_time=began_at)
        self._all(Type.INTERIM_TRANSCRIPT, said)

    def _final(self, said: list[tuple[str, float]], ended_at: float) -> None:
        self._all(Type.FINAL_TRANSCRIPT, said)
        self._all(Type.END_OF_SPEECH, speech_end_time=ended_at)


@asynccontextmanager
async def running(*sides: Side) -> AsyncIterator[None]:
    for side in sides:
        side.session.input.audio = SilentInput()
        side.session.output.audio = side.loudspeaker
        await side.session.start(side.clerk, record=False)
    try:
        yield
    finally:
        for side in sides:
            await side.session.aclose()
            await side.turn_taking.aclose()
            await side.chat.close()


async def boundary_of(side: Side) -> None:
    while not side.is_boundary:  # noqa: ASYNC110  the call's state is looked at
        await asyncio.sleep(0.05)


async def give(old: Side, new: Side) -> CallState:
    """Hand the call over, as the two sides of `agent.call.takeover` do it."""
    await boundary_of(old)
    old.hands.stop_hearing()
    state = from_text(to_text(old.hands.state(1)))
    await asyncio.sleep(0.02)
    await new.hands.prepare(state)
    await asyncio.sleep(0.02)
    new.hands.take_over(state, 0.0)
    old.hands.gives_over("new")
    return state


async def test_the_caller_speaks_to_one_agent_that_knows_all_that_was_said() -> None:
    old, new = Side("Nice to meet you."), Side("Your name is Emma.", waits=True)
    caller = Caller(old, new)
    async with running(old, new):
        await caller.say("my name is emma")
        await asyncio.sleep(4)
        old.clerk.cart = ["tea"]
        await give(old, new)
        await caller.say("what is my name")
        await asyncio.sleep(4)
        known = ["Hello.", "my name is emma", "Nice to meet you.", "what is my name"]
        assert new.asked == sorted(known)
        assert new.spoken[-1] == "Your name is Emma."
        assert new.clerk.cart == ["tea"]
        assert (old.clerk.entered, new.clerk.entered) == (1, 0)
        assert old.given == 1
        assert len(old.llm.asked) == len(new.llm.asked) == 1


async def test_until_it_takes_the_call_it_says_nothing_and_writes_nothing() -> None:
    old, new = Side("Nice to meet you."), Side(waits=True)
    caller = Caller(old, new)
    async with running(old, new):
        await caller.say("my name is emma")
        await asyncio.sleep(8)
        assert new.spoken == []
        assert new.lines == []
        assert old.spoken == ["Hello.", "Nice to meet you."]


async def test_the_record_goes_on_on_one_clock_with_one_count() -> None:
    old, new = Side("Yes."), Side("No.", waits=True)
    caller = Caller(old, new)
    async with running(old, new):
        await caller.say("are you there")
        await asyncio.sleep(4)
        await give(old, new)
        await caller.say("are you gone")
        await asyncio.sleep(4)
        assert isinstance(old.lines[-1], GaveOver)
        took = new.lines[0]
        assert isinstance(took, TookOver)
        assert took.at_ms == pytest.approx(old.lines[-1].at_ms, abs=100)
        numbers = [each.index for each in [*old.lines, *new.lines] if isinstance(each, Turn)]
        assert numbers == [1, 2, 3]
        texts = [each.text for each in [*old.lines, *new.lines] if isinstance(each, Said)]
        assert texts == ["Hello.", "are you there", "Yes.", "are you gone", "No."]
        last = [each for each in new.lines if isinstance(each, Turn)][-1]
        assert last.caller_part.started_ms
        assert last.caller_part.started_ms >= took.at_ms


async def test_what_is_said_while_the_state_is_on_its_way_is_the_new_agents() -> None:
    old, new = Side("Yes."), Side("Twelve.", waits=True)
    caller = Caller(old, new)
    async with running(old, new):
        await caller.say("are you there")
        await asyncio.sleep(4)
        await boundary_of(old)
        talking = asyncio.create_task(caller.say("what is seven plus five"))
        await give(old, new)
        await talking
        await asyncio.sleep(4)
        assert new.llm.asked[-1][-1] == "what is seven plus five"
        assert new.spoken[-1] == "Twelve."
        assert old.spoken == ["Hello.", "Yes."]


async def test_a_call_that_nobody_takes_goes_on_with_what_was_said_meanwhile() -> None:
    old = Side("Yes.", "Twelve.")
    caller = Caller(old)
    async with running(old):
        await caller.say("are you there")
        await asyncio.sleep(4)
        await boundary_of(old)
        old.hands.stop_hearing()
        await caller.say("what is seven plus five")
        await asyncio.sleep(1)
        assert len(old.llm.asked) == 1
        old.hands.hear_on()
        await asyncio.sleep(4)
        assert old.llm.asked[-1][-1] == "what is seven plus five"
        assert old.spoken[-1] == "Twelve."


async def test_a_state_that_was_void_leaves_nothing_behind() -> None:
    old, new = Side("Yes.", "Twelve."), Side("Your name is Emma.", waits=True)
    caller = Caller(old, new)
    async with running(old, new):
        await caller.say("my name is emma")
        await asyncio.sleep(4)
        await boundary_of(old)
        await new.hands.prepare(old.hands.state(1))
        await new.hands.forget()
        assert new.spoken == []
        await caller.say("what is seven plus five")
        await asyncio.sleep(4)
        await give(old, new)
        await caller.say("what is my name")
        await asyncio.sleep(4)
        said = ("my name is emma", "what is seven plus five", "what is my name")
        assert new.asked == sorted([*said, "Hello.", "Yes.", "Twelve."])


async def test_while_the_caller_speaks_there_is_no_boundary() -> None:
    side = Side("Yes.")
    caller = Caller(side)
    async with running(side):
        await asyncio.sleep(3)
        assert side.is_boundary
        talking = asyncio.create_task(caller.say("one two three four"))
        await asyncio.sleep(0.35)
        while not side.spoken[1:]:
            assert not side.is_boundary
            await asyncio.sleep(0.05)
        await talking


async def test_before_the_call_has_begun_there_is_none() -> None:
    side = Side()
    side.hands.agents = None
    assert not side.is_boundary
    assert side.hands.why_not() == "the call has not begun"


async def test_a_tool_finishes_where_it_was_called() -> None:
    call = llm.FunctionToolCall(name="slow", arguments="{}", call_id="slow")
    old, new = Side(call, "It is done."), Side("Yes.", waits=True)
    caller = Caller(old, new)
    begun, done = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        """Takes its time."""
        begun.set()
        await done.wait()
        return "the result"

    async with running(old, new):
        await old.clerk.update_tools([llm.function_tool(slow)])
        await caller.say("please do it")
        await begun.wait()
        for _ in range(40):
            assert not old.is_boundary
            await asyncio.sleep(0.05)
        done.set()
        await asyncio.sleep(4)
        assert old.spoken[-1] == "It is done."
        state = await give(old, new)
        kinds = [each["type"] for each in state.talk.items]
        assert kinds.count("function_call") == kinds.count("function_call_output") == 1
        await caller.say("thank you")
        await asyncio.sleep(4)
        assert new.spoken[-1] == "Yes."


async def test_a_state_of_another_caller_is_refused() -> None:
    old, new = Side(), Side(waits=True)
    async with running(old, new):
        await asyncio.sleep(3)
        state = old.hands.state(1).model_copy(update={"caller": "bob"})
        with pytest.raises(UnreadableError):
            await new.hands.prepare(state)


async def test_silence_goes_on_counting() -> None:
    old, new = Side(), Side(waits=True)
    async with running(old, new):
        await asyncio.sleep(12)
        await give(old, new)
        watching = asyncio.create_task(new.silence.watch())
        left = new.settings.agent.silence_seconds - 12
        await asyncio.sleep(left - 1)
        assert new.spoken == ["Hello."]
        await asyncio.sleep(4)
        assert new.spoken == ["Hello.", new.settings.agent.still_there]
        watching.cancel()


async def test_a_caller_who_was_asked_is_not_asked_again() -> None:
    old, new = Side(), Side(waits=True)
    async with running(old, new):
        watching = asyncio.create_task(old.silence.watch())
        silence = old.settings.agent.silence_seconds
        await asyncio.sleep(silence + 5)
        assert old.spoken[-1] == old.settings.agent.still_there
        watching.cancel()
        await give(old, new)
        watching = asyncio.create_task(new.silence.watch())
        await asyncio.sleep(silence + 1)
        assert new.endings
        assert new.spoken == ["Hello.", old.settings.agent.still_there]
        watching.cancel()


async def test_an_agent_that_replaces_a_dead_one_says_so_and_hears_on() -> None:
    new = Side("Yes.", waits=True)
    caller = Caller(new)
    async with running(new):
        await asyncio.sleep(2)
        await new.hands.replace()
        await asyncio.sleep(4)
        assert new.clerk.entered == 1
        await caller.say("are you there")
        await asyncio.sleep(4)
        assert new.llm.asked[-1][-1] == "are you there"


async def test_several_people_are_not_handed_over() -> None:
    side = Side()
    agent = side.settings.agent.model_copy(update={"hears": "everybody"})
    side.hands.settings = side.settings.model_copy(update={"agent": agent})
    assert side.hands.why_not() == "the agent hears several people"
