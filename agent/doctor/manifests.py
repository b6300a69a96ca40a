"""Reads what rendered manifests of Kubernetes say about the worker, as values."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.names import SETTINGS

Document = Mapping[str, Any]  # a foreign document

DEFAULT_GRACE_SECONDS = 30.0
"""What Kubernetes grants if a manifest says nothing."""

_KINDS = ("Deployment", "StatefulSet", "DaemonSet")
_SUFFIXES = {
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}


@dataclass(frozen=True, slots=True)
class Probe:
    """What the kubelet asks; None in place of a path: not by HTTP."""

    path: str | None


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget that selects the worker's pods; both as they are written, or None."""

    max_unavailable: str | None
    min_available: str | None


@dataclass(frozen=True, slots=True)
class Worker:
    """A workload that runs the worker, with what its calls depend on."""

    name: str
    """Kind and name."""
    grace_seconds: float
    settings: Mapping[str, str]
    """Variables that stand in the manifests, in its container or a ConfigMap beside it."""
    cpu_request: float
    """In cores; 0 if there is none."""
    cpu_limit: float | None
    memory_request_mb: float
    memory_limit_mb: float | None
    liveness: Probe | None
    readiness: Probe | None
    updates: str
    """How an update goes: `Recreate`, or the number or share of pods that may be missing."""
    budgets: Sequence[Budget]


def workers(documents: Iterable[Any]) -> list[Worker]:
    """Each workload among these documents that runs the worker.

    It is known by a variable of ours in a container, or by the name of its image. A list, as
    `kubectl get` prints it, counts as what is in it.
    """
    found = [
        each
        for document in documents
        if isinstance(document, Mapping)
        for each in (_list(document, "items") if document.get("kind") == "List" else [document])
    ]
    return [worker for each in found if each.get("kind") in _KINDS for worker in _in(each, found)]


def _in(workload: Document, documents: Sequence[Document]) -> Iterator[Worker]:
    pod = _map(workload, "spec", "template")
    for container in _list(pod, "spec", "containers"):
        settings = _settings(container, workload, documents)
        is_ours = SETTINGS.keys() & settings or "assemblyai-agent" in str(container.get("image"))
        if is_ours:
            yield _worker(workload, container, settings, _budgets(workload, documents))


def _worker(
    workload: Document, container: Document, settings: Mapping[str, str], budgets: list[Budget]
) -> Worker:
    grace = _at(workload, "spec", "template", "spec", "terminationGracePeriodSeconds")
    requests = _map(container, "resources", "requests")
    limits = _map(container, "resources", "limits")
    memory = quantity(limits.get("memory"))
    return Worker(
        name=f"{workload['kind']} {_at(workload, 'metadata', 'name')}",
        grace_seconds=DEFAULT_GRACE_SECONDS if grace is None else quantity(grace) or 0.0,
        settings=settings,
        cpu_request=quantity(requests.get("cpu")) or 0.0,
        cpu_limit=quantity(limits.get("cpu")),
        memory_request_mb=(quantity(requests.get("memory")) or 0.0) / 1e6,
        memory_limit_mb=None if memory is None else memory / 1e6,
        liveness=_probe(container, "livenessProbe"),
        readiness=_probe(container, "readinessProbe"),
        updates=_updates(workload),
        budgets=budgets,
    )


def quantity(text: object) -> float | None:
    """A quantity of Kubernetes, such as 1250m or 384Mi, as a number; None if it is none."""
    written = str(text)
    number = written.rstrip("kKMGTim")
    factor = _SUFFIXES.get(written.removeprefix(number))
    try:
        value = float(number) * factor if factor else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None


def _settings(
    container: Document, workload: Document, documents: Sequence[Document]
) -> dict[str, str]:
    """Later ones win, as in a container: `env` over `envFrom`, and a later source over others."""
    space = _at(workload, "metadata", "namespace")
    maps = {
        _at(each, "metadata", "name"): _map(each, "data")
        for each in documents
        if each.get("kind") == "ConfigMap" and _at(each, "metadata", "namespace") == space
    }
    found: dict[str, str] = {}
    for source in _list(container, "envFrom"):
        found |= maps.get(_at(source, "configMapRef", "name"), {})
    for variable in _list(container, "env"):
        if "value" in variable:
            found[variable["name"]] = str(variable["value"])
        elif key := _at(variable, "valueFrom", "configMapKeyRef", "key"):
            named = maps.get(_at(variable, "valueFrom", "configMapKeyRef", "name"), {})
            found |= {variable["name"]: str(named[key])} if key in named else {}
    return found


def _probe(container: Document, which: str) -> Probe | None:
    if which not in container:
        return None
    return Probe(_at(container, which, "httpGet", "path"))


def _updates(workload: Document) -> str:
    strategy = _map(workload, "spec", "strategy") or _map(workload, "spec", "updateStrategy")
    kind = strategy.get("type", "RollingUpdate")
    if kind != "RollingUpdate":
        return str(kind)
    default = "25%" if workload["kind"] == "Deployment" else "1"
    return str(_map(strategy, "rollingUpdate").get("maxUnavailable", default))


def _budgets(workload: Document, documents: Sequence[Document]) -> list[Budget]:
    labels = _map(workload, "spec", "template", "metadata", "labels")
    space = _at(workload, "metadata", "namespace")
    return [
        Budget(_text(each, "maxUnavailable"), _text(each, "minAvailable"))
        for each in documents
        if each.get("kind") == "PodDisruptionBudget"
        and _at(each, "metadata", "namespace") == space
        and (wanted := _map(each, "spec", "selector", "matchLabels"))
        and wanted.items() <= labels.items()
    ]


def _text(budget: Document, field: str) -> str | None:
    value = _at(budget, "spec", field)
    return None if value is None else str(value)


def _at(document: Any, *path: str) -> Any:
    """What stands at this path; None if the document has no such place."""
    for each in path:
        document = document.get(each) if isinstance(document, Mapping) else None
    return document


def _map(document: Any, *path: str) -> Document:
    found = _at(document, *path)
    return found if isinstance(found, Mapping) else {}


def _list(document: Any, *path: str) -> list[Document]:
    found = _at(document, *path)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
