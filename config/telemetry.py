"""What goes to a collector of OpenTelemetry, by its own standard variables (`OTEL_*`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

PREFIX = "OTEL_"
CONTENTS = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""What people and models said goes out with this alone. Unset, it stays here; LiveKit's own default
is to send it."""

Signal = Literal["TRACES", "METRICS"]
_PROTOCOLS = ("http/protobuf", "grpc")
_TRUE = ("true", "1", "yes", "on", "span_only", "span_and_event")


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Which signals go out, to where and with what. By default nothing does."""

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variables of OpenTelemetry that are set. OpenTelemetry's exporters read most of them
    themselves, from the environment."""

    @property
    def traces(self) -> bool:
        """Whether spans go out."""
        return self._exports("TRACES")

    @property
    def metrics(self) -> bool:
        """Whether measurements go out."""
        return self._exports("METRICS")

    @property
    def contents(self) -> bool:
        """Whether spans may hold what was said, tools' arguments and who is calling."""
        return self.variables.get(CONTENTS, "").strip().lower() in _TRUE

    def is_grpc(self, signal: Signal) -> bool:
        """Whether this signal travels by gRPC. The default is OpenTelemetry's: protobuf by HTTP."""
        return self._of(signal, "EXPORTER_OTLP_{}PROTOCOL").strip() == "grpc"

    def notes(self) -> list[str]:
        """What is set and not understood, a sentence each; no sentence holds a value."""
        known = {
            **{f"OTEL_{each}_EXPORTER": ("otlp", "none") for each in ("TRACES", "METRICS")},
            **{
                f"OTEL_EXPORTER_OTLP_{each}PROTOCOL": _PROTOCOLS
                for each in ("", "TRACES_", "METRICS_")
            },
        }
        return [
            f"{name} has no effect: only {' and '.join(values)} are known here"
            for name, values in known.items()
            if self.variables.get(name, values[0]).strip().lower() not in values
        ]

    def secrets(self) -> set[str]:
        """Texts that no log line may hold: the values of headers, and passwords in addresses."""
        return {text for name, value in self.variables.items() for text in _secrets(name, value)}

    def _exports(self, signal: Signal) -> bool:
        if self.variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return False
        chosen = self.variables.get(f"OTEL_{signal}_EXPORTER", "").strip().lower()
        has_endpoint = bool(self._of(signal, "EXPORTER_OTLP_{}ENDPOINT"))
        return chosen == "otlp" or (not chosen and has_endpoint)

    def _of(self, signal: Signal, name: str) -> str:
        """The value for one signal, or else for all of them."""
        own, common = (f"{PREFIX}{name.format(part)}" for part in (f"{signal}_", ""))
        return self.variables.get(own) or self.variables.get(common, "")


def telemetry_of(found: Mapping[str, str]) -> Telemetry:
    """From all variables that are set."""
    return Telemetry({name: text for name, text in found.items() if name.startswith(PREFIX)})


def _secrets(name: str, value: str) -> Iterator[str]:
    if name.endswith("_HEADERS"):
        for header in value.split(","):
            secret = header.partition("=")[2].strip()
            plain = unquote(secret)
            yield from {secret, plain, plain.rpartition(" ")[2]} - {""}
    elif name.endswith("_ENDPOINT"):
        parts = urlsplit(value)
        yield from {parts.password or "", parts.query} - {""}
