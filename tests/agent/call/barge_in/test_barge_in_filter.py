"""What the session learns of what is said while the agent speaks. On a virtual clock."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from livekit.agents import LanguageCode, stt

from agent.call.barge_in.barge_in_filter import (
    ASIDE_SECONDS,
    BACKCHANNEL_ANSWER_SECONDS,
    MAYBE_MISHEARD_SECONDS,
    NEED_MORE_SECONDS,
    BargeInFilter,
)
from agent.call.barge_in.interruptions import Verdict
from agent.call.history.marked import Mark, MarkedUtterance
from agent.call.output.playout import Playout
from workbench.local.sample_settings import sample_settings

pytestmark = pytest.mark.looptime

Type = stt.SpeechEventType
BOOK = sample_settings().files.phrasebook
SAID = "Our opening hours are nine to five from Monday to Friday and ten to two on Saturday."
START, END = "(", ")"


class Line:
    """A caller, an agent, and what the session is told."""

    def __init__(self, *, echo: bool) -> None:
        self.told: list[str] = []
        self.kept: list[MarkedUtterance] = []
        self.interrupted = 0
        self.verdict: Verdict | None = None
        self.agent_speaks = False
        self.last_words = False
        self.is_soft = False
        self.barge_in_filter = BargeInFilter(BOOK, self, Playout(), echo=echo)
        self.events: asyncio.Queue[stt.SpeechEvent | None] = asyncio.Queue()

    def agent_has_it(self) -> bool:
        return self.agent_speaks

    def may_be_taken(self) -> bool:
        return not (self.agent_speaks and self.last_words)

    def is_aside(self, since: float) -> bool:
        return self.is_soft

    def interrupt(self, words: str) -> None:
        self.interrupted += 1
        self.agent_speaks = False

    def on_verdict(self, verdict: Verdict | None) -> None:
        self.verdict = verdict

    def keep(self, utterance: MarkedUtterance) -> None:
        self.kept.append(utterance)

    @property
    def marks(self) -> list[tuple[str, Mark]]:
        return [(each.text, each.mark) for each in self.kept]

    def agent_begins(self, text: str = SAID) -> None:
        self.agent_thinks(text)
        self.barge_in_filter.agent_state_changed("speaking")

    def agent_thinks(self, text: str = SAID) -> None:
        self.agent_speaks = True
        self.barge_in_filter.playout.begin(asyncio.get_running_loop().time())
        self.barge_in_filter.playout.add(text)

    def agent_ends(self) -> None:
        self.barge_in_filter.agent_state_changed("listening")
        self.agent_speaks = False
        self.barge_in_filter.speech_done()

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

        async for each in self.barge_in_filter.sift(source()):
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


def counted(line: Line) -> dict[str, int]:
    return {name: count for name, count in line.barge_in_filter.outcomes.fields().items() if count}


@asynccontextmanager
async def call(*, echo: bool = False) -> AsyncIterator[Line]:
    line = Line(echo=echo)
    task = asyncio.create_task(line.run())
    try:
        yield line
    finally:
        task.cancel()
        await asyncio.wait([task])


BACK = Mark.BACKCHANNEL
ACKNOWLEDGEMENT = (START, "uh", "uh-huh", "uh-huh...", "Uh-huh.", END)


async def test_while_the_agent_is_silent_everything_passes() -> None:
    async with call() as line:
        assert await line.hear(*ACKNOWLEDGEMENT) == list(ACKNOWLEDGEMENT)
        assert line.interrupted == 0


async def test_a_backchannel_is_kept_with_its_mark_and_starts_no_turn() -> None:
    async with call() as line:
        line.agent_begins()
        await asyncio.sleep(2)
        began = time.time()
        assert await line.hear(*ACKNOWLEDGEMENT) == []
        await asyncio.sleep(5)
        assert line.kept == [MarkedUtterance("Uh-huh.", BACK, pytest.approx(began, abs=0.1), "en")]
        line.agent_ends()
        assert await line.hear(START, "what", "what time.", END) == [
            START,
            "what",
            "what time.",
            END,
        ]
        assert line.interrupted == 0
        assert len(line.kept) == 1


async def test_a_final_behind_the_end_of_its_utterance_leaves_the_next_one_a_turn() -> None:
    async with call() as line:
        line.agent_begins()
        await asyncio.sleep(2)
        assert await line.hear(START, "uh", END, "Uh-huh.") == []
        await asyncio.sleep(2)
        line.agent_ends()
        await asyncio.sleep(2)
        assert await line.hear(START, "yes.", END) == [START, "yes.", END]
        assert line.marks == [("Uh-huh.", BACK)]


async def test_words_that_are_not_final_when_the_call_ends_are_kept() -> None:
    async with call() as line:
        line.agent_begins()
        await line.hear(START, "uh", "uh-huh and")
        line.last_words = True
        await line.hear("uh-huh and two hundred dol")
    assert [text for text, _ in line.marks] == ["uh-huh and two hundred dol"]


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
        assert await line.hear(START, "seven") == []
        assert line.interrupted == 0
        assert await line.hear("seven plus") == [START, "seven plus"]
        assert line.interrupted == 1


async def test_what_began_as_an_acknowledgement_may_go_on_as_a_turn() -> None:
    async with call() as line:
        line.agent_begins()
        assert await line.hear(START, "right", "right then") == []
        rest = ("right then what about", "Right then, what about.", END)
        assert await line.hear(*rest) == [START, *rest]
        assert line.interrupted == 1


async def test_what_is_said_far_from_the_microphone_is_kept_and_does_not_stop_the_agent() -> None:
    async with call() as line:
        line.agent_begins()
        line.is_soft = True
        assert await line.hear(START, "dinner", "dinner is ready", "Dinner is ready.", END) == []
        await asyncio.sleep(ASIDE_SECONDS)
        assert line.marks == [("Dinner is ready.", Mark.ASIDE)]
        assert line.interrupted == 0


async def test_who_comes_nearer_while_they_speak_stops_the_agent() -> None:
    async with call() as line:
        line.agent_begins()
        line.is_soft = True
        assert await line.hear(START, "dinner is") == []
        line.is_soft = False
        assert await line.hear("dinner is ready") == [START, "dinner is ready"]
        assert line.interrupted == 1


async def test_who_speaks_softly_for_long_wants_the_word() -> None:
    async with call() as line:
        line.agent_begins()
        line.is_soft = True
        assert await line.hear(START, "I have moved") == []
        await asyncio.sleep(ASIDE_SECONDS - 0.5)
        assert await line.hear("I have moved to another town") == []
        await asyncio.sleep(0.5)
        assert line.told == [START, "I have moved to another town"]
        assert line.interrupted == 1
        assert line.kept == []


async def test_what_is_said_softly_when_the_agent_has_ended_is_a_turn() -> None:
    async with call() as line:
        line.agent_begins()
        line.is_soft = True
        assert await line.hear(START, "I have moved") == []
        line.agent_ends()
        assert await line.hear("I have moved.", END) == [START, "I have moved.", END]
        assert line.kept == []


async def test_one_word_that_stays_was_meant() -> None:
    async with call() as line:
        line.agent_begins()
        await line.hear(START, "banana")
        await asyncio.sleep(MAYBE_MISHEARD_SECONDS)
        assert line.interrupted == 1


async def test_one_word_that_is_final_was_meant() -> None:
    async with call() as line:
        line.agent_begins()
        assert await line.hear(START, "banana", "Banana.", END) == [START, "Banana.", END]
        assert line.interrupted == 1


async def test_hearing_a_word_again_does_not_put_its_time_off() -> None:
    async with call() as line:
        line.agent_begins()
        await line.hear(START, "banana")
        for _ in range(4):
            await asyncio.sleep(MAYBE_MISHEARD_SECONDS / 4)
            await line.hear("banana")
        assert line.interrupted == 1


async def test_a_beginning_that_stays_one_was_meant() -> None:
    async with call() as line:
        line.agent_begins()
        assert await line.hear(START, "got") == []
        await asyncio.sleep(NEED_MORE_SECONDS)
        assert await line.hear("got", "got lost.", END) == ["got", "got lost.", END]
        assert line.told[:2] == [START, "got"]
        assert line.interrupted == 1


async def test_a_word_that_turns_out_to_be_none_is_taken_back() -> None:
    async with call() as line:
        line.agent_begins()
        assert await line.hear(START, "hunger") == []
        assert line.verdict is Verdict.MAYBE_MISHEARD
        assert await line.hear("uh-huh") == []
        assert line.verdict is Verdict.BACKCHANNEL
        assert await line.hear("Uh-huh.", END) == []
        assert line.verdict is None
        await asyncio.sleep(2 * BACKCHANNEL_ANSWER_SECONDS)
        assert line.interrupted == 0
        assert line.marks == [("Uh-huh.", BACK)]
        line.barge_in_filter.outcomes.settle()
        assert counted(line) == {"false_interruptions": 1, "backchannels": 1}


async def test_a_word_without_a_final_is_taken_back() -> None:
    async with call() as line:
        line.agent_begins()
        assert await line.hear(START, "banana", END) == []
        await asyncio.sleep(2 * MAYBE_MISHEARD_SECONDS)
        assert line.interrupted == 0
        assert line.kept == []


@pytest.mark.parametrize(
    "words",
    [
        ("no", "no problem", "No problem."),
        ("no", "no worries", "no worries take your time", "No worries, take your time."),
        ("but", "but of", "but of course", "But of course!."),
        ("eh", "Eh-ha."),
        ("Eh-ha.",),
    ],
)  # fmt: skip
async def test_a_backchannel_that_begins_otherwise_does_not_stop_the_agent(
    words: tuple[str, ...],
) -> None:
    async with call() as line:
        line.agent_begins()
        await line.hear(START, *words, END)
        await asyncio.sleep(2)
        assert line.interrupted == 0
        assert line.marks == [(words[-1], BACK)]


GREETING = "Hello, this is Alex. How can I help you?"


async def test_the_greetings_own_echo_does_not_cut_it() -> None:
    async with call(echo=True) as line:
        line.agent_begins(GREETING)
        await asyncio.sleep(0.3)
        echo = (START, "hello", "hello this", "hello this is", "Hello, this is.", END)
        assert await line.hear(*echo) == []
        assert line.interrupted == 0
        assert line.marks == [("Hello, this is.", Mark.ECHO)]


async def test_where_no_echo_is_expected_the_same_words_are_the_callers() -> None:
    async with call() as line:
        line.agent_begins(GREETING)
        await asyncio.sleep(0.3)
        assert await line.hear(START, "hello") == []
        assert (line.interrupted, line.verdict) == (0, Verdict.MAYBE_MISHEARD)
        assert await line.hear("hello this is.", END) == [START, "hello this is.", END]
        assert line.interrupted == 1


async def test_the_agents_words_are_no_echo_when_they_come_late() -> None:
    async with call(echo=True) as line:
        line.agent_begins()
        await asyncio.sleep(3)
        await line.hear(START, "our opening", "Our opening hours.", END)
        assert line.interrupted == 1


async def test_what_began_before_the_agents_first_sound_is_no_echo() -> None:
    async with call(echo=True) as line:
        line.agent_thinks()
        await line.hear(START)
        await asyncio.sleep(0.5)
        line.barge_in_filter.agent_state_changed("speaking")
        await asyncio.sleep(0.5)
        await line.hear("our opening hours", "Our opening hours.", END)
        assert line.interrupted == 1


async def test_an_echo_that_goes_on_after_the_agent_was_the_caller() -> None:
    async with call(echo=True) as line:
        line.agent_begins("Is that all?")
        await asyncio.sleep(0.2)
        assert await line.hear(START, "is that all", "Is that all.") == []
        await asyncio.sleep(1)
        line.agent_ends()
        await asyncio.sleep(2)
        assert await line.end(after_seconds=0.5) == [START, "Is that all.", END]
        assert line.kept == []


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


async def test_a_yes_that_is_an_answer_counts_as_a_false_backchannel_and_is_kept_once() -> None:
    async with call() as line:
        line.agent_begins("Is that all?")
        await asyncio.sleep(1)
        await line.hear(START, "Yes.", END)
        line.agent_ends()
        await asyncio.sleep(2)
        assert counted(line) == {"false_backchannels": 1}
        assert line.kept == []


async def test_what_is_said_over_the_last_words_is_kept() -> None:
    """The session would drop it, since nothing interrupts them."""
    async with call() as line:
        line.agent_begins("I am ending this call now.")
        line.last_words = True
        assert await line.hear(START, "wait", "Wait, my number is wrong.", END) == []
        await asyncio.sleep(2)
        assert line.marks == [("Wait, my number is wrong.", Mark.UNANSWERED)]
        assert line.interrupted == 0


async def test_a_turn_over_which_the_last_words_begin_is_kept() -> None:
    async with call() as line:
        await line.hear(START, "my number")
        line.last_words = True
        line.agent_begins("I am ending this call now.")
        assert await line.hear("my number is five.", END) == ["my number is five.", END]
        assert line.marks == [("my number is five.", Mark.UNANSWERED)]


async def test_what_is_held_when_the_call_ends_is_kept() -> None:
    async with call() as line:
        line.agent_begins()
        await line.hear(START, "Uh-huh.")
    assert line.marks == [("Uh-huh.", BACK)]


async def test_the_caller_takes_over_with_what_was_said_last_alone() -> None:
    """Half-sentences that are out of date would each cost an answer."""
    async with call() as line:
        line.agent_begins()
        told = await line.hear(START, "uh", "uh-huh...", "uh-huh stop...")
        assert told == [START, "uh-huh stop..."]


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


async def test_what_was_kept_is_counted_as_wrong_when_the_caller_says_it_again() -> None:
    async with call() as line:
        line.agent_begins()
        await line.hear(START, "Okay.", END)
        await asyncio.sleep(2 * BACKCHANNEL_ANSWER_SECONDS)
        line.agent_ends()
        assert line.marks == [("Okay.", BACK)]
        await asyncio.sleep(1)
        await line.hear(START, "Okay.", END)
        assert counted(line) == {"false_backchannels": 1}


async def test_what_was_kept_is_counted_as_right_when_the_caller_says_something_else() -> None:
    async with call() as line:
        line.agent_begins()
        await line.hear(START, "Okay.", END)
        await asyncio.sleep(3)
        await line.hear(START, "what about", "What about Tuesday?.", END)
        assert counted(line) == {"interruptions": 1, "backchannels": 1}
