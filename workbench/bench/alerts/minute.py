"""What a minute changes on a page of metrics."""

import re
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

_SHOWN = re.compile(r"(lk_agents_(turn|usage)|agent)_")
_LEFT_OUT = re.compile(r".*(_bucket|_created)$")


def samples(page: str) -> dict[str, float]:
    """Of one page: name and labels of each of our samples, and its value; without buckets."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(page):
        for each in family.samples:
            if _SHOWN.match(each.name) and not _LEFT_OUT.match(each.name):
                labels = ",".join(f'{key}="{value}"' for key, value in each.labels.items())
                found[f"{each.name}{{{labels}}}" if labels else each.name] = each.value
    return found


def changes(before: str, after: str) -> Iterator[tuple[str, str, str]]:
    """Name, value before and value after of each sample that changed."""
    earlier = samples(before)
    for name, value in samples(after).items():
        if value != earlier.get(name, 0.0):
            yield name, f"{earlier.get(name, 0.0):.6g}", f"{value:.6g}"
