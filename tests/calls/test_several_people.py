"""Two people in one room talk with one agent, which knows who says what."""

import json
import uuid
from typing import Any

from agent.caller.caller import Caller
from agent.caller.conversation import greeting, take_turn
from agent.caller.transcript import words
from workbench.local.calling.corpus import synthesised

HEARS_EVERYBODY = json.dumps({"AGENT_HEARS": "everybody"})
ADDITION = synthesised("What is seven plus five?")
LATER = synthesised("And what is two plus three?")


async def test_two_people_are_heard_by_name(places: Any, worker: Any) -> None:
    room, access = f"two people {uuid.uuid4()}", places.access
    first = Caller.join(access, room, "ann", worker.agent_name, metadata=HEARS_EVERYBODY)
    async with first as ann, Caller.join(access, room, "bob") as bob:
        await greeting(ann, timeout_seconds=40)
        turn = await take_turn(ann, ADDITION, timeout_seconds=40)
        assert turn.reply is not None, turn.fault
        assert "twelve" in words(turn.reply_text)
        turn = await take_turn(bob, LATER, timeout_seconds=40)
        assert turn.reply is not None, turn.fault
        said = {speaker: words(ann.transcript.said_by(speaker)) for speaker in ("ann", "bob")}
        assert "seven plus five" in said["ann"]
        assert "two plus three" in said["bob"]
        assert "two plus three" not in said["ann"]
        asked = [
            [each["content"] for each in request["body"]["messages"] if each["role"] == "user"]
            for request in await places.stand_ins.received("openai/requests")
            if "bob: " in json.dumps(request["body"].get("messages"))
        ]
        assert [each.split(":")[0] for each in asked[-1]] == ["ann", "bob"]
