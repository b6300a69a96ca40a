"""Judges the worker's manifests for Kubernetes: whether calls would outlive a stop, and fit."""

import math
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, urlsplit

from pydantic import ValidationError

from agent.doctor.check import Check, Name, fault, ok, skipped, warning
from agent.doctor.manifests import Worker
from agent.worker.health import OCCUPIED
from agent.worker.hosts.choice import GROWN_MB, GROWN_PER_CALL_MB
from agent.worker.pace import START_CORE_SECONDS
from config.behaviour import AgentSettings
from config.faults import sentence
from config.names import SETTINGS, mistakes
from config.reference import variables

AFTER_THE_CALLS_SECONDS = 30
"""The apology in calls that are left takes up to 20 s; then the last records are sent."""

CALL_CORES = 0.11
"""Of a core, what a talking call takes: docs/capacity.md."""

WORKER_MB, CALL_MB = 160.0, 16.0
"""The worker, and what each place adds, with its call: docs/deploy.md."""

CALLS_PER_CORE = 4
"""What the worker takes by itself where AGENT_MAX_CALLS is not set."""

_SECRETS = frozenset(each.name for each in variables() if each.secret)


def judge(found: Sequence[Worker]) -> list[Check]:
    """The checks of each worker; a fault if there is none."""
    if not found:
        seen = "no Deployment, StatefulSet or DaemonSet here runs the worker"
        mend = "give it what `kubectl kustomize FOLDER` prints, the worker's ConfigMap included"
        return [fault(Name.KUBERNETES_WORKER, seen, mend)]
    return [check for worker in found for check in _judge(worker)]


def _judge(worker: Worker) -> Iterator[Check]:
    yield ok(Name.KUBERNETES_WORKER, worker.name)
    yield from _settings(worker)
    agent = _agent(worker)
    if isinstance(agent, ValidationError):
        for name in (Name.KUBERNETES_GRACE, Name.KUBERNETES_CPU, Name.KUBERNETES_MEMORY):
            yield skipped(name, "a setting of the agent's is wrong")
    else:
        yield _grace(worker, agent)
        yield _cpu(worker, agent)
        yield _memory(worker, agent)
    yield from _probes(worker)
    yield _update(worker)
    yield _budget(worker)


def _agent(worker: Worker) -> AgentSettings | ValidationError:
    values = {
        name.removeprefix("AGENT_").lower(): text
        for name, text in worker.settings.items()
        if name in SETTINGS and name.startswith("AGENT_") and text
    }
    try:
        return AgentSettings.model_validate(values)
    except ValidationError as error:
        return error


def _settings(worker: Worker) -> Iterator[Check]:
    name, where = Name.KUBERNETES_SETTINGS, "in the ConfigMap or the container's env"
    faults = [
        fault(
            name,
            f"{each} is a secret, and its value stands in the manifests",
            "put it into a Secret, and refer to that with secretRef or secretKeyRef",
        )
        for each in sorted(_SECRETS & worker.settings.keys())
    ]
    agent = _agent(worker)
    if isinstance(agent, ValidationError):
        said = [sentence(each, section="agent") for each in agent.errors()]
        faults += [fault(name, each, f"correct it {where}") for each in said]
    for each in mistakes(worker.settings).values():
        seen, _, mend = each.partition("; ")
        faults.append(warning(name, seen, mend))
    yield from faults or [ok(name, "those that stand in the manifests are right")]


def _grace(worker: Worker, agent: AgentSettings) -> Check:
    calls = max(agent.drain_seconds, agent.hand_over_seconds)
    least = math.ceil(calls + AFTER_THE_CALLS_SECONDS)
    granted = f"terminationGracePeriodSeconds {worker.grace_seconds:g}"
    asked = (
        f"AGENT_DRAIN_SECONDS {agent.drain_seconds:g}, "
        f"AGENT_HAND_OVER_SECONDS {agent.hand_over_seconds:g}"
    )
    if worker.grace_seconds >= least:
        return ok(Name.KUBERNETES_GRACE, f"{granted} covers {asked}")
    return fault(
        Name.KUBERNETES_GRACE,
        f"{granted} is too short for {asked}: Kubernetes would kill calls in progress",
        f"set terminationGracePeriodSeconds to {least} or more, or AGENT_DRAIN_SECONDS lower",
    )


def _calls(worker: Worker, agent: AgentSettings) -> int | None:
    """How many calls a pod takes; None if that depends on the node."""
    if agent.max_calls is None and worker.cpu_limit is not None:
        return max(1, math.floor(CALLS_PER_CORE * worker.cpu_limit))
    return agent.max_calls


def _cpu(worker: Worker, agent: AgentSettings) -> Check:
    name = Name.KUBERNETES_CPU
    if (calls := _calls(worker, agent)) is None:
        seen = "neither AGENT_MAX_CALLS nor a limit for CPU: a pod takes four calls for each core "
        return fault(name, f"{seen}of its node, whatever it requests", "set AGENT_MAX_CALLS")
    least = math.ceil(1000 * (calls * CALL_CORES + START_CORE_SECONDS))
    asked = f"the request of {round(1000 * worker.cpu_request)}m"
    if worker.cpu_request * 1000 < least:
        return warning(
            name,
            f"{asked} is less than {calls} calls take ({least}m)",
            f"request {least}m: {CALL_CORES * 1000:g}m for each call and "
            f"{START_CORE_SECONDS * 1000:g}m for one that begins; or set AGENT_MAX_CALLS lower",
        )
    if worker.cpu_limit is not None and worker.cpu_limit * 1000 < least:
        mend = f"raise the limit to {least}m or remove it, or set AGENT_MAX_CALLS lower"
        return fault(name, f"the limit for CPU is less than {calls} calls take ({least}m)", mend)
    return ok(name, f"{asked} is enough for {calls} calls")


def _memory(worker: Worker, agent: AgentSettings) -> Check:
    name = Name.KUBERNETES_MEMORY
    if (calls := _calls(worker, agent)) is None:
        return skipped(name, "AGENT_MAX_CALLS is not set")
    used = math.ceil(WORKER_MB + CALL_MB * calls)
    each = min(agent.calls_per_process or calls, calls)
    processes = math.ceil(calls / each)
    grown = math.ceil(WORKER_MB + processes * (GROWN_MB + each * GROWN_PER_CALL_MB))
    limit = worker.memory_limit_mb
    if limit is not None and limit < used:
        seen = f"the limit of {limit:.0f} MB is less than {calls} calls take ({used} MB)"
        return fault(name, seen, f"set the limit to {grown}M or more")
    if worker.memory_request_mb < used:
        seen = f"the request of {worker.memory_request_mb:.0f} MB is less than {calls} calls take"
        return warning(name, f"{seen} ({used} MB)", f"request {used}M")
    if limit is not None and limit < grown:
        return warning(
            name,
            f"the limit of {limit:.0f} MB ends a worker before it replaces a process that grows",
            f"set the limit to {grown}M or more",
        )
    return ok(name, f"enough for {calls} calls ({used} MB) and for processes that grow")


def _probes(worker: Worker) -> Iterator[Check]:
    name, live, ready = Name.KUBERNETES_PROBES, worker.liveness, worker.readiness
    if live and live.path and urlsplit(live.path).path == "/readyz":
        yield fault(
            name,
            "the liveness probe asks /readyz: a provider's outage would end every call",
            "let it ask /livez",
        )
        return
    if live is None:
        yield warning(name, "there is no liveness probe", "let one ask /livez at AGENT_HTTP_PORT")
    if ready is None:
        mend = "let one ask /readyz: an update waits for it"
        yield warning(name, "there is no readiness probe", mend)
        return
    path = urlsplit(ready.path or "")
    missing = OCCUPIED - set(parse_qs(path.query).get("exclude", []))
    if path.path == "/readyz" and missing:
        wanted = "&".join(f"exclude={each}" for each in sorted(OCCUPIED))
        seen = "a worker that is full counts as not ready: an update waits until calls have ended"
        yield warning(name, seen, f"ask /readyz?{wanted}")
    elif live:
        yield ok(name, f"liveness {live.path}, readiness {ready.path}")


def _update(worker: Worker) -> Check:
    name = Name.KUBERNETES_UPDATE
    if worker.updates in ("0", "0%"):
        return ok(name, "no worker stops before its successor is ready")
    if worker.updates in ("Recreate", "OnDelete"):
        seen = f"with the strategy {worker.updates} all workers stop first: nobody takes calls over"
    else:
        seen = f"{worker.updates} of the workers may stop before their successors are ready"
    return warning(name, seen, "use RollingUpdate with maxUnavailable 0")


def _budget(worker: Worker) -> Check:
    name = Name.KUBERNETES_BUDGET
    if not worker.budgets:
        seen = "no PodDisruptionBudget: whoever empties nodes may stop all workers at once"
        return warning(name, seen, "add one with maxUnavailable 1")
    for each in worker.budgets:
        if each.max_unavailable in ("0", "0%") or each.min_available == "100%":
            seen = "the PodDisruptionBudget lets no worker be evicted: nodes cannot be emptied"
            return warning(name, seen, "allow one at a time: maxUnavailable 1")
    return ok(name, "workers are evicted one after the other")
