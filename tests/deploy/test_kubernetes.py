"""The manifests for Kubernetes, rendered as `kubectl` renders them, without a cluster."""

import asyncio
import functools
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from agent.doctor.check import Name, State
from agent.doctor.kubernetes import CALL_CORES, judge
from agent.doctor.manifests import workers
from agent.worker.health import OBSTACLES, OCCUPIED
from agent.worker.metrics import DECLARED
from config.behaviour import AgentSettings
from config.names import SETTINGS
from config.reference import variables
from workbench.bench.scale.rollout import least_minutes
from workbench.local.kustomize import RenderError, find_or_build, render
from workbench.local.prometheus import find
from workbench.local.running import PROJECT

pytestmark = pytest.mark.slow

FOLDER = PROJECT / "deploy/kubernetes"
OVERLAYS = ("minimal", "production", "blue", "green")
VERSIONS = ("1.33", "1.37")
"""The oldest that a cluster of today may have, and the newest that has a schema."""
CRDS = {
    kind: Path(__file__).parent / f"crds/{file}.json"
    for kind, file in (("ScaledObject", "scaled-object"), ("PodMonitor", "pod-monitor"))
}
Document = dict[str, Any]


@functools.cache
def program() -> Path:
    return asyncio.run(find_or_build(print))


@functools.cache
def rendered(folder: Path) -> list[Document]:
    return list(yaml.safe_load_all(render(program(), folder)))


def overlay(name: str) -> list[Document]:
    return rendered(FOLDER / "overlays" / name)


def own_overlay(folder: Path, text: str) -> Path:
    """An operator's own folder, with the base and the components named from there."""
    (folder / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        + text.replace("KUBERNETES", os.path.relpath(FOLDER, folder.resolve()))
    )
    return folder


def one(documents: list[Document], kind: str) -> Document:
    [found] = [each for each in documents if each["kind"] == kind]
    return found


def pod(documents: list[Document]) -> Document:
    found: Document = one(documents, "Deployment")["spec"]["template"]
    return found


def container(documents: list[Document]) -> Document:
    [found] = pod(documents)["spec"]["containers"]
    return dict(found)


def validate(document: Document, version: str) -> None:
    """By Kubernetes' own schema, or by that of whoever defined the kind; unknown fields fail."""
    if schema := CRDS.get(document["kind"]):
        jsonschema.validate(document, json.loads(schema.read_text("utf-8")))
    else:
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", OVERLAYS)
def test_every_object_is_valid(name: str, version: str) -> None:
    documents = overlay(name)
    assert {each["kind"] for each in documents} >= {
        *("Deployment", "ConfigMap", "ServiceAccount"),
        *("PodDisruptionBudget", "NetworkPolicy"),
    }
    for each in documents:
        validate(each, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_scaling_without_prometheus_and_the_webhooks_service_are_valid(
    version: str, tmp_path: Path
) -> None:
    parts = "resources: [KUBERNETES/base]\ncomponents: [KUBERNETES/components/hpa]\n"
    documents = rendered(own_overlay(tmp_path, parts))
    scaler = one(documents, "HorizontalPodAutoscaler")
    validate(scaler, version)
    assert scaler["spec"]["scaleTargetRef"]["name"] == "agent"
    wanted = scaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"]
    own = workers(documents)[0]
    six_of_eight = 6 * CALL_CORES / own.cpu_request
    assert wanted == math.ceil(100 * six_of_eight)
    assert "replicas" not in one(documents, "Deployment")["spec"]
    service = yaml.safe_load((FOLDER / "webhook-service.yaml").read_text("utf-8"))
    validate(service, version)
    for name in OVERLAYS:
        labels = pod(overlay(name))["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Deployment", ("spec", "template", "spec", "terminationGraceSeconds")),
        ("NetworkPolicy", ("spec", "egres")),
        ("ScaledObject", ("spec", "advanced", "horizontalPodAutoscalerConfig", "behaviour")),
        ("PodMonitor", ("spec", "podMetricsEndpoints", "0", "intervall")),
    ],
)
def test_a_misspelt_field_would_be_found(kind: str, path: tuple[str, ...]) -> None:
    document = json.loads(json.dumps(one(overlay("production"), kind)))
    *way, last = path
    place = document
    for step in way:
        place = place[int(step)] if step.isdecimal() else place[step]
    place[last] = {}
    with pytest.raises(jsonschema.ValidationError):
        validate(document, VERSIONS[-1])


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_doctor_finds_nothing_wrong(name: str) -> None:
    assert not [each for each in judge(workers(overlay(name))) if each.state is not State.OK]


def test_an_operators_overlay_with_too_short_a_grace_period_is_refused(tmp_path: Path) -> None:
    folder = own_overlay(
        tmp_path,
        "resources: [KUBERNETES/base]\n"
        "configMapGenerator:\n"
        "  - {name: agent-settings, behavior: merge, literals: [AGENT_DRAIN_SECONDS=900]}\n",
    )
    done = subprocess.run(
        [sys.executable, "agent.py", "doctor", "--manifests", "-"],
        cwd=PROJECT,
        input=render(program(), folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 1
    assert "FAULT    kubernetes.grace" in done.stdout
    assert "set terminationGracePeriodSeconds to 930 or more" in done.stdout
    [grace] = [each for each in judge(workers(rendered(folder))) if each.state is State.FAULT]
    assert grace.name is Name.KUBERNETES_GRACE


def test_a_folder_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="kustomization"):
        render(program(), tmp_path)


def selectors(documents: list[Document]) -> Iterator[dict[str, str]]:
    """Each that has to select the worker's pods."""
    for kind in ("Deployment", "PodDisruptionBudget", "PodMonitor"):
        yield from (
            each["spec"]["selector"]["matchLabels"] for each in documents if each["kind"] == kind
        )
    yield one(documents, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]
    for each in pod(documents)["spec"]["topologySpreadConstraints"]:
        yield each["labelSelector"]["matchLabels"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_selector_selects_the_pods_and_of_two_colours_only_its_own(name: str) -> None:
    documents = overlay(name)
    labels = pod(documents)["metadata"]["labels"]
    found = list(selectors(documents))
    assert len(found) >= 5
    other = pod(overlay("blue" if name == "green" else "green"))["metadata"]["labels"]
    for each in found:
        assert each
        assert each.items() <= labels.items()
        if name in ("blue", "green"):
            assert not each.items() <= other.items()


def test_what_the_settings_offer_exists_and_can_be_set() -> None:
    text = (FOLDER / "base/settings.env").read_text("utf-8")
    offered = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", text, re.MULTILINE))
    assert offered.keys() == {"AGENT_HAND_OVER_SECONDS"}
    own = workers(overlay("minimal"))[0]
    given = replace(own, settings={**own.settings, **offered})
    assert not [each for each in judge([given]) if each.state is not State.OK]


def test_two_colours_share_no_object() -> None:
    names = [
        {(each["kind"], each["metadata"]["name"]) for each in overlay(name)}
        for name in ("blue", "green")
    ]
    assert not names[0] & names[1]


@pytest.mark.parametrize("name", OVERLAYS)
def test_secrets_are_referred_to_and_settings_exist(name: str) -> None:
    documents = overlay(name)
    settings = one(documents, "ConfigMap")["data"]
    assert settings.keys() <= SETTINGS.keys()
    assert not settings.keys() & {each.name for each in variables() if each.secret}
    assert "Secret" not in {each["kind"] for each in documents}
    sources = container(documents)["envFrom"]
    assert {"secretRef": {"name": "agent-keys"}} in sources
    [config_map] = [each["configMapRef"]["name"] for each in sources if "configMapRef" in each]
    assert config_map == one(documents, "ConfigMap")["metadata"]["name"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_pods_meet_the_restricted_standard_of_pod_security(name: str) -> None:
    """Each rule of kubernetes.io/docs/concepts/security/pod-security-standards, `restricted`."""
    spec, own = pod(overlay(name))["spec"], container(overlay(name))
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["securityContext"]["allowPrivilegeEscalation"] is False
    assert own["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {kind for each in spec["volumes"] for kind in each if kind != "name"} == {"emptyDir"}
    assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}
    assert own["securityContext"]["readOnlyRootFilesystem"] is True
    assert spec["automountServiceAccountToken"] is False
    account = one(overlay(name), "ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    assert spec["serviceAccountName"] == account["metadata"]["name"]


def test_the_user_the_port_and_the_folders_are_those_of_the_image() -> None:
    documents = overlay("production")
    dockerfile = (PROJECT / "Dockerfile").read_text("utf-8")
    user = pod(documents)["spec"]["securityContext"]
    assert f"USER {user['runAsUser']}:{user['runAsGroup']}" in dockerfile
    own, settings = container(documents), one(documents, "ConfigMap")["data"]
    ports = {each["name"]: each["containerPort"] for each in own["ports"]}
    assert f"AGENT_HTTP_PORT={ports['http']}" in dockerfile
    assert ports["metrics"] == int(settings["AGENT_METRICS_PORT"])
    mounted = {each["mountPath"] for each in own["volumeMounts"]}
    assert "/tmp" in mounted
    assert any(settings["AGENT_RECORD_DIR"].startswith(f"{each}/") for each in mounted)


def test_probes_ask_pages_that_exist_and_leave_out_obstacles_that_exist() -> None:
    own = container(overlay("minimal"))
    assert own["startupProbe"]["httpGet"] == own["livenessProbe"]["httpGet"]
    assert own["livenessProbe"]["httpGet"]["path"] == "/livez"
    page, _, query = own["readinessProbe"]["httpGet"]["path"].partition("?")
    left_out = set(re.findall(r"exclude=(\w+)", query))
    assert page == "/readyz"
    assert left_out == OCCUPIED <= set(OBSTACLES)
    for each in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert own[each]["httpGet"]["port"] in {port["name"] for port in own["ports"]}


def test_keda_asks_for_a_metric_that_exists_and_counts_places_as_the_worker_does() -> None:
    documents = overlay("production")
    spec = one(documents, "ScaledObject")["spec"]
    places = next(each for each in spec["triggers"] if each["name"] == "places")
    query = places["metadata"]["query"]
    assert set(re.findall(r"agent_\w+", query)) <= {each.name for each in DECLARED}
    assert f'namespace="{documents[0]["metadata"]["namespace"]}"' in query
    settings = one(documents, "ConfigMap")["data"]
    assert places["metadata"]["threshold"] == settings["AGENT_MAX_CALLS"]
    assert query.endswith(f"+ {settings['AGENT_MAX_CALLS']}")
    assert "replicas" not in one(documents, "Deployment")["spec"]
    assert spec["minReplicaCount"] >= 2


@pytest.mark.parametrize("colour", ["blue", "green"])
def test_keda_scales_its_own_colour(colour: str) -> None:
    target = one(overlay(colour), "ScaledObject")["spec"]["scaleTargetRef"]["name"]
    assert target == one(overlay(colour), "Deployment")["metadata"]["name"] == f"agent-{colour}"


def test_prometheus_reads_kedas_query(tmp_path: Path) -> None:
    triggers = one(overlay("production"), "ScaledObject")["spec"]["triggers"]
    rule = {"record": "agent:places_wanted", "expr": triggers[0]["metadata"]["query"]}
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "keda", "rules": [rule]}]}))
    done = subprocess.run(
        [str(find("promtool")), "check", "rules", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert "1 rules found" in done.stdout, done.stderr


def test_whoever_is_let_out_of_the_policy_is_who_the_worker_calls() -> None:
    policy = one(overlay("production"), "NetworkPolicy")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    out = {(each["protocol"], each["port"]) for rule in policy["egress"] for each in rule["ports"]}
    assert out == {
        *(("UDP", 53), ("TCP", 53)),
        *(("TCP", 443), ("TCP", 7880), ("TCP", 7881)),
        *(("UDP", 50000), ("UDP", 7882), ("UDP", 3478)),
        ("TCP", 6379),
    }
    blocks = [peer["ipBlock"] for rule in policy["egress"] for peer in rule.get("to", [])]
    world = next(each for each in blocks if each["cidr"] == "0.0.0.0/0")
    assert world["except"] == ["169.254.0.0/16"]
    ports = {each["containerPort"] for each in container(overlay("production"))["ports"]}
    into = {each["port"] for rule in policy["ingress"] for each in rule["ports"]}
    assert into == ports
    assert all(rule["from"] for rule in policy["ingress"])


def test_an_update_in_production_is_slow_enough_for_assemblyais_limit() -> None:
    """docs/scale.md: what it may take at least, if callers use 70 % of the limit."""
    spec = one(overlay("production"), "Deployment")["spec"]
    at_once = int(spec["strategy"]["rollingUpdate"]["maxSurge"].removesuffix("%")) / 100
    minutes = spec["minReadySeconds"] / at_once / 60
    assert minutes >= least_minutes(call_seconds=180, used_share=0.7)


def test_stopping_follows_the_settings_and_scaling_down_follows_calls() -> None:
    spec = one(overlay("production"), "ScaledObject")["spec"]
    behaviour = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    down = behaviour["scaleDown"]
    drain_seconds = AgentSettings().drain_seconds
    assert one(overlay("production"), "ConfigMap")["data"]["AGENT_DRAIN_SECONDS"] == str(
        drain_seconds
    )
    assert down["stabilizationWindowSeconds"] >= drain_seconds
    assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 60}]
