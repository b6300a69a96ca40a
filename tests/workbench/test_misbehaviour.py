"""Calls with a provider that misbehaves, on a virtual clock."""

import random

import pytest

from agent.call.output.canned_prompts import CannedPrompt
from workbench.bench.misbehaviour.__main__ import decode, hold
from workbench.bench.misbehaviour.calls import Story, converse
from workbench.bench.misbehaviour.generator import TEXTS, Generator
from workbench.bench.misbehaviour.network import Asked

TWO_SENTENCES = TEXTS[1]


@pytest.mark.parametrize("seed", range(1, 6))
def test_whatever_a_provider_does_the_caller_is_not_left_in_silence(seed: int) -> None:
    """`python -m workbench.bench.misbehaviour` holds more of them."""
    assert hold(seed).faults == []


def test_a_seed_gives_the_same_call_again() -> None:
    first, second = hold(272), hold(272)
    assert first.turns == second.turns


class Script(Generator):
    """Gives these replies to requests for an answer and for speech, and good ones to all others."""

    def __init__(self, *speech: str, chat: tuple[str, ...] = ()) -> None:
        super().__init__(random.Random(2), badness=0, texts=(TWO_SENTENCES,))
        self._speech = list(speech)
        self._chat = list(chat)

    def choose(self, asked: Asked, good: list[str], bad: list[str]) -> str:
        left = self._speech if asked.path.endswith("/audio/speech") else self._chat
        return left.pop(0) if left else "good"


async def held(*speech: str, chat: tuple[str, ...] = ()) -> Story:
    await decode()
    return await converse(Script(*speech, chat=chat), turns=1)


@pytest.mark.looptime
@pytest.mark.parametrize("refusal", ["refuses text", "no end event"])
async def test_a_refusal_that_the_voice_cannot_say_is_told_by_a_recording(refusal: str) -> None:
    """The voice says neither the words that came before the refusal nor the sentence about it."""
    story = await held("refuses text", refusal, refusal, chat=("refuses in the middle",))
    (turn,) = story.turns
    assert story.faults == []
    assert story.ended_by == ""
    assert turn.said[-1] == CannedPrompt.CUT_OFF.recorded().text


@pytest.mark.looptime
async def test_a_filler_is_heard_while_the_sentence_about_a_refusal_waits_for_the_voice() -> None:
    story = await held("hangs", "hangs", chat=("refuses content",))
    (turn,) = story.turns
    assert story.faults == []
    assert [heard.what for heard in turn.heard] == ["filler", "agent"]


@pytest.mark.looptime
async def test_a_hiccup_at_the_second_sentence_is_waited_for() -> None:
    story = await held("good", "status", "status", "good")
    (turn,) = story.turns
    assert story.faults == []
    assert story.ended_by == ""
    assert [said.strip() for said in turn.said] == [TWO_SENTENCES]


@pytest.mark.looptime
async def test_a_sentence_that_breaks_off_twice_is_told_and_the_call_goes_on() -> None:
    story = await held("no end event", "no end event")
    (turn,) = story.turns
    assert story.ended_by == ""
    assert turn.said[-1] == CannedPrompt.CUT_OFF.recorded().text
    assert TWO_SENTENCES.startswith(turn.said[0].strip())
