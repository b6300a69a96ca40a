"""What is loaded is scanned no more, and what is new is collected soon."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from agent.worker.garbage import set_aside


class Connection:
    """Refers to itself, as a closed connection of asyncio's does."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_quickly_what_is_loaded_is_set_aside_with_its_garbage() -> None:
    gone = weakref.ref(Connection())
    gc.disable()
    try:
        set_aside(quickly=True)
    finally:
        gc.enable()
    assert gc.get_freeze_count() > 1000
    assert gone() is not None


def test_garbage_is_collected_soon_however_much_is_loaded() -> None:
    loaded: list[Any] = [[] for _ in range(600_000)]
    set_aside()
    assert gc.get_freeze_count() > len(loaded)
    closed = Connection()
    gc.collect(1)  # it lives for a while, as connections do: only a full collection finds it now
    gone = weakref.ref(closed)
    del closed
    new: list[Any] = []
    while gone() and len(new) < 100_000:
        new.append([])
    assert gone() is None
