"""Which of OpenTelemetry's variables mean what."""

from collections.abc import Mapping

import pytest

from config.telemetry import CONTENTS, Telemetry, telemetry_of

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    ("variables", "traces", "metrics"),
    [
        ({}, False, False),
        (ENDPOINT, True, True),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "TRUE"}, False, False),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "false"}, True, True),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, False, True),
        (ENDPOINT | {"OTEL_METRICS_EXPORTER": " None "}, True, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True, False),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/metrics"}, False, True),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "zipkin"}, False, True),
    ],
)
def test_a_signal_goes_out_where_its_variables_say_so(
    variables: Mapping[str, str], traces: bool, metrics: bool
) -> None:
    found = telemetry_of(variables)
    assert (found.traces, found.metrics) == (traces, metrics)


def test_other_programs_variables_are_left_alone() -> None:
    assert telemetry_of({"PATH": "/bin", "AGENT_NAME": "x"} | ENDPOINT).variables == ENDPOINT


@pytest.mark.parametrize(
    ("text", "wanted"), [("true", True), ("SPAN_ONLY", True), ("false", False)]
)
def test_contents_go_out_if_the_conventions_variable_says_so(text: str, wanted: bool) -> None:
    assert telemetry_of({CONTENTS: text}).contents is wanted


def test_contents_stay_here_by_default() -> None:
    assert not Telemetry().contents


def test_a_protocol_is_for_all_signals_or_for_one() -> None:
    grpc = Telemetry({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    assert grpc.is_grpc("TRACES")
    assert grpc.is_grpc("METRICS")
    own = Telemetry({"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc"})
    assert own.is_grpc("METRICS")
    assert not own.is_grpc("TRACES")


def test_what_is_not_understood_is_named_without_its_value() -> None:
    odd = {"OTEL_TRACES_EXPORTER": "zipkin", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}
    notes = Telemetry(odd).notes()
    assert [note.split(" ")[0] for note in notes] == [*odd]
    assert not any("zipkin" in note or "http/json" in note for note in notes)
    assert Telemetry(ENDPOINT | {"OTEL_TRACES_EXPORTER": "otlp"}).notes() == []


def test_headers_and_passwords_in_addresses_are_secret() -> None:
    found = Telemetry(
        {
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=k3y-of-ours, authorization=Basic%20dXNlcjpwdw==",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://me:passw0rd@host/v1/traces?token=t0ken",
            "OTEL_SERVICE_NAME": "shop",
        }
    ).secrets()
    assert found == {
        "k3y-of-ours",
        "Basic%20dXNlcjpwdw==",
        "Basic dXNlcjpwdw==",
        "dXNlcjpwdw==",
        "passw0rd",
        "token=t0ken",
    }


def test_a_value_is_not_shown_with_the_others() -> None:
    assert "k3y" not in repr(Telemetry({"OTEL_EXPORTER_OTLP_HEADERS": "api-key=k3y"}))
