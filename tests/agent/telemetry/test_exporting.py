"""A conversation's spans and measurements, as a real collector receives them over a socket."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from agent.telemetry.exporting import FLUSH_SECONDS, QUIET_SECONDS, SeldomTold, finish
from config.telemetry import CONTENTS
from workbench.local.running import PROJECT
from workbench.standins.otlp_collector import Received, Span, collector

HEADER = "planted-header-of-a-vendor"
KEY = "sk-planted-0123456789abcdef"
WORDS = ("zorillas", "wombatfur", "quokkaprice", "numbatcoins")
"""Typed by the caller, in the instructions, a tool's result, the reply."""

PROGRAM = f"""
import asyncio
from livekit.agents import Agent, function_tool
from agent.telemetry import exporting
from agent.testing import calls, conversation
from config.load import load_settings
from config.secrets import secrets_of

class Shop(Agent):
    @function_tool
    async def price_of(self, article: str) -> str:
        "What it costs."
        return "quokkaprice"

async def talk(answers):
    async with conversation(Shop(instructions="You sell wombatfur."), *answers) as talk:
        await talk.ask("What do zorillas cost? My key is {KEY}.")

key = {{"api_key": "{KEY}"}}
livekit = {{"url": "ws://127.0.0.1", "api_secret": "none"}} | key
settings = load_settings(None, given={{"livekit": livekit, "assemblyai": key, "openai": key}})
exporting.begin(settings.telemetry, secrets_of(settings))
asyncio.run(talk([calls("price_of", article="zorillas"), "It costs numbatcoins."]))
"""


@dataclass
class Run:
    """What a conversation sent, and printed."""

    received: Received
    printed: str
    seconds: float
    code: int


def sending_to(received: Received) -> dict[str, str]:
    """The environment of a process that sends to this collector."""
    return {
        **{key: text for key, text in os.environ.items() if not key.startswith("OTEL_")},
        "OTEL_EXPORTER_OTLP_ENDPOINT": received.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={HEADER}",
    }


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Run]]:
    """The same conversation: as by default, with contents, and with a collector that hangs."""
    variants: dict[str, dict[str, str]] = {"default": {}, "contents": {CONTENTS: "true"}}
    variants["frozen"] = {"OTEL_SERVICE_NAME": "shop"}
    with ExitStack() as stack:
        started = []
        for name, variables in variants.items():
            received = stack.enter_context(collector(is_frozen=name == "frozen"))
            environment = sending_to(received) | variables
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM],
                cwd=PROJECT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            started.append((name, received, time.monotonic(), process))
        found = {}
        for name, received, began, process in started:
            printed, _ = process.communicate(timeout=60)
            seconds = time.monotonic() - began
            found[name] = Run(received, printed, seconds, process.returncode)
        yield found


def names_above(span: Span, spans: list[Span]) -> list[str]:
    """The names of the spans that it hangs below, the nearest first."""
    by_id = {each.span_id: each for each in spans}
    found = []
    while above := by_id.get(span.parent_id):
        found.append(above.name)
        span = above
    return found


def test_livekits_spans_arrive_in_one_trace_below_one_root(runs: dict[str, Run]) -> None:
    spans = runs["default"].received.spans
    assert len({span.trace_id for span in spans}) == 1
    assert [span.name for span in spans if not span.parent_id] == ["agent_session"]
    for name in ("llm_request", "function_tool"):
        (first, *_) = [span for span in spans if span.name == name]
        assert "agent_turn" in names_above(first, spans)


def test_measurements_arrive_under_livekits_names(runs: dict[str, Run]) -> None:
    names = {each.name for each in runs["default"].received.series}
    assert names >= {"gen_ai.client.operation.duration", "gen_ai.execute_tool.duration"}
    assert not [each for each in runs["default"].received.series if "room_id" in each.labels]


def test_a_process_that_goes_on_sends_the_measurements_of_a_call_at_its_end() -> None:
    goes_on = PROGRAM + "exporting.send_now()\ninput()\n"
    with (
        collector() as received,
        subprocess.Popen(
            [sys.executable, "-c", goes_on],
            cwd=PROJECT,
            env=sending_to(received),
            stdin=subprocess.PIPE,
        ) as process,
    ):
        assert received.wait_for("gen_ai.client.operation.duration", timeout_seconds=40)
        assert process.poll() is None
        process.communicate(b"\n")


def test_a_header_is_sent_and_never_shown(runs: dict[str, Run]) -> None:
    assert {each["api-key"] for each in runs["default"].received.headers} == {HEADER}
    for run in runs.values():
        assert run.code == 0, run.printed
        assert HEADER not in run.printed


def test_no_word_of_the_conversation_leaves_by_default(runs: dict[str, Run]) -> None:
    sent = b"".join(runs["default"].received.bodies)
    assert [word for word in WORDS if word.encode() in sent] == []


def test_words_leave_where_contents_are_wanted_and_keys_do_not(runs: dict[str, Run]) -> None:
    sent = b"".join(runs["contents"].received.bodies)
    assert [word for word in WORDS if word.encode() not in sent] == []
    assert KEY.encode() not in sent


def test_a_service_without_a_name_has_ours(runs: dict[str, Run]) -> None:
    (resource, *_) = [span.resource for span in runs["default"].received.spans]
    assert resource["service.name"] == "livekit-agent"
    assert resource["service.instance.id"]


def test_a_collector_that_hangs_costs_the_end_of_a_process_and_no_more(
    runs: dict[str, Run],
) -> None:
    """Beside the other two, which ran at the same time."""
    others = max(runs["default"].seconds, runs["contents"].seconds)
    assert runs["frozen"].code == 0
    assert runs["frozen"].seconds < others + FLUSH_SECONDS + 3
    assert "the collector did not take" in runs["frozen"].printed


def test_what_is_left_is_sent_for_a_limited_time(caplog: pytest.LogCaptureFixture) -> None:
    never = threading.Event()
    sent: list[str] = []
    began = time.monotonic()
    with caplog.at_level(logging.WARNING, "agent.telemetry.exporting"):
        finish([never.wait, lambda: sent.append("spans")], seconds=0.1)
    never.set()
    assert time.monotonic() - began < 2
    assert sent == ["spans"]
    assert "the collector did not take" in caplog.text


def test_what_was_sent_in_time_leaves_no_line(caplog: pytest.LogCaptureFixture) -> None:
    finish([lambda: None])
    assert not caplog.records


def test_a_collector_that_is_away_is_told_seldom() -> None:
    now = [0.0]
    filter_ = SeldomTold(lambda: now[0])
    line = logging.makeLogRecord({"msg": "failed"})
    assert [filter_.filter(line) for _ in range(3)] == [True, False, False]
    now[0] = QUIET_SECONDS
    assert filter_.filter(line)
