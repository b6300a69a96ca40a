"""Callers who dictate: pauses between groups of digits end no turn."""

from typing import Any

from agent.caller.conversation import greeting, take_turn
from agent.caller.transcript import words
from workbench.local.calling.corpus import synthesised, with_pause


async def test_a_phone_number_in_groups_is_one_turn(worker: Any, dial: Any) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    question = synthesised("Say after me: what is your phone number?")
    asked = await take_turn(caller, question, timeout_seconds=40)
    assert "phone number" in words(asked.reply_text)
    groups = [synthesised(each) for each in ("Five five five.", "One two three.", "Four six.")]
    number = with_pause(with_pause(groups[0], groups[1], 1.0), groups[2], 1.0)
    before = len(caller.transcript.segments)
    told = await take_turn(caller, number, timeout_seconds=40)
    assert told.reply is not None, told.fault
    new = caller.transcript.segments[before:]
    own = [each for each in new if each.speaker == caller.identity]
    replies = [each for each in new if each.speaker == caller.agent_identity]
    assert len(own) == 1, own
    assert len(replies) == 1, replies
