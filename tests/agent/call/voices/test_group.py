"""Several people talk with one agent: whoever says what, and whenever. Time is virtual."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from livekit import rtc
from livekit.agents import (
    Agent,
    AgentSession,
    APIConnectionError,
    APIConnectOptions,
    ConversationItemAddedEvent,
    LanguageCode,
    stt,
)
from livekit.agents.llm.chat_context import Instructions

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools
from agent.call.history.marked import Mark, mark_of
from agent.call.session_events import subscribe
from agent.call.turns.endpointing import turn_handling
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.group import DeafError, Group, GroupSTT
from agent.call.voices.vad_tap import TappedVAD
from agent.call.voices.who_spoke import lines_of, turns_of
from config.load import load_settings
from stt_assemblyai.events import LateFormat
from stt_assemblyai.stt import STT
from stt_assemblyai.transcript import Transcript
from workbench.standins.scripted import Loudspeaker, ScriptedLLM, ScriptedTTS, ScriptedVAD
from workbench.standins.scripted_room import Person, ScriptedRoom, Sound

pytestmark = pytest.mark.looptime

Type = stt.SpeechEventType
GREETING = "Good morning, this is the lighthouse, and these are our opening hours for the summer."
REPLY = "All right."
PEOPLE = ("ann", "bob", "cat")


class Ears(stt.STT[Any]):
    """A stream for each speaker, in the order in which they are opened."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.opened: list[Stream] = []

    def stream(self, **_: Any) -> "Stream":
        self.opened.append(Stream(stt=self, conn_options=APIConnectOptions(max_retry=0)))
        return self.opened[-1]

    async def _recognize_impl(self, *_: Any, **__: Any) -> stt.SpeechEvent:
        raise NotImplementedError


class Stream(stt.RecognizeStream):
    """Hears what the test says, until its input ends or it fails."""

    def __init__(self, **others: Any) -> None:
        super().__init__(**others)
        self.events: asyncio.Queue[stt.SpeechEvent | Exception | None] = asyncio.Queue()
        self.is_open = True
        self.flushes = 0

    def flush(self) -> None:
        self.flushes += 1

    def end_input(self) -> None:
        super().end_input()
        self.events.put_nowait(None)

    async def _run(self) -> None:
        try:
            while event := await self.events.get():
                if isinstance(event, Exception):
                    raise event
                self._event_ch.send_nowait(event)
        finally:
            self.is_open = False

    def hear(self, kind: stt.SpeechEventType, text: str = "") -> None:
        words = [stt.SpeechData(language=LanguageCode("en"), text=text)] if text else []
        self.events.put_nowait(stt.SpeechEvent(kind, request_id="session", alternatives=words))

    async def say(self, text: str, *, seconds: float = 1.0) -> None:
        """Say this in so much time; the end is known 0.4 s later."""
        self.hear(Type.START_OF_SPEECH)
        words = text.split()
        for number in range(len(words)):
            await asyncio.sleep(seconds / len(words))
            self.hear(Type.INTERIM_TRANSCRIPT, " ".join(words[: number + 1]))
        await asyncio.sleep(0.2)
        self.hear(Type.PREFLIGHT_TRANSCRIPT, text)
        await asyncio.sleep(0.2)
        self.hear(Type.FINAL_TRANSCRIPT, text)
        self.hear(Type.END_OF_SPEECH)


class Call:
    """People in a scripted room, and an agent that answers the same again and again."""

    def __init__(self, greeting: str = "") -> None:
        key = {"api_key": "key"}
        livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
        chosen = load_settings(None, given={"livekit": livekit, "assemblyai": key, "openai": key})
        self.room, self.stt, self.llm = ScriptedRoom(), Ears(), ScriptedLLM(REPLY)
        self.loudspeaker = Loudspeaker()
        self.session: AgentSession[None] = AgentSession(
            stt=GroupSTT(),
            vad=TappedVAD(ScriptedVAD()),
            llm=self.llm,
            tts=ScriptedTTS(),
            turn_handling=turn_handling(chosen),
            aec_warmup_duration=None,
        )
        self.service = STT(api_key="key")
        turn_taking = TurnTaking(chosen, self.service, self.session)
        self.group = Group(
            self.room.as_livekit, ("ops-*",), self.stt, turn_taking.sift_one, open_audio=Sound
        )
        self.recorded: list[dict[str, Any]] = []
        self.failure: Exception | None = None
        agents = CallAgents(
            self.session,
            turn_taking,
            CallTools(self.session),
            greeting,
            cannot_hear=self._fail,
            group=self.group,
        )
        subscribe(self.session, self.service, self.group, turn_taking, agents)
        self.session.on("conversation_item_added", self._record)
        self.assistant = Agent(instructions="Be kind.")

    def _record(self, event: ConversationItemAddedEvent) -> None:
        if event.item.type == "message":
            self.recorded += [dict(each) for each in turns_of(event.item)]

    def _fail(self, error: Exception) -> None:
        self.failure = error

    def join(self, identity: str, name: str = "") -> None:
        self.room.join(Person(identity, name=name))
        self.room.publish(identity)

    @property
    def said(self) -> list[tuple[str, str]]:
        """Who said what, by the record."""
        return [(each["speaker"], each["text"]) for each in self.recorded if "speaker" in each]

    @property
    def shown(self) -> list[tuple[str, str]]:
        return [(each.speaker, each.text) for each in self.room.shown if each.is_final]

    @property
    def history(self) -> list[tuple[str, Mark | None]]:
        said = [item for item in self.session.history.items if item.type == "message"]
        return [(each.text_content or "", mark_of(each)) for each in said if each.role == "user"]


@asynccontextmanager
async def call(*people: str, greeting: str = "") -> AsyncIterator[Call]:
    running = Call(greeting)
    for each in people:
        running.join(each)
    running.session.input.audio = running.group.input
    running.session.output.audio = running.loudspeaker
    await running.session.start(running.assistant, record=False)
    await asyncio.sleep(1)
    try:
        yield running
    finally:
        await running.session.aclose()


async def test_two_people_are_heard_one_after_the_other_and_the_model_reads_who_spoke() -> None:
    async with call() as line:
        line.join("ann-1", "Ann")
        line.join("bob-1")
        await asyncio.sleep(0.2)
        ann, bob = line.stt.opened
        await ann.say("what time is it")
        await asyncio.sleep(5)
        await bob.say("and which day")
        await asyncio.sleep(5)
        assert line.said == [("ann-1", "what time is it"), ("bob-1", "and which day")]
        assert line.shown == line.said
        assert line.llm.asked[-1] == [
            ("user", "Ann: what time is it"),
            ("assistant", REPLY),
            ("user", "bob-1: and which day"),
        ]
        assert "Several people" in line.assistant.instructions


async def test_who_talks_over_another_is_heard_and_both_are_answered_together() -> None:
    async with call("ann", "bob") as line:
        ann, bob = line.stt.opened
        talking = asyncio.create_task(ann.say("I would like a table for tonight", seconds=4))
        await asyncio.sleep(1)
        await bob.say("for two people")
        assert line.recorded == []  # Ann has not ended
        await talking
        await asyncio.sleep(5)
        assert line.said == [("bob", "for two people"), ("ann", "I would like a table for tonight")]
        assert line.history == [("bob: for two people ann: I would like a table for tonight", None)]
        assert [each["text"] for each in line.recorded if each["role"] == "assistant"] == [REPLY]


async def test_anybodys_words_stop_the_agent_and_anybodys_backchannel_does_not() -> None:
    async with call("ann", "bob", greeting=GREETING) as line:
        ann, bob = line.stt.opened
        await ann.say("uh-huh", seconds=0.3)
        await asyncio.sleep(1)
        assert line.loudspeaker.playing
        await bob.say("sorry we only want a table")
        assert not line.loudspeaker.playing
        await asyncio.sleep(5)
        assert line.history == [
            ("ann: uh-huh", Mark.BACKCHANNEL),
            ("bob: sorry we only want a table", None),
        ]
        assert line.said == [("ann", "uh-huh"), ("bob", "sorry we only want a table")]


async def test_a_backchannel_of_one_takes_nothing_back_of_what_another_says() -> None:
    async with call("ann", "bob", greeting=GREETING) as line:
        ann, bob = line.stt.opened
        bob.hear(Type.START_OF_SPEECH)
        bob.hear(Type.INTERIM_TRANSCRIPT, "Tuesday")
        await asyncio.sleep(0.1)
        await ann.say("uh-huh", seconds=0.0)
        await asyncio.sleep(0.05)
        assert not line.loudspeaker.playing  # it waits for Bob
        bob.hear(Type.FINAL_TRANSCRIPT, "Tuesday")
        bob.hear(Type.END_OF_SPEECH)
        await asyncio.sleep(5)
        assert sorted(line.said) == [("ann", "uh-huh"), ("bob", "Tuesday")]


async def test_agents_operators_and_listeners_are_not_heard_and_the_room_is_told_who_is() -> None:
    agent = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    async with call("ann", "ops-eve") as line:
        line.room.join(Person("minutes", agent))
        line.room.publish("minutes")
        line.join("bob")
        line.room.permit("bob", can_publish=False)
        await asyncio.sleep(1)
        assert [each.is_open for each in line.stt.opened] == [True, False]
        assert line.room.local_participant.attributes["agent.hears"] == '["ann"]'
        assert line.group.has("ann")
        assert not line.group.has("ops-eve")


async def test_who_mutes_or_leaves_in_mid_sentence_keeps_nobody_waiting() -> None:
    async with call("ann", "bob") as line:
        ann, bob = line.stt.opened
        bob.hear(Type.START_OF_SPEECH)
        bob.hear(Type.INTERIM_TRANSCRIPT, "well")
        (publication,) = line.room.remote_participants["bob"].track_publications.values()
        line.room.mute("bob", publication)
        assert bob.flushes == 1  # the open turn is ended
        line.room.leave("bob")
        await ann.say("what time is it")
        await asyncio.sleep(5)
        assert line.said == [("ann", "what time is it")]
        assert len(line.llm.asked) == 1


async def test_one_whose_stream_fails_costs_nobody_else_theirs_and_the_last_ends_the_call() -> None:
    async with call("ann", "bob") as line:
        ann, bob = line.stt.opened
        bob.events.put_nowait(APIConnectionError("no more sessions", retryable=False))
        await asyncio.sleep(1)
        assert line.failure is None
        await ann.say("what time is it")
        await asyncio.sleep(61)
        assert len(line.stt.opened) == 3  # Bob is tried again
        assert line.said == [("ann", "what time is it")]
        for each in (ann, line.stt.opened[-1]):
            each.events.put_nowait(APIConnectionError("down", retryable=False))
        await asyncio.sleep(1)
        assert isinstance(line.failure, DeafError)
        assert "down" in str(line.failure)


@pytest.mark.parametrize("is_early", [True, False])
async def test_a_formatted_text_that_comes_late_is_shown_under_its_speakers_name(
    is_early: bool,
) -> None:
    late = LateFormat(Transcript("session", 0, "At $25.", (), formatted=True), "at $25")
    async with call("ann", "bob") as line:
        ann, _ = line.stt.opened
        if is_early:
            line.service.emit("late_format", late)
            await asyncio.sleep(0.1)
        await ann.say("at $25")
        await asyncio.sleep(1)
        if not is_early:
            line.service.emit("late_format", late)
            await asyncio.sleep(0.1)
        assert line.shown == [("ann", "at $25"), ("ann", "At $25.")]
        plain, formatted = (each for each in line.room.shown if each.is_final)
        assert plain.segment_id == formatted.segment_id


async def test_what_is_typed_has_the_name_of_who_typed_it() -> None:
    async with call("ann") as line:
        words = line.group.typed("ann", "my number is 5")
        assert words == "ann: my number is 5"
        assert line.group.unnamed(words) == "my number is 5"
        line.session.generate_reply(user_input=words)
        await asyncio.sleep(5)
        assert line.said == [("ann", "my number is 5")]
        (message,) = [each for each in line.session.history.messages() if each.role == "user"]
        assert lines_of(message)


SAYING = some.tuples(
    some.sampled_from([0, 1, 2]),
    some.sampled_from([0.0, 0.3, 1.1, 4.0]),
    some.sampled_from(["yes", "uh-huh", "stop", "the blue one", "no not that one please"]),
)


@settings(max_examples=8, deadline=None)
@given(some.lists(SAYING, min_size=1, max_size=6))
async def test_whatever_three_people_say_at_whatever_moments_each_word_arrives_once_under_its_name(
    sayings: list[tuple[int, float, str]],
) -> None:
    async with call(*PEOPLE, greeting=GREETING) as line:
        told: list[list[str]] = [[], [], []]

        async def speak(who: int) -> None:
            for number, (speaker, pause, text) in enumerate(sayings):
                await asyncio.sleep(pause)
                if speaker == who:
                    told[who].append(text if text == "uh-huh" else f"{text} {number}")
                    await line.stt.opened[who].say(told[who][-1], seconds=0.6)

        await asyncio.gather(*map(speak, range(3)))
        await asyncio.sleep(15)
        for who, identity in enumerate(PEOPLE):
            assert [text for speaker, text in line.said if speaker == identity] == told[who]
            assert [text for speaker, text in line.shown if speaker == identity] == told[who]
        assert line.session.agent_state == "listening"


async def test_an_agent_after_a_hand_off_is_told_that_several_people_are_there() -> None:
    async with call("ann-1") as line:
        told = Instructions("Be brief.", audio="You are heard.")
        second = Agent(instructions=told)
        line.session.update_agent(second)
        await asyncio.sleep(1)
        assert line.session.current_agent is second
        [*own, _, group] = str(second.instructions).partition("\nSeveral people")
        assert own == [told.render(modality="audio") + "\n"]
        assert group
