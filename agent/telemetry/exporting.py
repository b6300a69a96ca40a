"""Sends the spans and measurements of a job's process to a collector, if one is set.

LiveKit makes most of them: they go to the providers that are installed here. A collector that is
slow or away costs a call nothing: threads of OpenTelemetry's own send, and a process ends
`FLUSH_SECONDS` after its last call at the latest.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from multiprocessing.util import Finalize

from livekit.agents import telemetry
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from agent.personal_data import CARDS, Rules
from agent.telemetry.contents import Contents
from agent.telemetry.views import VIEWS
from config.telemetry import Telemetry

log = logging.getLogger(__name__)

FLUSH_SECONDS = 2
"""How long a process that has held its last call waits for a collector."""

QUIET_SECONDS = 60
"""A collector that is away is told once in this time."""

SERVICE = "livekit-agent"
"""The service's name where OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES give none."""


class _Cleaned(SpanExporter):
    """Sends spans on, without what must not leave."""

    def __init__(self, target: SpanExporter, contents: Contents) -> None:
        self._target = target
        self._contents = contents

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._target.export([self._contents.without(each) for each in spans])

    def shutdown(self) -> None:
        self._target.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._target.force_flush(timeout_millis)


class SeldomTold(logging.Filter):
    """Lets one line through in `QUIET_SECONDS`: exporters log each batch that is lost."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._next = 0.0

    def filter(self, _: logging.LogRecord) -> bool:
        now = self._now()
        if now < self._next:
            return False
        self._next = now + QUIET_SECONDS
        return True


def begin(chosen: Telemetry, secrets: Iterable[str], rules: Rules = CARDS) -> None:
    """Send what this process does from here on. Call it once a process; without a collector it
    does nothing."""
    if not (chosen.traces or chosen.metrics):
        return
    telemetry.gen_ai.set_capture_content(chosen.contents)
    resource = _resource()
    ends: list[Callable[[], object]] = []
    if chosen.traces:
        contents = Contents(secrets, wanted=chosen.contents, rules=rules)
        spans = tracer_provider(_span_exporter(chosen), contents, resource)
        trace.set_tracer_provider(spans)
        telemetry.set_tracer_provider(spans, allow_pii=chosen.contents)
        ends.append(spans.shutdown)
    if chosen.metrics:
        reader = PeriodicExportingMetricReader(_metric_exporter(chosen))
        measured = MeterProvider([reader], resource=resource, shutdown_on_exit=False, views=VIEWS)
        metrics.set_meter_provider(measured)
        ends.append(measured.shutdown)
    for name in ("http.trace_exporter", "http.metric_exporter", "grpc.exporter"):
        logging.getLogger(f"opentelemetry.exporter.otlp.proto.{name}").addFilter(SeldomTold())
    # A job's process ends without Python's `atexit`; multiprocessing calls this in both kinds.
    Finalize(None, finish, args=(ends,), exitpriority=0)


def tracer_provider(
    exporter: SpanExporter, contents: Contents, resource: Resource
) -> TracerProvider:
    """Spans go through `contents` to `exporter`, in batches, from a thread."""
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_Cleaned(exporter, contents)))
    return provider


def finish(ends: Sequence[Callable[[], object]], seconds: float = FLUSH_SECONDS) -> None:
    """Send what is left, for at most `seconds`; what the collector has not taken then is lost."""
    threads = [threading.Thread(target=each, name="telemetry", daemon=True) for each in ends]
    for each in threads:
        each.start()
    deadline = time.monotonic() + seconds
    for each in threads:
        each.join(max(0.0, deadline - time.monotonic()))
    if any(each.is_alive() for each in threads):
        log.warning("the collector did not take the end of a call's telemetry")


def send_now() -> None:
    """Send what a call has left, from threads. By themselves measurements wait for a minute: a
    process that goes on after a call does this at the call's end."""
    for provider in (trace.get_tracer_provider(), metrics.get_meter_provider()):
        if isinstance(provider, TracerProvider | MeterProvider):
            args = (provider.force_flush,)
            threading.Thread(target=_tried, args=args, name="telemetry", daemon=True).start()


def _tried(flush: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):  # of any kind: the exporters have logged it
        flush()


def _resource() -> Resource:
    """OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, and an id of this process."""
    found = Resource.create()
    if str(found.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return found.merge(Resource({SERVICE_NAME: SERVICE}))
    return found


def _span_exporter(chosen: Telemetry) -> SpanExporter:
    if chosen.is_grpc("TRACES"):
        from opentelemetry.exporter.otlp.proto.grpc import trace_exporter

        return trace_exporter.OTLPSpanExporter()
    return OTLPSpanExporter()


def _metric_exporter(chosen: Telemetry) -> MetricExporter:
    if chosen.is_grpc("METRICS"):
        from opentelemetry.exporter.otlp.proto.grpc import metric_exporter

        return metric_exporter.OTLPMetricExporter()
    return OTLPMetricExporter()
