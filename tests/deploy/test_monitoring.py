"""Alerts and dashboard, against the metrics that exist, and by Prometheus' own checks."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from agent.worker.metrics import DECLARED
from workbench.local.prometheus import find
from workbench.local.running import PROJECT

MONITORING = PROJECT / "deploy/monitoring"
UNIT_TESTS = Path(__file__).with_name("alerts_test.yml")
ALERTS = {
    *("AgentCallersWaiting", "AgentReplaced", "AgentReplyTime"),
    *("AgentProviderFailing", "AgentRepliesWasted", "AgentFull"),
}
NAME = re.compile(r"\b(?:lk_)?agents?_[a-z0-9_]+")


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((MONITORING / "alerts.yml").read_text("utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))
    return found


def expressions() -> Iterator[str]:
    """Of alerts and dashboard, as Prometheus gets them."""
    yield from (each["expr"] for each in rules())
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")


def samples() -> set[str]:
    """The names of all series on the page of metrics, also of those that appear later."""
    shown = {each.name for metric in REGISTRY.collect() for each in metric.samples}
    for each in DECLARED:
        ends = ("_bucket", "_sum", "_count") if each.kind == "histogram" else ("",)
        shown |= {each.name + end for end in ends}
    return shown


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_name_and_every_label_exists(expression: str) -> None:
    names = {each for each in NAME.findall(expression) if each in samples()}
    assert names
    labels = {"instance", "le"} | {
        label for each in DECLARED if names & series(each.name) for label in each.labels
    }
    used = re.findall(r"[{,](\w+)=", expression)
    grouped = re.findall(r"\bby \(([\w, ]+)\)", expression)
    for label in [*used, *(each.strip() for some in grouped for each in some.split(","))]:
        assert label in labels, label
    unknown = set(NAME.findall(expression)) - samples() - labels
    assert not unknown


def series(name: str) -> set[str]:
    return {name, *(f"{name}{end}" for end in ("_bucket", "_sum", "_count"))}


def test_the_values_that_alerts_look_for_exist() -> None:
    shown = {
        (key, value)
        for metric in REGISTRY.collect()
        for each in metric.samples
        for key, value in each.labels.items()
    }
    for rule in rules():
        for label, values in re.findall(r'(\w+)=~?"([\w.|+]+)"', rule["expr"]):
            for value in values.split("|"):
                assert (label, value) in shown


def test_there_are_six_alerts_and_each_says_what_to_do() -> None:
    assert {each["alert"] for each in rules()} == ALERTS
    for each in rules():
        assert each["annotations"]["summary"]
        assert len(each["annotations"]["description"]) > 80


def test_each_alert_has_unit_tests_in_which_it_fires_and_does_not() -> None:
    tests = yaml.safe_load(UNIT_TESTS.read_text("utf-8"))["tests"]
    silent = {one["alertname"] for each in tests for one in each.get("alert_rule_test", [])}
    firing = {
        re.findall(r'alertname="(\w+)"', one["expr"])[0]
        for each in tests
        for one in each.get("promql_expr_test", [])
    }
    assert silent == firing == ALERTS


def test_the_dashboard_can_be_imported() -> None:
    panels = dashboard()["panels"]
    assert len({each["id"] for each in panels}) == len(panels) >= 12
    assert {each["datasource"]["uid"] for each in panels} == {"${datasource}"}
    for each in panels:
        place = each["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert each["title"]


def promtool(*arguments: object) -> str:
    command = [str(find("promtool")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_prometheus_takes_the_configuration_with_its_rules() -> None:
    assert "6 rules found" in promtool("check", "rules", MONITORING / "alerts.yml")
    promtool("check", "config", MONITORING / "prometheus.yml")


@pytest.mark.slow
def test_the_alerts_pass_their_unit_tests() -> None:
    promtool("test", "rules", UNIT_TESTS)


@pytest.mark.slow
def test_prometheus_reads_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    recorded = [
        {"record": f"panel:number_{number}", "expr": each}
        for number, each in enumerate(expressions())
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": recorded}]}))
    assert f"{len(recorded)} rules found" in promtool("check", "rules", file)
