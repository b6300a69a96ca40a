"""Each metric is declared once, named by Prometheus' conventions, and there from the start."""

import inspect
import re
from itertools import product

import pytest
from livekit.agents.telemetry import otel_metrics
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric

from agent.call.barge_in.outcomes import KINDS
from agent.worker.metrics import DECLARED, VOICE_SECONDS, Declared

OURS = re.compile(r"agent_|lk_agents_(turn|usage)_")


def on_the_page() -> dict[str, Metric]:
    """What the worker's page has of ours, by the names that Prometheus shows."""
    return {
        f"{each.name}_total" if each.type == "counter" else each.name: each
        for each in REGISTRY.collect()
        if OURS.match(each.name)
    }


def livekits_names() -> set[str]:
    """LiveKit's instruments, as Prometheus spells them."""
    made = r'_meter\.create_(\w+)\(\s*"(lk[\w.]+)"(?:,\s*unit="(\w)")?'
    found = re.findall(made, inspect.getsource(otel_metrics))
    return {
        name.replace(".", "_")
        + ("_seconds" if unit else "")
        + ("_total" if kind == "counter" else "")
        for kind, name, unit in found
    }


def test_what_is_declared_is_what_the_page_has() -> None:
    page = on_the_page()
    assert {each.name: each.kind for each in DECLARED} == {
        name: metric.type for name, metric in page.items()
    }
    assert len({each.name for each in DECLARED}) == len(DECLARED)


@pytest.mark.parametrize("declared", DECLARED, ids=[each.name for each in DECLARED])
def test_a_name_says_what_is_counted_and_in_which_unit(declared: Declared) -> None:
    assert declared.name.endswith("_total") == (declared.kind == "counter")
    assert ("_seconds" in declared.name) == (declared.unit == "seconds")
    assert len(declared.labels) <= 2
    assert declared.meaning
    assert declared.advice


@pytest.mark.parametrize("name", [each.name for each in DECLARED if each.name.startswith("lk_")])
def test_what_livekit_has_a_name_for_has_that_name(name: str) -> None:
    assert name in livekits_names()


def test_every_stage_of_a_turn_that_livekit_measures_is_there() -> None:
    turns = {name for name in livekits_names() if "_turn_" in name}
    assert turns == {each.name for each in DECLARED if "lk_agents_turn" in each.name}


def test_the_buckets_fit_a_voice() -> None:
    assert list(VOICE_SECONDS) == sorted(VOICE_SECONDS)
    assert sum(0.1 <= each <= 10 for each in VOICE_SECONDS) >= len(VOICE_SECONDS) - 1


@pytest.mark.parametrize(("kind", "outcome"), [*product(KINDS, ("false", "true"))])
def test_every_series_of_overlaps_is_there(kind: str, outcome: str) -> None:
    labels = {"kind": kind, "outcome": outcome}
    assert REGISTRY.get_sample_value("agent_overlaps_total", labels) is not None


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("callers_rescued_total", {}),
        ("agents_replaced_total", {}),
        ("callers_told_to_wait_total", {}),
        ("calls_total", {"ending": "caller_left"}),
        ("turns_total", {"end_reason": "confidence"}),
        ("turns_total", {"end_reason": "unknown"}),
        ("interruptions_total", {"by": "voice", "outcome": "false"}),
        ("replies_total", {"fate": "thrown_away"}),
        ("tool_calls_total", {"outcome": "timeout"}),
        ("provider_tries_total", {"provider": "tts", "outcome": "refused"}),
        ("obstacle", {"obstacle": "llm_down"}),
    ],
)
def test_what_alerts_compare_with_zero_is_there_from_the_start(
    name: str, labels: dict[str, str]
) -> None:
    assert REGISTRY.get_sample_value(f"agent_{name}", labels) is not None
