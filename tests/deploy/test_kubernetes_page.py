"""The commands of docs/deploy.md for Kubernetes, executed as far as they go without a cluster.

`kubectl` is a script here: it renders with Kustomize what would be applied, and notes the rest.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.doctor.check import State
from agent.doctor.kubernetes import judge
from agent.doctor.manifests import workers
from agent.worker.metrics import DECLARED
from workbench.bench.scale.sizing import fleet
from workbench.local.kustomize import find_or_build, render
from workbench.local.prometheus import find
from workbench.local.running import PROJECT

pytestmark = pytest.mark.slow

PAGE = (PROJECT / "docs/deploy.md").read_text("utf-8")
SECTION = PAGE.split("\n## Kubernetes\n")[1].split("\n## ")[0]
FENCED = re.findall(r"^```(\w*)\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)
BLOCKS = [text for language, text in FENCED if not language]
YAML = [text for language, text in FENCED if language == "yaml"]
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
INLINE = [each for each in re.findall(r"`([^`\n]+)`", SECTION) if " " in each or "(" in each]
KUBECTL = """\
#!/bin/bash
echo "$@" >> "$NOTED"
file="${@: -1}"
case "$*" in
  kustomize*) exec "$KUSTOMIZE" build "$2" ;;
  *"apply -k"*) exec "$KUSTOMIZE" build "$file" >> "$APPLIED" ;;
  *"apply"*"-f -") exec cat >> "$APPLIED" ;;
  *"apply"*"-f"*) exec cat "$file" >> "$APPLIED" ;;
  *"get deployment/"*) echo 3 ;;
  *"get deployments,"*"-o yaml")
    "$KUSTOMIZE" build deploy/kubernetes/overlays/minimal | python -c "$LIST"
    ;;
esac
"""
LIST = """\
import json, sys, yaml
print(json.dumps({"kind": "List", "items": list(yaml.safe_load_all(sys.stdin))}))
"""
DOCKER = '#!/bin/bash\nshift 4\nexec python agent.py "$@"\n'


@dataclass(frozen=True)
class Shell:
    """Where commands are typed: in the project, with our `kubectl` and `docker`."""

    folder: Path

    def type(self, command: str) -> tuple[str, list[dict[str, Any]], list[str]]:
        """What it prints, what it applies, and what `kubectl` is asked. It has to succeed."""
        noted, applied = self.folder / "noted", self.folder / "applied"
        noted.write_text("")
        applied.write_text("")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=PROJECT,
            env=os.environ
            | {
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                "KUSTOMIZE": str(asyncio.run(find_or_build(print))),
                "NOTED": str(noted),
                "LIST": LIST,
                "APPLIED": str(applied),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        objects = [each for each in yaml.safe_load_all(applied.read_text()) if each]
        return done.stdout, objects, noted.read_text().splitlines()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    python = f'#!/bin/bash\nexec {sys.executable} "$@"\n'
    for name, script in (("kubectl", KUBECTL), ("docker", DOCKER), ("python", python)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    return Shell(tmp_path)


def objects() -> set[str]:
    """What all overlays make, as `kubectl` names it."""
    program = asyncio.run(find_or_build(print))
    found = set()
    for overlay in sorted((PROJECT / "deploy/kubernetes/overlays").iterdir()):
        done = subprocess.run(
            [str(program), "build", str(overlay)], capture_output=True, text=True, check=True
        )
        for each in yaml.safe_load_all(done.stdout):
            found.add(f"{each['kind'].lower()}/{each['metadata']['name']}")
            assert each["metadata"]["namespace"] == "voice"
    return found


def test_there_are_three_commands_to_deploy_and_three_for_each_kind_of_update() -> None:
    assert [len(each.splitlines()) for each in BLOCKS] == [3, 3, 1, 3, 3]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs_and_names_what_is_there(command: str, shell: Shell) -> None:
    printed, applied, asked = shell.type(command)
    assert asked
    if "doctor" in command:
        assert "Nothing is wrong." in printed
    if " apply " in command:
        assert applied
    if "PrometheusRule" in command:
        alerts = yaml.safe_load((PROJECT / "deploy/monitoring/alerts.yml").read_text("utf-8"))
        [rule] = applied
        assert (rule["kind"], rule["spec"]) == ("PrometheusRule", alerts)


def test_the_objects_and_the_namespace_that_commands_name_exist() -> None:
    there = objects()
    kubectl = [each for each in (*COMMANDS, *INLINE) if "kubectl" in each]
    named = {
        name
        for each in kubectl
        for name in re.findall(r"\b(?:deployment|scaledobject)/[\w-]+", each)
    }
    assert len(named) >= 4
    assert named <= there
    assert {space for each in kubectl for space in re.findall(r"-n (\w+)", each)} == {"voice"}
    assert any("secret generic agent-keys " in each for each in kubectl)


def test_the_overlay_of_ones_own_passes_the_doctor(tmp_path: Path) -> None:
    [text] = [each for each in YAML if "Kustomization" in each]
    overlay = tmp_path / "kustomization.yaml"
    up = os.path.relpath(PROJECT / "deploy/kubernetes", tmp_path.resolve())
    overlay.write_text(text.replace("../..", up))
    documents = list(yaml.safe_load_all(render(asyncio.run(find_or_build(print)), tmp_path)))
    assert {each.state for each in judge(workers(documents))} == {State.OK}
    assert {each["metadata"]["namespace"] for each in documents} == {"telephone"}
    assert "HorizontalPodAutoscaler" in {each["kind"] for each in documents}


def test_the_files_and_folders_that_the_section_names_exist() -> None:
    kubernetes = PROJECT / "deploy/kubernetes"
    named = set(re.findall(r"`((?:base|components|overlays)[\w/.-]*)`", SECTION))
    named |= {
        each.removeprefix("deploy/kubernetes/")
        for each in re.findall(r"deploy/kubernetes/[\w/.-]+", SECTION)
    }
    assert len(named) >= 9
    assert not [each for each in named if not (kubernetes / each).exists()]


def queries() -> Iterator[str]:
    for each in INLINE:
        if each.startswith("sum"):
            yield each


def test_what_is_to_be_watched_can_be_asked_of_prometheus(tmp_path: Path) -> None:
    found = list(queries())
    assert len(found) >= 5
    names = {name for each in found for name in re.findall(r"agent_\w+", each)}
    assert names <= {each.name for each in DECLARED}
    rules = [{"record": f"watch:{at}", "expr": each} for at, each in enumerate(found)]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "watch", "rules": rules}]}))
    config = tmp_path / "prometheus.yml"
    [snippet] = [text for text in YAML if "scrape_configs" in text]
    # Debian's promtool knows no Kubernetes: how pods are found is compared by hand.
    scraping = yaml.safe_load(snippet)
    [job] = scraping["scrape_configs"]
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod", "namespaces": {"names": ["voice"]}}]
    config.write_text(json.dumps(scraping))
    for what, path in (("rules", file), ("config", config)):
        done = subprocess.run(
            [str(find("promtool")), "check", what, str(path)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_table_of_sizes_is_what_the_arithmetic_says() -> None:
    rows = [
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in SECTION.split("### How large")[1].split("###")[0].splitlines()
        if re.match(r"\| [0-9]", line)
    ]
    assert [row[0] for row in rows] == ["100", "1,000", "10,000"]
    for row in rows:
        size = fleet(int(row[0].replace(",", "")), calls_per_pod=8, call_seconds=180)
        assert row[1:] == [
            f"{size.pods:,}",
            f"{size.cores:,.0f}",
            f"{size.memory_gb:,.0f} GB",
            f"{size.livekit_cores:,.0f} cores, {size.livekit_nodes} nodes",
            f"{size.redis_commands_per_second:,.0f}",
            f"{size.new_sessions_per_minute:,.0f}",
        ]
