"""Stands in for a collector of OpenTelemetry: takes OTLP by HTTP and keeps what came, decoded."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Span:
    """A span that came."""

    name: str
    span_id: str
    parent_id: str
    trace_id: str
    start: float
    """Unix seconds."""
    end: float
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    resource: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a measurement, with its labels; values are those that came last."""

    name: str
    labels: dict[str, Any]
    count: int
    total: float
    bounds: tuple[float, ...] = ()


@dataclass
class Received:
    """What a collector has received so far."""

    url: str = ""
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    """Every request, unpacked: to search for what must not be in it."""
    spans: list[Span] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition, repr=False)

    def wait_for(self, name: str, timeout_seconds: float) -> bool:
        """Wait in a thread until a span or a series of this name has come; whether it has."""
        with self.arrived:
            return self.arrived.wait_for(lambda: self._has(name), timeout_seconds)

    def _has(self, name: str) -> bool:
        return name in {each.name for each in self.spans} | {each.name for each in self.series}

    def texts(self) -> dict[str, str]:
        """Everything that came, as it would be found by a search for a word."""
        return {
            f"request {number}": body.decode("utf-8", errors="replace")
            for number, body in enumerate(self.bodies)
        }

    def named(self, name: str) -> list[Span]:
        """The spans of this name, in the order in which they came."""
        return [each for each in self.spans if each.name == name]


@contextmanager
def collector(*, is_frozen: bool = False) -> Iterator[Received]:
    """A collector on a free port of loopback. A frozen one takes requests and never answers."""
    received, thaw = Received(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if is_frozen:
                thaw.wait()
                return
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            with received.arrived:
                received.headers.append(dict(self.headers))
                received.bodies.append(body)
                if self.path.endswith("/v1/traces"):
                    received.spans += _spans(body)
                elif self.path.endswith("/v1/metrics"):
                    received.series += _series(body)
                received.arrived.notify_all()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    received.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    serving.start()
    try:
        yield received
    finally:
        thaw.set()
        server.shutdown()
        server.server_close()


def _spans(body: bytes) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        Span(
            name=span.name,
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            trace_id=span.trace_id.hex(),
            start=span.start_time_unix_nano / 1e9,
            end=span.end_time_unix_nano / 1e9,
            attributes=_plain(span.attributes),
            events=[(each.name, _plain(each.attributes)) for each in span.events],
            resource=_plain(group.resource.attributes),
        )
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


def _series(body: bytes) -> list[Series]:
    request = ExportMetricsServiceRequest.FromString(body)
    found = []
    for group in request.resource_metrics:
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                for point in metric.histogram.data_points:
                    bounds = tuple(point.explicit_bounds)
                    labels = _plain(point.attributes)
                    found.append(Series(metric.name, labels, point.count, point.sum, bounds))
                for number in metric.sum.data_points:
                    value = number.as_double or number.as_int
                    found.append(Series(metric.name, _plain(number.attributes), 1, value))
    return found


def _plain(attributes: Any) -> dict[str, Any]:
    """Attributes as a dictionary; a list as a list."""
    return {each.key: _value(MessageToDict(each.value)) for each in attributes}


def _value(found: dict[str, Any]) -> Any:
    for kind, value in found.items():
        if kind == "arrayValue":
            return [_value(each) for each in value.get("values", [])]
        return int(value) if kind == "intValue" else value
    return None
