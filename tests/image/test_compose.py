"""compose.yaml: a talking agent with one command, for this machine alone."""

import subprocess
import sys
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs in the lock
from dotenv import dotenv_values

from config.behaviour import AgentSettings
from workbench.local.running import PROJECT
from workbench.standins.assemblyai_v3.server import LOCAL_KEY as ASSEMBLYAI_KEY
from workbench.standins.openai_v1.server import LOCAL_KEY as OPENAI_KEY

COMPOSE = PROJECT / "compose.yaml"
OURS = ("agent", "page", "standins")
TALKING = {"livekit", "agent", "page"}


@pytest.fixture
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return found


def test_it_is_what_the_compose_specification_allows() -> None:
    # The specification's JSON schema is in this package.
    schema = ["check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    checked = subprocess.run([sys.executable, "-m", *schema], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_without_a_profile_there_are_a_server_an_agent_and_a_page(services: Any) -> None:
    profiles = {name: service.get("profiles", []) for name, service in services.items()}
    assert {name for name, names in profiles.items() if not names} == TALKING
    assert profiles["standins"] == ["standins"]
    assert profiles["prometheus"] == profiles["grafana"] == ["monitoring"]


def test_nothing_is_published_beyond_this_machine(services: Any) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert "127.0.0.1:8790:8790" in ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", OURS)
def test_what_is_ours_may_write_nothing_and_become_nobody(services: Any, name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_calls_may_end_before_compose_kills_the_worker(services: Any) -> None:
    granted = services["agent"]["stop_grace_period"]
    assert int(granted.removesuffix("s")) > AgentSettings().drain_seconds


def test_compose_starts_a_worker_again_that_died(services: Any) -> None:
    assert services["agent"]["restart"] in ("unless-stopped", "always")


def test_the_agent_and_the_page_share_the_servers_address_and_keys(services: Any) -> None:
    agent, page = services["agent"], services["page"]
    assert agent["network_mode"] == page["network_mode"] == "service:livekit"
    assert page["environment"].items() <= agent["environment"].items()
    key, secret = (page["environment"][f"LIVEKIT_API_{part}"] for part in ("KEY", "SECRET"))
    config = yaml.safe_load(services["livekit"]["environment"]["LIVEKIT_CONFIG"])
    assert config["keys"] == {key: secret}
    assert page["environment"]["LIVEKIT_URL"] == f"ws://127.0.0.1:{config['port']}"
    # With a `node_ip` all addresses are offered as that one, and the browser finds no way in.
    assert config["rtc"]["use_ice_lite"] is True
    assert config["rtc"]["enable_loopback_candidate"] is True
    assert "node_ip" not in config["rtc"]
    published = services["livekit"]["ports"]
    for port in (f"{config['port']}", f"{config['rtc']['udp_port']}/udp"):
        assert f"127.0.0.1:{port.removesuffix('/udp')}:{port}" in published


def test_the_file_for_the_stand_ins_leads_the_agent_to_them(services: Any) -> None:
    file = PROJECT / "deploy/compose/standins.env"
    found = dotenv_values(file)
    assert found["COMPOSE_PROFILES"] == "standins"
    assert PROJECT / (found["PROVIDERS"] or "") == file
    assert services["agent"]["env_file"][1]["path"] == "${PROVIDERS:-.env}"
    assert (found["ASSEMBLYAI_API_KEY"], found["OPENAI_API_KEY"]) == (ASSEMBLYAI_KEY, OPENAI_KEY)
    program = (PROJECT / services["standins"]["build"]["dockerfile"]).read_text("utf-8")
    assert '"--port", "8791", "--openai-port", "8792"' in program
    assert found["ASSEMBLYAI_BASE_URL"] == "ws://127.0.0.1:8791"
    assert found["OPENAI_BASE_URL"] == "http://127.0.0.1:8792/v1"


def test_prometheus_asks_where_the_agent_answers(services: Any) -> None:
    asked = yaml.safe_load((PROJECT / "deploy/monitoring/prometheus.yml").read_text("utf-8"))
    targets = asked["scrape_configs"][0]["static_configs"][0]["targets"]
    port = services["agent"]["environment"]["AGENT_METRICS_PORT"]
    assert targets == [f"127.0.0.1:{port}"]
    assert services["prometheus"]["network_mode"] == services["agent"]["network_mode"]


def test_what_it_mounts_exists(services: Any) -> None:
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]
    files = [PROJECT / mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert len(files) == 4
    assert [file for file in files if not file.exists()] == []


def test_the_images_leave_out_what_holds_keys() -> None:
    for ignored in (".dockerignore", "deploy/image/standins.Dockerfile.dockerignore"):
        lines = (PROJECT / ignored).read_text("utf-8").splitlines()
        assert next(line for line in lines if not line.startswith("#")) == "*"
        assert "**/.env*" in lines
