"""What the session learns of what is said while the agent speaks. On a virtual clock."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from livekit.agents import LanguageCode, stt

from agent.call.overlap import CONFIRMED_SECONDS, Overlap
from config.behaviour import AgentSettings

pytestmark = pytest.mark.looptime

Type = stt.SpeechEventType
BOOK = AgentSettings().phrasebook
SAID = "Our opening hours are nine to five from Monday to Friday and ten to two on Saturday."
START, END = "(", ")"


class Line:
    """A caller, an agent, and what the session is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.interrupted = 0
        self.agent_speaks = False
        self.overlap = Overlap(
            BOOK,
            has_floor=lambda: self.agent_speaks,
            interrupt=self._interrupt,
        )
        self.events: asyncio.Queue[stt.SpeechEvent | None] = asyncio.Queue()

    def _interrupt(self) -> None:
        self.interrupted += 1
        self.agent_speaks = False

    def agent_begins(self, text: str = SAID) -> None:
        self.agent_speaks = True
        self.overlap.voice.begin(asyncio.get_running_loop().time())
        self.overlap.voice.add(text)
        self.overlap.agent_state_changed("speaking")

    def agent_ends(self) -> None:
        self.overlap.agent_state_changed("listening")
        self.agent_speaks = False
        self.overlap.speech_done()

    async def hear(self, *texts: str, language: str = "en") -> list[str]:
        """Words as they come: `(` begins an utterance, `)` ends it, a text with a full stop is
        final, one with dots is a preflight. The answer is what the session was told meanwhile."""
        before = len(self.told)
        for text in texts:
            self.events.put_nowait(event(text, language))
        await asyncio.sleep(0.001)
        return self.told[before:]

    async def end(self, after_seconds: float) -> list[str]:
        """The recogniser is sure, so long afterwards, that the utterance has just ended."""
        before = len(self.told)
        await asyncio.sleep(after_seconds)
        now = time.time()
        end = stt.SpeechEvent(
            type=Type.END_OF_SPEECH, created_at=now, speech_end_time=now - after_seconds
        )
        self.events.put_nowait(end)
        await asyncio.sleep(0.001)
        return self.told[before:]

    async def run(self) -> None:
        async def source() -> AsyncIterator[stt.SpeechEvent]:
            while (each := await self.events.get()) is not None:
                yield each

        async for each in self.overlap.sift(source()):
            self.told.append(text_of(each))


def event(text: str, language: str) -> stt.SpeechEvent:
    if text in (START, END):
        return stt.SpeechEvent(type=Type.START_OF_SPEECH if text == START else Type.END_OF_SPEECH)
    kind = Type.FINAL_TRANSCRIPT if text.endswith(".") else Type.INTERIM_TRANSCRIPT
    kind = Type.PREFLIGHT_TRANSCRIPT if text.endswith("...") else kind
    data = stt.SpeechData(language=LanguageCode(language), text=text)
    return stt.SpeechEvent(type=kind, alternatives=[data])


def text_of(each: stt.SpeechEvent) -> str:
    if each.alternatives:
        return each.alternatives[0].text
    return START if each.type is Type.START_OF_SPEECH else END


@asynccontextmanager
async def call() -> AsyncIterator[Line]:
    line = Line()
    task = asyncio.create_task(line.run())
    try:
        yield line
    finally:
        task.cancel()
        await asyncio.wait([task])


ACKNOWLEDGEMENT = (START, "uh", "uh-huh", "uh-huh...", "Uh-huh.", END)


async def test_while_the_agent_is_silent_everything_passes() -> None:
    async with call() as line:
        assert await line.hear(*ACKNOWLEDGEMENT) == list(ACKNOWLEDGEMENT)
        assert line.interrupted == 0


async def test_an_acknowledgement_leaves_no_trace() -> None:
    async with call() as line:
        line.agent_begins()
        await asyncio.sleep(2)
        assert await line.hear(*ACKNOWLEDGEMENT) == []
        await asyncio.sleep(5)
        line.agent_ends()
        assert await line.hear(START, "what", "what time.", END) == [
            START,
            "what",
            "what time.",
            END,
        ]
        assert line.interrupted == 0


async def test_an_interjection_stops_the_agent_at_its_first_word() -> None:
    async with call() as line:
        line.agent_begins()
        assert await line.hear(START, "stop") == [START, "stop"]
        assert line.interrupted == 1
        assert await line.hear("stop it.", END) == ["stop it.", END]
        assert line.interrupted == 1


async def test_speech_stops_it_at_its_second_word() -> None:
    async with call() as line:
        line.agent_begins()
        assert await line.hear(START, "seven") == [START, "seven"]
        assert line.interrupted == 0
        assert await line.hear("seven plus") == ["seven plus"]
        assert line.interrupted == 1


async def test_what_began_as_an_acknowledgement_may_go_on_as_a_turn() -> None:
    async with call() as line:
        line.agent_begins()
        assert await line.hear(START, "right", "right then") == [START, "right then"]
        rest = ("right then what about", "Right then, what about.", END)
        assert await line.hear(*rest) == list(rest)
        assert line.interrupted == 1


async def test_one_word_that_stays_was_meant() -> None:
    async with call() as line:
        line.agent_begins()
        await line.hear(START, "banana")
        await asyncio.sleep(CONFIRMED_SECONDS)
        assert line.interrupted == 1


async def test_one_word_that_is_final_was_meant() -> None:
    async with call() as line:
        line.agent_begins()
        assert await line.hear(START, "banana", "Banana.", END) == [START, "banana", "Banana.", END]
        assert line.interrupted == 1


async def test_a_word_that_turns_out_to_be_none_is_taken_back() -> None:
    async with call() as line:
        line.agent_begins()
        assert await line.hear(START, "hunger", "uh-huh") == [START, "hunger", ""]
        assert await line.hear("Uh-huh.", END) == [END]
        await asyncio.sleep(2 * CONFIRMED_SECONDS)
        assert line.interrupted == 0


async def test_a_word_without_a_final_is_taken_back() -> None:
    async with call() as line:
        line.agent_begins()
        assert await line.hear(START, "banana", END) == [START, "banana", "", END]
        await asyncio.sleep(2 * CONFIRMED_SECONDS)
        assert line.interrupted == 0


async def test_the_agents_own_words_are_dropped() -> None:
    async with call() as line:
        line.agent_begins()
        await asyncio.sleep(1)
        echo = (START, "our", "our opening", "our opening hours", "Our opening hours.", END)
        assert await line.hear(*echo) == []
        assert line.interrupted == 0


async def test_words_are_no_echo_once_they_were_said_long_ago() -> None:
    async with call() as line:
        line.agent_begins(SAID + " And so on." * 100)
        await asyncio.sleep(60)
        await line.hear(START, "our opening", "Our opening hours.", END)
        assert line.interrupted == 1


async def test_a_second_text_is_read_from_its_beginning() -> None:
    async with call() as line:
        line.agent_begins("Let me see. " * 50)
        await asyncio.sleep(30)
        line.agent_begins()
        await asyncio.sleep(1)
        assert await line.hear(START, "our opening hours", "Our opening hours.", END) == []


async def test_the_last_words_may_echo_when_the_agent_has_ended() -> None:
    async with call() as line:
        line.agent_begins("Is that all?")
        await asyncio.sleep(1)
        line.agent_ends()
        assert await line.hear(START, "is that all", "Is that all.", END) == []


async def test_a_yes_with_which_the_question_ends_is_its_answer() -> None:
    async with call() as line:
        line.agent_begins("Is that all?")
        await asyncio.sleep(1)
        assert await line.hear(START, "yes", "Yes.", END) == []
        await asyncio.sleep(0.8)
        line.agent_ends()
        assert await line.hear() == [START, "Yes.", END]
        assert line.interrupted == 0


async def test_a_yes_that_is_not_over_when_the_question_ends_is_its_answer() -> None:
    async with call() as line:
        line.agent_begins("Is that all?")
        assert await line.hear(START, "yes") == []
        line.agent_ends()
        assert await line.hear("yes...", "Yes.", END) == [START, "yes", "yes...", "Yes.", END]


OFFER = "Shall I book Tuesday at two, or Wednesday at three?"
CHOICE = (START, "wednesday at", "wednesday at three", "Wednesday at three.")


async def hear_choice(line: Line, *, ends_after_seconds: float) -> list[str]:
    """The offer's last words, begun just before its end; they end so long after it."""
    line.agent_begins(OFFER)
    await asyncio.sleep(2.6)
    assert await line.hear(*CHOICE[:2]) == []
    await asyncio.sleep(0.1)
    line.agent_ends()
    await asyncio.sleep(ends_after_seconds)
    assert await line.hear(*CHOICE[2:]) == []
    return await line.end(after_seconds=1)


async def test_a_choice_in_the_agents_last_words_is_heard_when_it_outlasts_them() -> None:
    async with call() as line:
        assert await hear_choice(line, ends_after_seconds=0.9) == [START, CHOICE[-1], END]
        assert line.interrupted == 0


async def test_an_echo_that_ends_with_the_agent_is_dropped_however_late_it_is_known() -> None:
    async with call() as line:
        assert await hear_choice(line, ends_after_seconds=0.3) == []
        assert await line.hear(START, "hello", "Hello.", END) == [START, "hello", "Hello.", END]


async def test_an_echo_outlasts_the_agents_last_speech_but_not_this_one() -> None:
    """A speech may be done before its silence is known."""
    async with call() as line:
        line.agent_begins()
        await asyncio.sleep(2)
        line.agent_ends()
        line.agent_begins(OFFER)
        await asyncio.sleep(2.6)
        assert await line.hear(*CHOICE) == []
        assert await line.end(after_seconds=0.1) == []
        line.agent_speaks = False
        line.overlap.speech_done()
        assert await line.hear() == []


async def test_the_caller_takes_over_with_what_was_said_last_alone() -> None:
    """Half-sentences that are out of date would each cost an answer."""
    async with call() as line:
        line.agent_begins()
        told = await line.hear(START, "uh", "uh-huh...", "uh-huh no...")
        assert told == [START, "uh-huh no..."]


async def test_every_language_goes_by_its_own_words() -> None:
    async with call() as line:
        line.agent_begins()
        assert await line.hear(START, "genau", "Genau.", END, language="de") == []
        await line.hear(START, "genau", "Genau.", END, language="en")
        assert line.interrupted == 1


async def test_what_is_no_speech_always_passes() -> None:
    async with call() as line:
        line.agent_begins()
        line.events.put_nowait(stt.SpeechEvent(type=Type.RECOGNITION_USAGE))
        assert len(await line.hear()) == 1
