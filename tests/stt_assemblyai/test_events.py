"""The union of events holds each of them, and none can be changed after it was emitted."""

import dataclasses
from typing import get_args

import pytest

from stt_assemblyai import events

CLASSES = [
    value
    for name in events.__all__
    if isinstance(value := getattr(events, name), type) and dataclasses.is_dataclass(value)
]


def test_whatever_leaves_a_stream_is_in_its_union() -> None:
    assert set(get_args(events.StreamEvent)) == set(CLASSES)
    assert set(get_args(events.SpeechEvent)) < set(CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
def test_an_event_is_a_value_that_says_what_it_means(kind: type) -> None:
    assert kind.__doc__
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
