"""What `make call` says when the agent does not answer."""

from pathlib import Path
from typing import Any

import aiohttp

from agent.caller.calling import Plan
from agent.caller.outcome import Exit
from workbench.local.call import call


async def test_an_unanswered_turn_is_named_and_fails_the_call(
    places: Any, start_worker: Any, tmp_path: Path
) -> None:
    worker = await start_worker()
    plan = Plan(places.access, "unanswered", worker.agent_name, "")
    said: list[str] = []
    faults = [{"endpoint": "chat", "times": 100, "status": 401}]
    async with aiohttp.ClientSession(places.stand_ins.control_url) as control:
        async with control.post("/openai/faults", json=faults) as answer:
            answer.raise_for_status()
        try:
            code = await call(plan, tmp_path / "call.wav", said.append)
        finally:
            async with control.delete("/openai") as answer:
                answer.raise_for_status()
    assert code == Exit.NOTHING_HEARD
    # What is heard is the apology: no answer, for all that it is speech.
    assert "no answer: the agent ended the call (cannot_think)" in " ".join(" ".join(said).split())
    assert "Answered       0 of 5 turns" in "\n".join(said)
    assert (tmp_path / "call.wav").stat().st_size > 100_000
