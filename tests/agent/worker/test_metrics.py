"""What the worker's page of metrics shows from the start."""

from itertools import product

import pytest
from prometheus_client import REGISTRY

from agent.call.barge_in.outcomes import KINDS
from agent.worker import metrics


@pytest.mark.parametrize(("kind", "outcome"), [*product(KINDS, ("false", "true"))])
def test_every_series_of_overlaps_is_there(kind: str, outcome: str) -> None:
    (metric,) = metrics.OVERLAPS.collect()
    shown = [each.labels for each in metric.samples if each.name == "agent_overlaps_total"]
    assert {"kind": kind, "outcome": outcome} in shown


@pytest.mark.parametrize("name", ["callers_rescued", "agents_replaced", "callers_told_to_wait"])
def test_every_count_of_callers_is_there(name: str) -> None:
    assert REGISTRY.get_sample_value(f"agent_{name}_total") is not None
