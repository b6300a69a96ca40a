"""What rendered manifests say about the worker: settings, resources, probes, updates, budgets."""

from typing import Any

import pytest
import yaml

from agent.doctor.manifests import Budget, Probe, Worker, quantity, workers

SETTINGS = "{kind: ConfigMap, metadata: {name: s, namespace: n}, data: {AGENT_MAX_CALLS: '3'}}"


def container(**fields: Any) -> dict[str, Any]:
    return {"name": "agent", "image": "example/livekit-assemblyai-agent:1"} | fields


def deployment(*containers: dict[str, Any], kind: str = "Deployment", **spec: Any) -> Any:
    pod = {
        "metadata": {"labels": {"app": "agent", "x": "y"}},
        "spec": {"containers": list(containers)},
    }
    pod["spec"] |= spec.pop("pod", {})
    metadata = {"name": "agent", "namespace": "n"}
    return {"kind": kind, "metadata": metadata, "spec": {"template": pod} | spec}


def only(*documents: Any) -> Worker:
    [found] = workers(documents)
    return found


def budget(**spec: Any) -> dict[str, Any]:
    return {
        "kind": "PodDisruptionBudget",
        "metadata": {"namespace": spec.pop("namespace", "n")},
        "spec": spec,
    }


def test_a_worker_is_known_by_its_image_or_by_a_setting() -> None:
    assert only(deployment(container())).name == "Deployment agent"
    renamed = container(image="voice:1", env=[{"name": "AGENT_NAME", "value": "receptionist"}])
    assert only(deployment(renamed)).settings == {"AGENT_NAME": "receptionist"}
    assert workers([deployment(container(image="redis:8"))]) == []
    assert workers([None, "text", {"kind": "Pod"}, {"kind": "Deployment"}]) == []


def test_a_list_counts_as_what_is_in_it() -> None:
    found = only({"kind": "List", "items": [yaml.safe_load(SETTINGS), deployment(container())]})
    assert found.name == "Deployment agent"
    assert workers([{"kind": "List", "items": "none"}]) == []


def test_what_is_not_said_is_what_kubernetes_takes_for_it() -> None:
    assert only(deployment(container())) == Worker(
        name="Deployment agent",
        grace_seconds=30,
        settings={},
        cpu_request=0,
        cpu_limit=None,
        memory_request_mb=0,
        memory_limit_mb=None,
        liveness=None,
        readiness=None,
        updates="25%",
        budgets=[],
    )


def test_resources_probes_and_grace_are_read() -> None:
    found = only(
        deployment(
            container(
                resources={
                    "requests": {"cpu": "250m", "memory": "300M"},
                    "limits": {"cpu": 2, "memory": "1Gi"},
                },
                livenessProbe={"httpGet": {"path": "/livez", "port": 8081}},
                readinessProbe={"exec": {"command": ["true"]}},
            ),
            pod={"terminationGracePeriodSeconds": 90},
        )
    )
    assert (found.cpu_request, found.cpu_limit) == (0.25, 2.0)
    assert (found.memory_request_mb, found.memory_limit_mb) == (300.0, 2**30 / 1e6)
    assert (found.liveness, found.readiness) == (Probe("/livez"), Probe(None))
    assert found.grace_seconds == 90


def test_settings_come_from_config_maps_of_the_namespace_and_env_wins() -> None:
    elsewhere = {
        "kind": "ConfigMap",
        "metadata": {"name": "s", "namespace": "other"},
        "data": {"AGENT_MAX_CALLS": "9"},
    }
    key = {"valueFrom": {"configMapKeyRef": {"name": "s", "key": "AGENT_MAX_CALLS"}}}
    found = only(
        yaml.safe_load(SETTINGS),
        elsewhere,
        deployment(
            container(
                envFrom=[{"configMapRef": {"name": "s"}}, {"secretRef": {"name": "keys"}}],
                env=[
                    {"name": "AGENT_NAME", "value": "a"},
                    {"name": "A", **key},
                    {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "s", "key": "no"}}},
                    {"name": "C", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k"}}},
                ],
            )
        ),
    )
    assert found.settings == {"AGENT_MAX_CALLS": "3", "AGENT_NAME": "a", "A": "3"}
    replaced = container(
        envFrom=[{"configMapRef": {"name": "s"}}],
        env=[{"name": "AGENT_MAX_CALLS", "value": 5}],
    )
    assert only(yaml.safe_load(SETTINGS), deployment(replaced)).settings == {"AGENT_MAX_CALLS": "5"}


@pytest.mark.parametrize(
    ("kind", "spec", "updates"),
    [
        ("Deployment", {"strategy": {"type": "Recreate"}}, "Recreate"),
        ("Deployment", {"strategy": {"rollingUpdate": {"maxUnavailable": 0}}}, "0"),
        ("Deployment", {"strategy": {"type": "RollingUpdate"}}, "25%"),
        ("StatefulSet", {}, "1"),
        ("DaemonSet", {"updateStrategy": {"type": "OnDelete"}}, "OnDelete"),
    ],
)
def test_how_an_update_goes(kind: str, spec: dict[str, Any], updates: str) -> None:
    assert only(deployment(container(), kind=kind, **spec)).updates == updates


def test_a_budget_counts_if_it_selects_the_pods_in_their_namespace() -> None:
    found = only(
        deployment(container()),
        budget(selector={"matchLabels": {"app": "agent"}}, maxUnavailable=1),
        budget(selector={"matchLabels": {"app": "agent"}}, minAvailable="50%", namespace="other"),
        budget(selector={"matchLabels": {"app": "redis"}}, maxUnavailable=1),
        budget(maxUnavailable=1),
        budget(selector={"matchLabels": {"x": "y"}}, minAvailable="50%"),
    )
    assert found.budgets == [Budget("1", None), Budget(None, "50%")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1250m", 1.25),
        (2, 2.0),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("384Mi", 384 * 2.0**20),
        ("1G", 1e9),
        ("1Qi", None),
        ("", None),
        ("inf", None),
        ("nan", None),
        (None, None),
    ],
)
def test_a_quantity_is_a_number_with_a_suffix(text: object, value: float | None) -> None:
    assert quantity(text) == (None if value is None else pytest.approx(value))
