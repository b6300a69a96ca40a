"""How LiveKit's measurements are kept: buckets that fit seconds, and no label for each call."""

from opentelemetry.sdk.metrics import Histogram
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View

SECONDS = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0),
    *(4.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0),
)
"""OpenTelemetry's own buckets are for milliseconds: nearly every turn would fall into the first."""

TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576)
"""The GenAI convention's."""

LABELS = frozenset(
    {
        "connection_reused",
        "error.type",
        "gen_ai.agent.name",
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "gen_ai.token.type",
        "gen_ai.tool.name",
        "model_name",
        "model_provider",
        "severity",
    }
)
"""What tells measurements apart. LiveKit adds the room's and the job's id to each, which would make
a series of every call."""

VIEWS = (
    View(
        instrument_type=Histogram,
        instrument_unit="s",
        attribute_keys=set(LABELS),
        aggregation=ExplicitBucketHistogramAggregation(SECONDS),
    ),
    View(
        instrument_type=Histogram,
        instrument_unit="{token}",
        attribute_keys=set(LABELS),
        aggregation=ExplicitBucketHistogramAggregation(TOKENS),
    ),
    View(instrument_name="lk.agents.usage.*", attribute_keys=set(LABELS)),
)
