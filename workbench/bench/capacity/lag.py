"""How late the event loops of our worker's calls ran, out of its metrics."""

from collections.abc import Mapping

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

__all__ = ["Buckets", "fetch", "quantile"]

_NAME = "agent_call_event_loop_lag_seconds"

Buckets = Mapping[float, float]
"""From an upper bound in seconds to how many seconds of calls stayed within it."""


async def fetch(http: aiohttp.ClientSession, port: int) -> Buckets:
    """As they are now; nothing where the worker does not tell."""
    try:
        async with http.get(f"http://127.0.0.1:{port}/metrics") as response:
            text = await response.text()
    except aiohttp.ClientError:
        return {}
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(text)
        if family.name == _NAME
        for sample in family.samples
        if sample.name.endswith("_bucket")
    }


def quantile(before: Buckets, after: Buckets, share: float) -> float | None:
    """The least upper bound in seconds that `share` of what came between stayed within."""
    grown = {bound: count - before.get(bound, 0.0) for bound, count in sorted(after.items())}
    total = max(grown.values(), default=0.0)
    if not total:
        return None
    return next(bound for bound, count in grown.items() if count >= share * total)
