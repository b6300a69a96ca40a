"""How measurements are kept."""

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from agent.telemetry.views import SECONDS, TOKENS, VIEWS


def test_a_turns_wait_falls_into_a_bucket_of_its_size_and_calls_share_a_series() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], views=VIEWS, shutdown_on_exit=False)
    meter = provider.get_meter("test")
    waits = meter.create_histogram("lk.agents.turn.e2e_latency", unit="s")
    tokens = meter.create_histogram("gen_ai.client.token.usage", unit="{token}")
    characters = meter.create_counter("lk.agents.usage.tts_characters")
    for room in ("RM_1", "RM_2"):
        of_call = {"model_name": "m", "room_id": room, "job_id": room}
        waits.record(0.7, attributes=of_call)
        tokens.record(100, attributes=of_call)
        characters.add(10, attributes=of_call)
    data = reader.get_metrics_data()
    assert data
    found = {
        metric.name: [*metric.data.data_points]
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert all(len(points) == 1 for points in found.values())
    assert all(points[0].attributes == {"model_name": "m"} for points in found.values())
    waited = found["lk.agents.turn.e2e_latency"][0]
    assert waited.explicit_bounds == SECONDS
    assert waited.bucket_counts[SECONDS.index(0.8)] == 2
    assert found["gen_ai.client.token.usage"][0].explicit_bounds == TOKENS
    assert found["lk.agents.usage.tts_characters"][0].value == 20
