"""An agent that stays quiet: for who asks it to wait, pauses in mid-sentence, or talks for long."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import numpy as np
import psutil  # type: ignore[import-untyped] # it has no stubs
import pytest_asyncio

from agent.caller.caller import Caller
from agent.caller.conversation import agent_words, greeting, take_turn
from agent.caller.microphone import SAMPLE_RATE
from agent.caller.transcript import words
from workbench.local.calling.corpus import Utterance, dickens, synthesised, with_pause
from workbench.local.leaks import leaks, titles
from workbench.local.livekit_server import free_port
from workbench.standins.otlp_collector import Received, collector

ADDITION = synthesised("What is seven plus five?")
MOMENT = synthesised("One moment, please.")
HEADER = "planted-header-of-a-vendor"
LONG = with_pause(
    synthesised("Last week my brother was in your shop, and I would like"),
    synthesised("to have the same lamp."),
    0.9,
)
BEST_OF_TIMES_SECONDS = 1.7
"""After the comma of the first of these recorded sentences."""


def in_two_parts() -> Utterance:
    """A sentence whose first half sounds whole by its words alone: a second of silence follows."""
    whole = next(each for each in dickens() if "best of times" in each.text)
    at = round(BEST_OF_TIMES_SECONDS * SAMPLE_RATE)
    parts = (whole.samples[:at], whole.samples[at:])
    first, second = (Utterance("", part, whole.source) for part in parts)
    return with_pause(first, second, 1.0)


@pytest_asyncio.fixture(loop_scope="session")
async def traces() -> AsyncIterator[Received]:
    """A collector of traces and measurements."""
    with collector() as received:
        yield received


async def test_the_agent_waits_bears_a_pause_and_shows_that_it_listens(
    places: Any, start_worker: Any, dial: Any, figure: Any, traces: Received
) -> None:
    port = free_port()
    worker = await start_worker(
        AGENT_TURN_SECOND_OPINION="livekit",
        AGENT_BACKCHANNEL_SECONDS="2.5",
        AGENT_METRICS_PORT=str(port),
        OTEL_EXPORTER_OTLP_ENDPOINT=traces.url,
        OTEL_EXPORTER_OTLP_HEADERS=f"api-key={HEADER}",
    )
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    await asked_to_wait(caller, places)
    await paused_in_mid_sentence(caller)
    await talks_for_long(caller, figure)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as page,
    ):
        counted = await page.text()
    assert 'agent_overlaps_total{kind="hold",outcome="true"} 1.0' in counted
    seconds = re.search(r"^agent_call_event_loop_lag_seconds_count (\S+)", counted, re.MULTILINE)
    assert seconds, counted
    assert float(seconds[1]) > 10  # each second the call's process told how late it ran
    await caller.hang_up()
    line = await worker.process.wait_for_line(
        lambda line: '"second opinion"' in line, timeout_seconds=20
    )
    assert json.loads(line)["ends_held_back"] >= 1, line  # else that pause would end the turn
    for last in ("job_entrypoint", "lk.agents.turn.e2e_latency"):
        assert await asyncio.to_thread(traces.wait_for, last, timeout_seconds=20)
    explains_each_wait(traces)
    await gives_nothing_away(places, worker, {"metrics": counted, **traces.texts()})


def explains_each_wait(traces: Received) -> None:
    """The call is one trace, with LiveKit's spans and ours, and its measurements."""
    spans = {each.span_id: each for each in traces.spans}
    assert len({each.trace_id for each in traces.spans}) == 1
    assert [each.name for each in spans.values() if each.parent_id not in spans] == [
        "job_entrypoint"
    ]
    for ours in [*traces.named("caller_wait"), *traces.named("stt_session")]:
        assert spans[ours.parent_id].name == "agent_session"
    waits = traces.named("caller_wait")
    assert len(waits) >= 3
    assert all(each.attributes["agent.turn.end_reason"] for each in waits)
    assert {"lk.agents.turn.e2e_latency", "lk.agents.usage.llm_input_tokens"} <= {
        each.name for each in traces.series
    }


async def gives_nothing_away(places: Any, worker: Any, shown: dict[str, str]) -> None:
    """No key and no word of the caller's, in all that the worker writes, shows and sends."""
    stand_ins = places.stand_ins
    secrets = {HEADER, places.access.api_secret}
    secrets |= {stand_ins.assemblyai_api_key, stand_ins.openai_api_key}
    texts = {
        "log": "\n".join(worker.process.lines),
        "titles": titles(psutil.Process(worker.process.pid)),
        **shown,
    }
    said = {ADDITION.text, MOMENT.text, LONG.text, in_two_parts().text}
    assert leaks(texts, secrets, said) == []


async def asked_to_wait(caller: Caller, places: Any) -> None:
    """Nothing is heard until the caller speaks again, and then an answer to all that was said."""
    moment = await caller.say(MOMENT.samples)
    await caller.until(
        lambda: caller.now_seconds > moment.end_seconds + 3.5, timeout_seconds=9, what="a while"
    )
    assert not [span for span in caller.heard_spans if span.end_seconds > moment.start_seconds]
    own = caller.transcript.said_by(caller.identity, since_seconds=moment.start_seconds)
    assert "one moment" in words(own)  # what gets no answer is shown all the same
    turn = await take_turn(caller, ADDITION, timeout_seconds=20)
    assert "twelve" in words(turn.reply_text), turn.fault
    (asked,) = [
        [words(each["content"]) for each in request["body"]["messages"] if each["role"] == "user"]
        for request in await places.stand_ins.received("openai/requests")
        if "one moment" in words(json.dumps(request["body"].get("messages")))
    ][-1:]
    assert asked == ["one moment please", words(ADDITION.text)]


async def paused_in_mid_sentence(caller: Caller) -> None:
    """The sentence is one turn, and has one answer."""
    before = len(caller.transcript.segments)
    turn = await take_turn(caller, in_two_parts(), timeout_seconds=20)
    assert turn.reply is not None, turn.fault

    def finals(speaker: str | None) -> list[str]:
        new = caller.transcript.segments[before:]
        return [words(each.text) for each in new if each.speaker == speaker and each.final]

    # The first sound may be a soft "mhm", which has no words: hear the answer out.
    agent = caller.agent_identity
    await caller.until(lambda: finals(agent) or None, timeout_seconds=20, what="the answer")
    await caller.hear_silence(timeout_seconds=20)
    (reply,) = finals(agent)
    assert reply.startswith("you said it was the best of times it was the worst")
    spoken = turn.spoken
    assert not [
        span
        for span in caller.heard_spans
        if spoken.start_seconds < span.start_seconds < spoken.end_seconds
    ]


async def talks_for_long(caller: Caller, figure: Any) -> None:
    """One soft sound is heard in the pause, which is no turn of the agent's."""
    turn = await take_turn(caller, LONG, timeout_seconds=20)
    assert turn.reply is not None, turn.fault
    spoken = turn.spoken
    during = [
        span
        for span in caller.heard_spans
        if spoken.start_seconds < span.start_seconds < spoken.end_seconds
    ]
    assert len(during) == 1, during
    (sound,) = during
    assert sound.end_seconds - sound.start_seconds < 1.2
    softer_db = loudness_db(caller, turn.reply.start_seconds, turn.reply.end_seconds) - (
        loudness_db(caller, sound.start_seconds, sound.end_seconds)
    )
    figure(f"mhm: {softer_db:.0f} dB below speech, {sound.end_seconds - sound.start_seconds:.1f} s")
    assert softer_db > 6
    states = [each for at, each in caller.states if spoken.start_seconds < at < spoken.end_seconds]
    assert "speaking" not in states
    assert words(agent_words(caller, since_seconds=spoken.start_seconds)) == words(turn.reply_text)
    assert "brother" in words(turn.heard_text)
    assert "lamp" in words(turn.heard_text)


def loudness_db(caller: Caller, start_seconds: float, end_seconds: float) -> float:
    """How loud the line is at its loudest in this stretch."""
    sound = caller.heard(start_seconds, end_seconds).astype(np.float32)
    return float(20 * np.log10(np.abs(sound).max()))
