"""Callers who correct themselves: a call of the corpus of turns, spoken."""

import json
from typing import Any

from agent.caller.conversation import greeting, take_turn
from agent.caller.transcript import words
from workbench.bench.turns.corpus import scripts, utterance
from workbench.local.calling.corpus import Utterance


def said(name: str, number: int) -> Utterance:
    script = next(each for each in scripts() if each.name == name)
    return utterance(script.turns[number])


async def test_a_patient_agent_hears_a_correction_out(worker: Any, dial: Any) -> None:
    caller = await dial(worker, metadata=json.dumps({"AGENT_TURN_PRESET": "conservative"}))
    await greeting(caller, timeout_seconds=40)
    turn = await take_turn(caller, said("corrections", 0), timeout_seconds=40)
    own = [each for each in caller.transcript.segments if each.speaker == caller.identity]
    assert turn.fault == ""
    assert len(own) == 1
    assert "no the" in words(turn.heard_text)
