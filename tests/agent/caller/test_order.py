"""What is said in a call: files, a question, or what is typed; over a telephone or not."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from agent.caller.access import Access
from agent.caller.calling import NotConnectedError, Plan
from agent.caller.order import Order, carry_out, in_turn, spoken, typed
from agent.caller.recording import QUESTION, RecordingError, question
from agent.caller.utterance import Utterance

NOWHERE = Access("ws://127.0.0.1:9", "key", "a-secret-of-thirty-two-characters-or-more")


async def all_of(sayings: AsyncIterator[Utterance]) -> list[Utterance]:
    return [each async for each in sayings]


def test_without_a_file_the_question_is_asked() -> None:
    (said,) = spoken((), phone=False)
    assert said.text == question().text


def test_files_are_said_in_order() -> None:
    assert [each.source for each in spoken((QUESTION, QUESTION), phone=False)] == [
        QUESTION.name
    ] * 2


def test_over_the_phone_it_is_the_same_sound_in_its_band() -> None:
    (plain,), (narrow,) = spoken((), phone=False), spoken((), phone=True)
    assert narrow.samples.size == plain.samples.size
    spectrum = np.abs(np.fft.rfft(narrow.samples.astype(float)))
    high = np.fft.rfftfreq(narrow.samples.size, 1 / 48_000) > 4500
    assert spectrum[high].max() < 0.02 * spectrum.max()
    assert (spoken((), phone=True)[0].samples == narrow.samples).all()  # each run alike


async def test_recordings_come_one_after_the_other() -> None:
    said = spoken((), phone=False) * 2
    assert await all_of(in_turn(said)) == said


async def test_each_line_that_is_typed_is_said_and_shown() -> None:
    lines, shown = iter(["hello\n", "\n", "  bye", ""]), list[str]()
    said = await all_of(typed(lambda: next(lines), shown.append))
    assert [each.text for each in said] == ["hello", "bye"]
    assert {each.samples.size for each in said} == {0}
    assert shown == ["     you  hello", "     you  bye"]


async def test_an_input_that_breaks_is_at_its_end() -> None:
    def read_line() -> str:
        raise ValueError("I/O operation on closed file")

    assert await all_of(typed(read_line, print)) == []


async def test_a_file_that_is_missing_is_said_before_anything_is_joined(tmp_path: Path) -> None:
    order = Order(Plan(NOWHERE, "room"), (tmp_path / "none.wav",))
    with pytest.raises(RecordingError):
        await carry_out(order, print, str)


@pytest.mark.parametrize("is_typed", [True, False])
async def test_a_server_that_is_not_there_is_told_apart(is_typed: bool) -> None:
    with pytest.raises(NotConnectedError):
        await carry_out(Order(Plan(NOWHERE, "room", typed=is_typed)), print, str)
