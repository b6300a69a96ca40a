"""Whatever a caller says, at whatever moment: it reaches the conversation, and in order."""

import asyncio
import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from livekit.agents import (
    Agent,
    AgentSession,
    ConversationItemAddedEvent,
    LanguageCode,
    UserInputTranscribedEvent,
    stt,
)

from agent.call.agents import CallAgents
from agent.call.barge_in.barge_in_filter import BACKCHANNEL_ANSWER_SECONDS, BargeInFilter
from agent.call.barge_in.interruptions import Heard, Verdict, is_sound, without_backchannels
from agent.call.call_tools import CallTools
from agent.call.history.marked import Mark, MarkedUtterance, mark_of
from agent.call.output.playout import Playout
from agent.call.session_events import subscribe
from agent.call.turns.endpointing import turn_handling
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.vad_tap import TappedVAD
from config.load import load_settings
from config.phrases import Words, begins, words_of
from stt_assemblyai.stt import STT
from workbench.local.sample_settings import sample_settings
from workbench.standins.scripted import (
    Loudspeaker,
    ScriptedLLM,
    ScriptedSTT,
    ScriptedTTS,
    ScriptedVAD,
)
from workbench.standins.silent_input import SilentInput

Type = stt.SpeechEventType
KNOWN = (1, 4, 99)  # how many partials come before the final text
PHRASES = sample_settings().files.phrasebook.of("en")
TALKED_OVER_SECONDS = 0.2
"""The agent stops within this time after the first word that is no backchannel."""
REPLY = "All right then, I have written that down for you."


@dataclass(frozen=True)
class Row:
    """The agent says this, and so long after its first sound the caller begins to say that."""

    agent: str
    caller: str
    after_seconds: float = 1.0
    language: str = "en"


NUMBER = "Your number is five five five one two three four. Is that right?"
MONEY = "I will transfer two hundred dollars to your savings account."
CHOICE = "Do you want the large red one or the small blue one today?"
AGE = "You said: it was the age of wisdom"
CANCEL = "Shall I cancel the booking for tomorrow morning?"
NAME = "I have you down as Anna Smith, A N N A, from Baker Street twelve. Is that correct?"
TIME = "Your table is booked for Tuesday at seven thirty, for four people, by the window."

WORDS = [
    # The issue's own.
    Row(NUMBER, "five five five one two three five"),
    Row(MONEY, "two hundred dollars to your checking account"),
    Row(CHOICE, "the large red one"),
    Row(AGE, "it was the age of foolishness", 0.0),
    Row(CANCEL, "do not cancel the booking for tomorrow morning"),
    # Numbers.
    Row(NUMBER, "five five five one two three"),
    Row(NUMBER, "five five five"),
    Row(NUMBER, "one two three four five"),
    Row(NUMBER, "four"),
    Row(NUMBER, "555 1235"),
    Row(NUMBER, "is that five or nine"),
    Row(MONEY, "three hundred dollars"),
    Row(MONEY, "two hundred"),
    Row(MONEY, "two hundred and twenty dollars"),
    Row(MONEY, "not two hundred dollars"),
    # Negations and refusals.
    Row(CANCEL, "cancel the booking"),
    Row(CANCEL, "no"),
    Row(CANCEL, "no do not"),
    Row(CANCEL, "don't"),
    Row(CANCEL, "never"),
    Row(MONEY, "I will not transfer two hundred dollars"),
    Row(MONEY, "no not to your savings account"),
    Row(CHOICE, "not the large red one"),
    Row(CHOICE, "neither the large red one nor the small blue one"),
    Row(CANCEL, "no problem but do not cancel it"),
    # Names and spelling.
    Row(NAME, "Hannah Smith"),
    Row(NAME, "Anna Smythe"),
    Row(NAME, "H A N N A H"),
    Row(NAME, "A N N A H"),
    Row(NAME, "with an H"),
    Row(NAME, "Anna"),
    # Addresses and times.
    Row(NAME, "Baker Street twenty one"),
    Row(NAME, "from Baker Road twelve"),
    Row(NAME, "Baker Street twelve"),
    Row(TIME, "Tuesday at eight thirty"),
    Row(TIME, "Wednesday at seven thirty"),
    Row(TIME, "for five people by the window"),
    Row(TIME, "seven"),
    # Choices and corrections.
    Row(CHOICE, "the small blue one"),
    Row(CHOICE, "the blue one"),
    Row(CHOICE, "blue"),
    Row(CHOICE, "today"),
    Row(TIME, "by the door"),
    Row(TIME, "sorry I said Thursday"),
    Row(TIME, "actually make that six"),
    Row(TIME, "by the window please"),
    Row(AGE, "it was the age of wisdom it was the age of foolishness", 0.0),
    # Yes and no.
    Row(NUMBER, "yes no yes"),
    Row(NUMBER, "yes no"),
    Row(NUMBER, "right but the last one is wrong"),
    Row(NUMBER, "okay wait"),
    # Other languages.
    Row("Su número es cinco cinco uno dos.", "cinco cinco uno tres", language="es"),
    Row("¿Cancelo la reserva de mañana?", "no cancele la reserva de mañana", language="es"),
    Row("Je réserve une table pour quatre.", "une table pour cinq", language="fr"),
    Row("Das macht zweihundert Euro.", "dreihundert Euro", language="de"),
    Row("Prenoto per martedì alle sette.", "mercoledì alle sette", language="it"),
    Row("您的电话是五五五一二三四。", "五五五一二三五", language="zh"),
    Row("ご予約は火曜日の七時です。", "水曜日の七時", language="ja"),
    Row("आपका नंबर पाँच पाँच एक दो है।", "पाँच पाँच एक तीन", language="hi"),
]
BACKCHANNELS = [
    Row(TIME, "uh-huh"),
    Row(TIME, "yeah okay"),
    Row(TIME, "no problem"),
    Row(TIME, "no worries, take your time"),
    Row(TIME, "but of course"),
    Row(TIME, "Eh-ha"),
    Row(
        "Das macht zweihundert Euro, und die Rechnung kommt in einer Woche mit der Post.",
        "aber natürlich",
        language="de",
    ),
    Row(
        "您的桌子订好了。星期二七点半。四位。靠窗的座位。我们还为您准备了生日蛋糕和鲜花。请您准时到达我们的餐厅。",
        "好的。没问题",
        language="zh",
    ),
]


def _heard(words: Words) -> Heard:
    return Heard(words, complete=False)


def partials(text: str, how_many: int) -> list[str]:
    """What is known of a text as it is said: its first so many words, and always the last ones."""
    pieces = re.findall(r"\S+\s*", text) if " " in text else list(text)
    return ["".join(pieces[: at + 1]).strip() for at in range(len(pieces))][-how_many:]


class Call:
    """A caller, and an agent that greets at length and answers the same again and again."""

    def __init__(self, greeting: str, *, echo: str = "off") -> None:
        key = {"api_key": "key"}
        livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
        given = {"livekit": livekit, "assemblyai": key, "openai": key, "agent": {"echo": echo}}
        chosen = load_settings(None, given=given)
        self.stt, self.detector, self.loudspeaker = ScriptedSTT(), ScriptedVAD(), Loudspeaker()
        self.llm = ScriptedLLM(REPLY)
        self.real_since = math.inf
        """When the first whole word was known that is no backchannel nor spelt like a sound."""
        self.talked_over_seconds = 0.0
        """How long at most the agent spoke on after that."""
        self.session: AgentSession[None] = AgentSession(
            stt=self.stt,
            vad=TappedVAD(self.detector),
            llm=self.llm,
            tts=ScriptedTTS(),
            turn_handling=turn_handling(chosen),
            aec_warmup_duration=None,
        )
        self.shown: list[str] = []
        self.recorded: list[tuple[str, str, Mark | None]] = []
        turn_taking = TurnTaking(chosen, STT(api_key="key"), self.session)
        agents = CallAgents(self.session, turn_taking, CallTools(self.session), greeting)
        subscribe(self.session, None, turn_taking, agents)
        self.session.on("user_input_transcribed", self._show)
        self.session.on("conversation_item_added", self._record)
        self.assistant = Agent(instructions="")

    def _show(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final:
            self.shown.append(event.transcript)

    def _record(self, event: ConversationItemAddedEvent) -> None:
        if event.item.type == "message":
            said = event.item.text_content or ""
            self.recorded.append((event.item.role, said, mark_of(event.item)))

    async def start(self) -> None:
        self.session.input.audio = SilentInput()
        self.session.output.audio = self.loudspeaker
        await self.session.start(self.assistant, record=False)

    async def watch(self) -> None:
        """Notice where the agent speaks over real words, until cancelled."""
        while True:
            if self.loudspeaker.playing:
                over_seconds = asyncio.get_running_loop().time() - self.real_since
                self.talked_over_seconds = max(self.talked_over_seconds, over_seconds)
            await asyncio.sleep(0.01)

    def _note_words(self, partial: str, text: str) -> None:
        words = words_of(partial)
        whole = begins(words, words_of(text))
        backchannels = PHRASES.acknowledgements
        if not whole or not without_backchannels(words, backchannels) or is_sound(_heard(words)):
            self.real_since = math.inf
        elif self.real_since == math.inf:
            self.real_since = asyncio.get_running_loop().time()

    async def until_it_speaks(self) -> None:
        await self.loudspeaker.changes.until(
            lambda: self.loudspeaker.playing, timeout_seconds=20, what="the agent"
        )

    def hear(self, kind: stt.SpeechEventType, text: str = "", language: str = "en") -> None:
        words = [stt.SpeechData(language=LanguageCode(language), text=text)] if text else []
        self.stt.events.put_nowait(stt.SpeechEvent(type=kind, alternatives=words))

    async def say(self, text: str, *, known: int, language: str = "en") -> None:
        """A word every 0.3 s, known 0.2 s later; the end of the turn 0.4 s after the last."""
        self.detector.voice = True
        self.hear(Type.START_OF_SPEECH)
        for partial in partials(text, known):
            await asyncio.sleep(0.3)
            self.hear(Type.INTERIM_TRANSCRIPT, partial, language)
            self._note_words(partial, text)
        self.detector.voice = False
        self.real_since = math.inf
        await asyncio.sleep(0.2)
        self.hear(Type.FINAL_TRANSCRIPT, text, language)
        await asyncio.sleep(0.2)
        self.hear(Type.END_OF_SPEECH)

    @property
    def history(self) -> list[tuple[str, Mark | None]]:
        said = [item for item in self.session.history.items if item.type == "message"]
        return [(each.text_content or "", mark_of(each)) for each in said if each.role == "user"]

    async def hear_out(self) -> None:
        """Wait until nothing more is said."""
        await self.loudspeaker.changes.until(
            lambda: not self.loudspeaker.playing, timeout_seconds=60, what="the agent to end"
        )
        await asyncio.sleep(2.6)
        if self.loudspeaker.playing:
            await self.hear_out()


@asynccontextmanager
async def call(greeting: str, **others: Any) -> AsyncIterator[Call]:
    running = Call(greeting, **others)
    await running.start()
    try:
        yield running
    finally:
        await running.session.aclose()


async def talk_over(line: Call, row: Row, known: int) -> None:
    if row.after_seconds:
        await line.until_it_speaks()
        await asyncio.sleep(row.after_seconds)
    await line.say(row.caller, known=known, language=row.language)
    await line.hear_out()


@pytest.mark.looptime
@pytest.mark.parametrize("row", WORDS[:5], ids=lambda row: row.caller)
@pytest.mark.parametrize("known", KNOWN)
async def test_words_stop_the_agent_and_are_answered(row: Row, known: int) -> None:
    async with call(row.agent) as line:
        await talk_over(line, row, known)
        assert line.history == [(row.caller, None)]
        assert line.shown == [row.caller]
        assert line.llm.asked[-1][-1] == ("user", row.caller)
        assert line.recorded[-1] == ("assistant", REPLY, None)


@pytest.mark.looptime
async def test_what_was_in_doubt_for_long_interrupts_without_a_sound() -> None:
    """For longer than a voice without words is waited for: the agent was about to go on."""
    async with call(TIME) as line:
        await line.until_it_speaks()
        saying = asyncio.create_task(line.say("don't", known=99))
        await asyncio.sleep(0.6)
        played = line.loudspeaker.played_seconds
        await saying
        assert line.loudspeaker.played_seconds == played


@pytest.mark.slow
@pytest.mark.looptime
@pytest.mark.parametrize("row", WORDS[5:], ids=lambda row: row.caller)
async def test_every_row_holds_in_a_whole_session(row: Row) -> None:
    async with call(row.agent, echo="auto") as line:
        await talk_over(line, row, known=4)
        assert [text for text, _ in line.history] == [row.caller]
        assert line.shown == [row.caller]


@pytest.mark.looptime
@pytest.mark.parametrize("row", BACKCHANNELS, ids=lambda row: row.caller)
async def test_a_backchannel_is_in_the_history_and_the_agent_goes_on(row: Row) -> None:
    async with call(row.agent) as line:
        await talk_over(line, row, known=99)
        assert line.history == [(row.caller, Mark.BACKCHANNEL)]
        assert line.shown == [row.caller]
        assert line.recorded == [
            ("user", row.caller, Mark.BACKCHANNEL),
            ("assistant", row.agent, None),
        ]
        assert line.llm.asked == []
        await line.say("what time is it", known=1)
        await line.hear_out()
        assert line.llm.asked == [
            [("assistant", row.agent), ("user", row.caller), ("user", "what time is it")]
        ]


class Fed:
    """An agent that speaks, and the speech events of a caller fed to its sifting."""

    def __init__(self, *, echo: bool) -> None:
        self.speaks = False
        self.kept: list[MarkedUtterance] = []
        self.overlap = BargeInFilter(sample_settings().files.phrasebook, self, Playout(), echo=echo)
        self.told: list[str] = []

    def agent_has_it(self) -> bool:
        return self.speaks

    def may_be_taken(self) -> bool:
        return True

    def is_aside(self, since: float) -> bool:
        return False

    def interrupt(self, words: str) -> None:
        self.speaks = False

    def on_verdict(self, verdict: Verdict | None) -> None:
        pass

    def keep(self, utterance: MarkedUtterance) -> None:
        self.kept.append(utterance)

    def begin(self, text: str) -> None:
        self.speaks = True
        self.overlap.playout.begin(asyncio.get_running_loop().time())
        self.overlap.playout.add(text)
        self.overlap.agent_state_changed("speaking")

    def end(self) -> None:
        self.speaks = False
        self.overlap.agent_state_changed("listening")
        self.overlap.speech_done()

    async def hear(self, rows: list[tuple[Row, int]]) -> None:
        """So long after the last one, and with so many partials."""
        async for event in self.overlap.sift(_speech(rows)):
            if event.type is Type.FINAL_TRANSCRIPT:
                self.told.append(event.alternatives[0].text)


async def _speech(rows: list[tuple[Row, int]]) -> AsyncIterator[stt.SpeechEvent]:
    for row, known in rows:
        await asyncio.sleep(row.after_seconds)
        yield stt.SpeechEvent(type=Type.START_OF_SPEECH)
        for partial in partials(row.caller, known):
            await asyncio.sleep(0.3)
            yield _words(Type.INTERIM_TRANSCRIPT, partial, row)
        yield _words(Type.FINAL_TRANSCRIPT, row.caller, row)
        yield stt.SpeechEvent(type=Type.END_OF_SPEECH)
    await asyncio.sleep(BACKCHANNEL_ANSWER_SECONDS)


def _words(kind: stt.SpeechEventType, text: str, row: Row) -> stt.SpeechEvent:
    data = stt.SpeechData(language=LanguageCode(row.language), text=text)
    return stt.SpeechEvent(type=kind, alternatives=[data])


@pytest.mark.looptime
@pytest.mark.parametrize("row", WORDS, ids=lambda row: row.caller)
async def test_words_are_told_to_the_session_however_much_of_them_is_known_when(row: Row) -> None:
    for known in KNOWN:
        fed = Fed(echo=False)
        fed.begin(row.agent)
        await fed.hear([(row, known)])
        assert (fed.told, fed.kept) == ([row.caller], [])
        assert not fed.speaks


@pytest.mark.looptime
@pytest.mark.parametrize("row", WORDS + BACKCHANNELS, ids=lambda row: row.caller)
async def test_where_echo_is_expected_words_are_told_or_kept_with_a_mark(row: Row) -> None:
    for known in KNOWN:
        fed = Fed(echo=True)
        fed.begin(row.agent)
        await fed.hear([(row, known)])
        assert [*fed.told, *(each.text for each in fed.kept)] == [row.caller]


SAYINGS = some.sampled_from([row.caller for row in WORDS + BACKCHANNELS if row.language == "en"])
MOMENTS = some.floats(0.0, 4.0).map(lambda seconds: round(seconds, 2))


@pytest.mark.slow
@pytest.mark.looptime
@settings(max_examples=25)
@given(some.lists(some.tuples(MOMENTS, SAYINGS, some.sampled_from(KNOWN)), min_size=1, max_size=4))
async def test_whatever_is_said_at_whatever_moment_is_kept_in_order(
    said: list[tuple[float, str, int]],
) -> None:
    """And the agent never stays paused, and does not speak over real words for long."""
    async with call(TIME) as line:
        await line.until_it_speaks()
        watching = asyncio.create_task(line.watch())
        for pause_seconds, text, known in said:
            await asyncio.sleep(pause_seconds)
            await line.say(text, known=known)
        await line.hear_out()
        history = " ".join(text for text, _ in line.history)
        assert words_of(history) == words_of(" ".join(text for _, text, _ in said))
        recorded = [text for role, text, _ in line.recorded if role == "user"]
        assert recorded == [text for text, _ in line.history]
        watching.cancel()
        assert line.talked_over_seconds <= TALKED_OVER_SECONDS
        assert not line.loudspeaker.paused
        assert line.session.agent_state == "listening"


@pytest.mark.looptime
@settings(max_examples=60)
@given(
    some.lists(some.tuples(MOMENTS, SAYINGS, some.sampled_from(KNOWN)), max_size=4),
    some.lists(MOMENTS, max_size=4),
    some.booleans(),
)
async def test_every_final_word_is_told_or_kept_whenever_the_agent_begins_and_ends(
    said: list[tuple[float, str, int]], changes: list[float], echo: bool
) -> None:
    fed = Fed(echo=echo)
    speaking = asyncio.create_task(_speak_by_turns(fed, changes))
    await fed.hear([(Row(TIME, text, pause), known) for pause, text, known in said])
    speaking.cancel()
    kept = [each.text for each in fed.kept]
    assert sorted(fed.told + kept) == sorted(text for _, text, _ in said)


async def _speak_by_turns(fed: Fed, seconds: list[float]) -> None:
    for at, each in enumerate(seconds):
        await asyncio.sleep(each)
        if at % 2:
            fed.end()
        else:
            fed.begin(TIME)
