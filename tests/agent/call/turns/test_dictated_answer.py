"""How long the agent waits for a dictated answer. Time is virtual."""

import asyncio

import pytest

from agent.call.turns.dictated_answer import DICTATION_SECONDS, DictatedAnswer

pytestmark = pytest.mark.looptime


class Patience:
    def __init__(self) -> None:
        self.answer = DictatedAnswer(self._changed)
        self.story: list[bool] = []

    def _changed(self) -> None:
        self.story.append(self.answer.is_awaited)


async def test_patience_lasts_until_the_time_is_up() -> None:
    patient = Patience()
    patient.answer.begin()
    await asyncio.sleep(DICTATION_SECONDS - 1)
    assert patient.answer.left_seconds == pytest.approx(1)
    await asyncio.sleep(2)
    assert patient.story == [True, False]
    assert patient.answer.left_seconds is None


async def test_asked_again_the_time_begins_again() -> None:
    patient = Patience()
    patient.answer.begin()
    await asyncio.sleep(DICTATION_SECONDS - 1)
    patient.answer.begin()
    await asyncio.sleep(DICTATION_SECONDS - 1)
    assert patient.answer.is_awaited


@pytest.mark.parametrize(
    ("text", "ends"),
    [("let me see", False), ("it is 4", True), ("alpha bravo charlie delta echo", True)],
)
async def test_an_answer_ends_it_and_a_pause_does_not(text: str, ends: bool) -> None:
    patient = Patience()
    patient.answer.begin()
    patient.answer.heard(text)
    assert patient.answer.is_awaited is not ends


async def test_our_own_code_may_ask_for_it_and_says_when_that_is_over() -> None:
    patient = Patience()
    with patient.answer.asked():
        assert patient.answer.is_asked
        patient.answer.end()  # nobody waits for an answer
        assert patient.answer.is_awaited
    assert patient.story == [True, False]
    assert not patient.answer.is_asked


async def test_another_agent_waits_for_what_is_left() -> None:
    patient = Patience()
    patient.answer.begin(2.0)
    await asyncio.sleep(3)
    assert patient.story == [True, False]
