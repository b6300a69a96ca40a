"""What is said of the worker's manifests: each fault names what happens and what mends it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agent.doctor.check import Check, Name, State
from agent.doctor.kubernetes import judge
from agent.doctor.manifests import Budget, Probe, Worker

READY = "/readyz?exclude=full&exclude=busy&exclude=limited"
GOOD = Worker(
    name="Deployment agent",
    grace_seconds=330,
    settings={"AGENT_MAX_CALLS": "8", "AGENT_CALLS_PER_PROCESS": "4"},
    cpu_request=1.25,
    cpu_limit=None,
    memory_request_mb=400,
    memory_limit_mb=1000,
    liveness=Probe("/livez"),
    readiness=Probe(READY),
    updates="0",
    budgets=[Budget("1", None)],
)
ORDER = list(Name)


def about(name: Name, **changes: Any) -> Check:
    """The one check of that name of a worker that is changed so."""
    [check] = [each for each in judge([replace(GOOD, **changes)]) if each.name is name]
    return check


def with_settings(**settings: str) -> Mapping[str, str]:
    return {**GOOD.settings, **settings}


def test_a_good_worker_passes_every_check_in_the_order_of_the_table() -> None:
    checks = judge([GOOD])
    assert {check.state for check in checks} == {State.OK}
    assert [check.name for check in checks] == ORDER[ORDER.index(Name.KUBERNETES_WORKER) :]


def test_no_worker_is_a_fault() -> None:
    [check] = judge([])
    assert (check.name, check.state) == (Name.KUBERNETES_WORKER, State.FAULT)
    assert "kubectl kustomize" in check.mend


@pytest.mark.parametrize(
    ("grace_seconds", "settings", "least"),
    [
        (330.0, {}, None),
        (329.0, {}, 330),
        (30.0, {"AGENT_DRAIN_SECONDS": "0"}, None),
        (30.0, {"AGENT_DRAIN_SECONDS": "0", "AGENT_HAND_OVER_SECONDS": "30.5"}, 61),
        (900.0, {"AGENT_DRAIN_SECONDS": "900"}, 930),
    ],
)
def test_the_grace_period_covers_calls_and_the_apology(
    grace_seconds: float, settings: dict[str, str], least: int | None
) -> None:
    check = about(
        Name.KUBERNETES_GRACE, grace_seconds=grace_seconds, settings=with_settings(**settings)
    )
    assert check.state is (State.FAULT if least else State.OK)
    assert not least or f"terminationGracePeriodSeconds to {least} " in check.mend


@pytest.mark.parametrize(
    ("settings", "state", "words"),
    [
        ({"OPENAI_API_KEY": "sk-a-secret"}, State.FAULT, "OPENAI_API_KEY is a secret"),
        ({"AGENT_DRAIN_SECONDS": "soon"}, State.FAULT, "AGENT_DRAIN_SECONDS: must be a whole"),
        ({"AGENT_DRIAN_SECONDS": "3"}, State.WARNING, "AGENT_DRIAN_SECONDS: there is no such"),
        ({"AGENT_NAME": ""}, State.OK, "are right"),
    ],
)
def test_settings_that_stand_in_the_manifests_are_looked_at(
    settings: dict[str, str], state: State, words: str
) -> None:
    check = about(Name.KUBERNETES_SETTINGS, settings=with_settings(**settings))
    assert (check.state, words in check.seen) == (state, True)
    assert "sk-a-secret" not in check.seen + check.mend


def test_with_a_wrong_setting_what_depends_on_settings_is_left_out() -> None:
    settings = with_settings(AGENT_DRAIN_SECONDS="soon")
    for name in (Name.KUBERNETES_GRACE, Name.KUBERNETES_CPU, Name.KUBERNETES_MEMORY):
        assert about(name, settings=settings).state is State.SKIPPED


@pytest.mark.parametrize(
    ("calls", "request_cores", "limit_cores", "state", "words"),
    [
        ("8", 1.23, None, State.OK, "enough for 8 calls"),
        ("8", 1.22, None, State.WARNING, "request 1230m"),
        ("8", 1.25, 1.25, State.OK, "enough for 8 calls"),
        ("8", 1.25, 1.0, State.FAULT, "raise the limit to 1230m"),
        ("", 1.25, None, State.FAULT, "set AGENT_MAX_CALLS"),
        ("", 1.25, 2.0, State.OK, "enough for 8 calls"),
        ("", 0.2, 0.2, State.WARNING, "1 calls take (460m)"),
    ],
)
def test_the_request_for_cpu_follows_the_calls(
    calls: str, request_cores: float, limit_cores: float | None, state: State, words: str
) -> None:
    check = about(
        Name.KUBERNETES_CPU,
        settings=with_settings(AGENT_MAX_CALLS=calls),
        cpu_request=request_cores,
        cpu_limit=limit_cores,
    )
    assert (check.state, words in f"{check.seen} {check.mend}") == (state, True)


@pytest.mark.parametrize(
    ("settings", "request_mb", "limit_mb", "state", "words"),
    [
        ({}, 288, 800, State.OK, "enough for 8 calls (288 MB)"),
        ({}, 288, None, State.OK, "enough for 8 calls (288 MB)"),
        ({}, 287, 1000, State.WARNING, "request 288M"),
        ({}, 400, 287, State.FAULT, "limit of 287 MB is less"),
        ({}, 400, 799, State.WARNING, "800M or more"),
        ({"AGENT_CALLS_PER_PROCESS": ""}, 400, 600, State.OK, "enough"),
        ({"AGENT_MAX_CALLS": ""}, 400, 1000, State.SKIPPED, "AGENT_MAX_CALLS"),
    ],
)
def test_memory_is_enough_for_calls_and_for_processes_that_grow(
    settings: dict[str, str], request_mb: float, limit_mb: float | None, state: State, words: str
) -> None:
    check = about(
        Name.KUBERNETES_MEMORY,
        settings=with_settings(**settings),
        memory_request_mb=request_mb,
        memory_limit_mb=limit_mb,
    )
    assert (check.state, words in f"{check.seen} {check.mend}") == (state, True)


@pytest.mark.parametrize(
    ("liveness", "readiness", "state", "words"),
    [
        (Probe("/readyz"), Probe(READY), State.FAULT, "let it ask /livez"),
        (Probe(None), Probe(None), State.OK, "liveness None"),
        (None, Probe(READY), State.WARNING, "no liveness probe"),
        (Probe("/livez"), None, State.WARNING, "no readiness probe"),
        (Probe("/livez"), Probe("/readyz?exclude=full"), State.WARNING, "exclude=limited"),
        (Probe("/livez"), Probe(READY), State.OK, "liveness /livez"),
    ],
)
def test_probes_ask_the_right_pages(
    liveness: Probe | None, readiness: Probe | None, state: State, words: str
) -> None:
    check = about(Name.KUBERNETES_PROBES, liveness=liveness, readiness=readiness)
    assert (check.state, words in f"{check.seen} {check.mend}") == (state, True)


@pytest.mark.parametrize(
    ("updates", "state", "words"),
    [
        ("0", State.OK, "successor is ready"),
        ("0%", State.OK, "successor is ready"),
        ("25%", State.WARNING, "25% of the workers"),
        ("Recreate", State.WARNING, "all workers stop first"),
        ("OnDelete", State.WARNING, "all workers stop first"),
    ],
)
def test_an_update_stops_no_worker_before_its_successor_is_ready(
    updates: str, state: State, words: str
) -> None:
    check = about(Name.KUBERNETES_UPDATE, updates=updates)
    assert (check.state, words in check.seen) == (state, True)


@pytest.mark.parametrize(
    ("budgets", "state", "words"),
    [
        ([], State.WARNING, "no PodDisruptionBudget"),
        ([Budget("0", None)], State.WARNING, "nodes cannot be emptied"),
        ([Budget("1", None), Budget(None, "100%")], State.WARNING, "nodes cannot be emptied"),
        ([Budget(None, "50%")], State.OK, "one after the other"),
    ],
)
def test_a_budget_lets_workers_go_one_after_the_other(
    budgets: list[Budget], state: State, words: str
) -> None:
    check = about(Name.KUBERNETES_BUDGET, budgets=budgets)
    assert (check.state, words in check.seen) == (state, True)
