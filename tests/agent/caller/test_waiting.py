"""Waiting for a condition: it is looked at with each change, and not for longer than asked."""

import asyncio

import pytest

from agent.caller.waiting import Changes, WaitedTooLongError


@pytest.mark.parametrize("answer", [0, "", "yes", True])
async def test_the_first_answer_that_is_neither_none_nor_false_is_returned(answer: object) -> None:
    changes, answers = Changes(), iter([None, False, answer])
    waiting = asyncio.ensure_future(
        changes.until(lambda: next(answers), timeout_seconds=5, what="an answer")
    )
    for _ in range(3):
        await asyncio.sleep(0)
        changes.tell()
    assert await waiting == answer


async def test_what_did_not_happen_is_named() -> None:
    with pytest.raises(WaitedTooLongError, match=r"waited 0\.01 s for the moon"):
        await Changes().until(lambda: None, timeout_seconds=0.01, what="the moon")
