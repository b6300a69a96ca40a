"""Writes docs/metrics.md from the declarations: `python -m agent.worker.metrics_page`."""

from collections.abc import Iterable

from agent.worker.metrics import DECLARED, Declared
from config.values import ROOT

PAGE = ROOT / "docs" / "metrics.md"

_HEAD = """\
# Metrics

`AGENT_METRICS_PORT` opens `/metrics` for Prometheus, on `AGENT_HTTP_HOST`; by default there is
none. [deploy/monitoring](../deploy/monitoring) has a configuration of Prometheus, six alerts and
a dashboard for Grafana that use these names. `make reference` makes this page from
`agent/worker/metrics.py`.

Job processes send numbers and enumerations, and no words, through a pipe to the worker, which
counts them. A turn counts when its reply is over, a call when it ends. Latencies and usage have
the names of LiveKit's OpenTelemetry metrics, as Prometheus spells them. The latencies come from
the call's record, in which a caller's voice ends where its sound ends.

On the same page are LiveKit's own `lk_agents_active_job_count`, `lk_agents_worker_load` (0.7:
full) and `lk_agents_proc_initialize_duration_seconds`. Its `lk_agents_child_process_count` stays
at 0: LiveKit sets it with Prometheus' multiprocess files alone.

"""


def page(declared: Iterable[Declared] = DECLARED) -> str:
    """The page: a row for each metric."""
    rows = [
        "| name | type | labels | unit | meaning | what to do |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(each) for each in declared),
    ]
    return _HEAD + "\n".join(rows) + "\n"


def _row(each: Declared) -> str:
    labels = ", ".join(f"`{label}`" for label in each.labels)
    cells = (f"`{each.name}`", each.kind, labels, each.unit, each.meaning, each.advice)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
