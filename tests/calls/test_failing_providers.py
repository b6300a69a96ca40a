"""What callers hear when a provider fails in their call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from livekit import api

from agent.caller.caller import Caller
from agent.caller.conversation import agent_words, greeting, take_turn
from agent.caller.transcript import words
from workbench.local.calling.corpus import synthesised

SUM = "What is seven plus five?"


@asynccontextmanager
async def faults(places: Any, *faults: dict[str, Any]) -> AsyncIterator[None]:
    """What goes wrong with OpenAI meanwhile."""
    async with aiohttp.ClientSession(places.stand_ins.control_url) as control:
        async with control.post("/openai/faults", json=faults) as answer:
            answer.raise_for_status()
        try:
            yield
        finally:
            async with control.delete("/openai") as answer:
                answer.raise_for_status()


async def test_a_caller_is_answered_while_the_first_provider_is_down(
    places: Any, start_worker: Any, dial: Any, understand: Any
) -> None:
    worker = await start_worker(
        OPENAI_BASE_URL="http://127.0.0.1:9/v1",
        OPENAI_FALLBACK_LLM_MODEL="gpt-4o-mini",
        OPENAI_FALLBACK_TTS_MODEL="gpt-4o-mini-tts",
        OPENAI_FALLBACK_BASE_URL=places.stand_ins.openai_base_url,
        OPENAI_FALLBACK_API_KEY=places.stand_ins.openai_api_key,
    )
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    turn = await take_turn(caller, synthesised(SUM), timeout_seconds=40)
    assert turn.reply is not None, turn.fault
    heard = caller.heard(turn.reply.start_seconds, turn.reply.end_seconds)
    assert "twelve" in words(await understand(heard))


async def test_a_caller_hears_a_filler_while_the_model_is_slow_and_then_the_answer(
    places: Any, start_worker: Any, dial: Any, understand: Any, figure: Any
) -> None:
    worker = await start_worker(AGENT_FILLER_SECONDS="1", OPENAI_LLM_PATIENCE_SECONDS="60")
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    async with faults(places, {"endpoint": "chat", "delay_ms": 5000, "times": 100}):
        turn = await take_turn(caller, synthesised(SUM), timeout_seconds=40)
    assert turn.reply is not None, turn.fault
    figure(f"end of speech to filler {turn.reply.latency_ms:.0f} ms, one second of it its setting")
    heard = words(await understand(caller.heard(turn.reply.start_seconds, turn.reply.end_seconds)))
    assert "one moment please" in heard
    assert "twelve" in heard.partition("one moment please")[2]
    assert "moment" not in turn.reply_text


async def test_a_caller_is_answered_after_a_hiccup_of_the_model_and_the_voice(
    places: Any, worker: Any, dial: Any, understand: Any, figure: Any
) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    down = [{"endpoint": each, "status": 503, "times": 2} for each in ("chat", "speech")]
    async with faults(places, *down):
        turn = await take_turn(caller, synthesised(SUM), timeout_seconds=40)
    assert turn.reply is not None, turn.fault
    figure(f"end of speech to an answer, behind two 503 each: {turn.reply.latency_ms:.0f} ms")
    heard = caller.heard(turn.reply.start_seconds, turn.reply.end_seconds)
    assert "twelve" in words(await understand(heard))


async def test_a_call_goes_on_after_an_answer_that_broke_off(
    places: Any, worker: Any, dial: Any, understand: Any
) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    async with faults(places, {"endpoint": "chat", "break_after_chunks": 3}):
        await caller.say(synthesised(SUM).samples)
        await caller.until(
            lambda: "cut off" in agent_words(caller, since_seconds=0),
            timeout_seconds=40,
            what="the agent said that it was cut off",
        )
    silent = await caller.hear_silence(timeout_seconds=40)
    turn = await take_turn(caller, synthesised(SUM), timeout_seconds=40)
    assert turn.reply is not None, turn.fault
    assert "i was cut off" in words(await understand(caller.heard(0, silent)))
    heard = caller.heard(turn.reply.start_seconds, turn.reply.end_seconds)
    assert "twelve" in words(await understand(heard))


async def said_instead(caller: Caller, *, of: str) -> None:
    """Ask, and wait until the agent says this, and nothing more."""
    await caller.say(synthesised(SUM).samples)
    await caller.until(
        lambda: of in agent_words(caller, since_seconds=0),
        timeout_seconds=40,
        what=f"the agent said: {of}",
    )


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"status": 400, "code": "content_filter"}, "cannot talk about that"),
        ({"says": "\N{WAVING HAND SIGN}"}, "cut off for a moment"),
    ],
    ids=["a question that is refused", "an answer without words"],
)
async def test_a_caller_is_told_why_there_is_no_answer_and_the_call_goes_on(
    places: Any, worker: Any, dial: Any, understand: Any, fault: dict[str, Any], sentence: str
) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    async with faults(places, {"endpoint": "chat", "times": 20, **fault}):
        await said_instead(caller, of=sentence)
    silent = await caller.hear_silence(timeout_seconds=40)
    turn = await take_turn(caller, synthesised(SUM), timeout_seconds=40)
    assert turn.reply is not None, turn.fault
    assert sentence in words(await understand(caller.heard(0, silent)))
    heard = caller.heard(turn.reply.start_seconds, turn.reply.end_seconds)
    assert "twelve" in words(await understand(heard))


async def test_a_caller_hears_an_answer_without_the_sentence_that_the_voice_refuses(
    places: Any, worker: Any, dial: Any, understand: Any
) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    answer = "The first number is seven. The second one is wicked today. The sum of both is twelve."
    async with faults(
        places,
        {"endpoint": "chat", "says": answer, "times": 20},
        {"endpoint": "speech", "status": 400, "about": "wicked", "times": 20},
    ):
        turn = await take_turn(caller, synthesised(SUM), timeout_seconds=40)
    assert turn.reply is not None, turn.fault
    heard = words(await understand(caller.heard(turn.reply.start_seconds, turn.reply.end_seconds)))
    assert "number is seven" in heard
    assert "twelve" in heard
    assert "wicked" not in heard


async def test_a_caller_neither_hears_nor_reads_markup(
    places: Any, worker: Any, dial: Any, understand: Any
) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    answer = (
        "<thinking>An easy one.</thinking>The sum of **both** numbers is *twelve*, "
        "\N{PARTY POPPER} see [our page](https://www.example.com/sums?of=two) for more."
    )
    async with faults(places, {"endpoint": "chat", "says": answer, "times": 20}):
        turn = await take_turn(caller, synthesised(SUM), timeout_seconds=40)
    assert turn.reply is not None, turn.fault
    assert turn.reply_text == "The sum of both numbers is twelve, see our page for more."
    heard = words(await understand(caller.heard(turn.reply.start_seconds, turn.reply.end_seconds)))
    assert "both numbers is twelve" in heard
    assert "easy" not in heard


SWITCHBOARD = """
async def colleague(job, caller_identity, ending):
    return caller_identity in job.room.remote_participants and ending == "cannot_speak"
"""


async def test_a_caller_is_handed_over_to_a_person(
    start_worker: Any, dial: Any, understand: Any, tmp_path: Path
) -> None:
    (tmp_path / "switchboard.py").write_text(SWITCHBOARD)
    worker = await start_worker(
        OPENAI_API_KEY="mistyped",
        AGENT_HAND_OVER_TO="switchboard:colleague",
        PYTHONPATH=str(tmp_path),
    )
    caller = await dial(worker)
    await caller.agent_gone(timeout_seconds=60)
    assert "putting you through to a colleague" in words(await understand(caller.heard()))
    assert caller.disconnected is None
    await worker.log_line("the caller was handed over", f'"{caller.room_name}"')
    access = worker.access
    async with api.LiveKitAPI(access.url, access.api_key, access.api_secret) as client:
        assert await client.agent_dispatch.list_dispatch(caller.room_name) == []
