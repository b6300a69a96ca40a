"""Corrections, refusals and choices that share words with what the agent is saying."""

import json
from typing import Any

import pytest

from workbench.conversation import take_turn
from workbench.corpus import synthesised
from workbench.transcript import words


@pytest.mark.parametrize(
    ("agent", "caller", "heard"),
    [
        (
            "I will transfer two hundred dollars to your savings account. Is that all for today?",
            "Two hundred dollars to your checking account.",
            "checking account",
        ),
        (
            "Shall I cancel the booking for tomorrow morning? You can change it for free as well.",
            "Do not cancel the booking for tomorrow morning.",
            "not cancel the booking for tomorrow morning",
        ),
        (
            "Do you want the large red one or the small blue one today? We have both of them here.",
            "The large red one.",
            "red one",
        ),
    ],
)
async def test_they_are_heard_and_answered(
    worker: Any, dial: Any, figure: Any, agent: str, caller: str, heard: str
) -> None:
    line = await dial(worker, json.dumps({"AGENT_GREETING": agent}))
    greeting = await line.hear_start(after_seconds=0, timeout_seconds=40)
    await line.until(
        lambda: line.now_seconds > greeting.start_seconds + 1, timeout_seconds=40, what="a second"
    )
    turn = await take_turn(line, synthesised(caller), timeout_seconds=40)
    assert turn.reply is not None, turn.fault
    assert heard in words(turn.heard_text)
    spoken = turn.spoken.start_seconds
    silent = max(
        each.end_seconds
        for each in line.heard_spans
        if each.start_seconds < turn.reply.start_seconds
    )
    figure(f"{caller} silent after {(silent - spoken) * 1000:.0f} ms")
