"""The proof of the alerts: every alert has its fault, and Prometheus is asked as it answers."""

import re

import aiohttp
import pytest
from aiohttp import web

from workbench.bench.alerts.__main__ import Proof
from workbench.bench.alerts.faults import PLANTED
from workbench.bench.alerts.minute import changes
from workbench.bench.alerts.prometheus_server import SHIPPED, Prometheus, asking
from workbench.standins.listening import Listener

ANSWERS = {
    "/api/v1/alerts": {
        "alerts": [
            {"labels": {"alertname": "AgentFull"}, "state": "pending"},
            {"labels": {"alertname": "AgentReplaced"}, "state": "firing"},
            {"labels": {"alertname": "AgentReplaced"}, "state": "firing"},
        ]
    },
    "/api/v1/query": {"result": [{"metric": {}, "value": [1.0, "2.5"]}]},
}


async def answer(request: web.Request) -> web.Response:
    data = ANSWERS[request.path]
    if request.query.get("query") == "nothing":
        data = {"result": []}
    return web.json_response({"status": "success", "data": data})


def test_every_alert_that_we_ship_has_its_fault() -> None:
    shipped = re.findall(r"alert: (\w+)", (SHIPPED / "alerts.yml").read_text("utf-8"))
    assert sorted(shipped) == sorted(each.alert for each in PLANTED)


def test_the_shipped_intervals_and_rules_are_used_for_other_workers() -> None:
    shipped = (SHIPPED / "prometheus.yml").read_text("utf-8")
    asked = asking(["127.0.0.1:1", "127.0.0.1:2"])
    for line in shipped.splitlines():
        assert line in asked or "9091" in line or "alerts.yml" in line
    assert str(SHIPPED / "alerts.yml") in asked
    assert re.findall(r"- (127\S+)", asked) == ["127.0.0.1:1", "127.0.0.1:2"]


async def test_alerts_that_are_only_pending_do_not_fire() -> None:
    app = web.Application()
    app.router.add_get("/{rest:.*}", answer)
    async with Listener(app) as server, aiohttp.ClientSession(f"http://{server.address}") as http:
        prometheus = Prometheus(http)
        assert await prometheus.firing() == {"AgentReplaced"}
        assert await prometheus.value("something") == 2.5
        assert await prometheus.value("nothing") is None


@pytest.mark.parametrize(
    ("was_silent", "seconds", "holds"),
    [(True, 40.0, True), (True, None, False), (False, 0.0, False)],
)
def test_an_alert_that_fired_before_its_fault_proves_nothing(
    was_silent: bool, seconds: float | None, holds: bool
) -> None:
    assert Proof(PLANTED[0], was_silent, seconds).holds is holds


def test_a_minute_is_what_changed_of_our_own_metrics() -> None:
    before = """# TYPE agent_fillers counter
agent_fillers_total 2.0
agent_ready 1.0
"""
    after = """# TYPE agent_fillers counter
agent_fillers_total 5.0
agent_ready 1.0
agent_calls_total{ending="caller_left"} 1.0
agent_call_duration_seconds_bucket{le="10.0"} 1.0
python_gc_objects_collected_total 7.0
"""
    assert list(changes(before, after)) == [
        ("agent_fillers_total", "2", "5"),
        ('agent_calls_total{ending="caller_left"}', "0", "1"),
    ]
