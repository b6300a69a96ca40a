"""How a call is written onto the page, and what its cost is."""

import asyncio
import json
import re
import sys

import psutil  # type: ignore[import-untyped] # it has no stubs

from workbench.bench.observability import shown
from workbench.bench.observability.__main__ import PAGE
from workbench.bench.observability.cost import Cost, rows, watching
from workbench.standins.otlp_collector import Span


def span(name: str, own: str, parent: str, start: float, **attributes: object) -> Span:
    return Span(name, own, parent, "t", start, start + 1, attributes, [], {})


def test_a_trace_is_a_tree_in_the_order_of_time() -> None:
    spans = [
        span("agent_turn", "c", "a", 13),
        span("caller_wait", "b", "a", 12, **{"agent.turn.end_reason": "silence", "other": 1}),
        span("agent_session", "a", "", 10.5),
    ]
    assert shown.trace(spans) == [
        "   0.00    1.00  agent_session",
        "   1.50    1.00    caller_wait                          agent.turn.end_reason=silence",
        "   2.50    1.00    agent_turn",
    ]


def test_of_the_metrics_page_the_figures_of_calls_are_shown() -> None:
    page = '# HELP x\nagent_calls_total{ending="x"} 1.0\nagent_calls_created 9.0\npython_info 1.0\n'
    page += 'agent_cut_offs_total 0.0\nlk_agents_turn_e2e_latency_seconds_bucket{le="1"} 1.0\n'
    assert shown.metrics(page) == ['agent_calls_total{ending="x"} 1.0']


def test_of_the_log_the_lines_of_the_call_are_shown() -> None:
    assert shown.terminal(["a", "b room=x", "c", "d room=x", "e"], "room=x") == [
        "b room=x",
        "c",
        "d room=x",
    ]
    assert shown.terminal(["a"], "room=x") == []


def test_a_record_is_shown_without_its_long_lists() -> None:
    line = {
        "kind": "turn",
        "reply": {"words": [1, 2]},
        "tools": [{"words": []}],
        "settings": {"a": 1},
    }
    (told,) = shown.json_lines(json.dumps(line))
    assert json.loads(told) == {
        "kind": "turn",
        "reply": {"words": ["..."]},
        "tools": [{"words": []}],
        "settings": ["..."],
    }
    assert len(shown.fenced("json", ["x" * 500])[1]) < 200


def test_costs_are_medians_and_their_ratio() -> None:
    off = [Cost(0.2, 0.01, 100, (700.0, 800.0)), Cost(0.2, 0.01, 100, (750.0,))]
    on = [Cost(0.22, 0.01, 110, (750.0,))]
    assert rows(off, on)[2:4] == [
        "| CPU of a call's process, % of a core | 20.0 ± 0.0 | 22.0 ± 0.0 | 1.10 |",
        "| CPU of the main process, % of a core | 1.0 ± 0.0 | 1.0 ± 0.0 | 1.00 |",
    ]


async def test_a_process_is_watched_until_it_has_ended() -> None:
    program = "sum(range(30_000_000))"
    busy = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    async with watching(psutil.Process(busy.pid)) as watch:
        await busy.wait()
    assert watch.last > watch.first
    assert watch.peak_mb > 0
    assert watch.share > 0


def test_the_page_names_variables_that_opentelemetry_has() -> None:
    named = set(re.findall(r"`(OTEL_[A-Z_]+)", PAGE.read_text("utf-8"))) - {"OTEL_BSP_"}
    from opentelemetry import environment_variables
    from opentelemetry.sdk import environment_variables as of_sdk

    known = set(vars(environment_variables)) | set(vars(of_sdk))
    assert named - known <= {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"}
