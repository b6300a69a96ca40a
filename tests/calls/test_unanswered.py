"""What `make call` says when the agent does not answer."""

import io
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console

from workbench.local.call import call
from workbench.local.running import State


async def test_an_unanswered_turn_is_named_and_fails_the_call(
    places: Any, start_worker: Any, tmp_path: Path
) -> None:
    worker = await start_worker()
    access = places.access
    state = State(
        url=access.url,
        api_key=access.api_key,
        api_secret=access.api_secret,
        agent_name=worker.agent_name,
    )
    said = io.StringIO()
    faults = [{"endpoint": "chat", "times": 100, "status": 401}]
    async with aiohttp.ClientSession(places.stand_ins.control_url) as control:
        async with control.post("/openai/faults", json=faults) as answer:
            answer.raise_for_status()
        try:
            console = Console(file=said, width=120)
            code = await call(state, "unanswered", tmp_path / "call.wav", console)
        finally:
            async with control.delete("/openai") as answer:
                answer.raise_for_status()
    assert code == 1
    # What is heard is the apology: no answer, for all that it is speech.
    assert "no answer: the agent ended the call (cannot_think)" in " ".join(said.getvalue().split())
    assert "Answered       0 of 5 turns" in said.getvalue()
    assert (tmp_path / "call.wav").stat().st_size > 100_000
