"""Timeouts and sizes that cannot work are refused where they are made."""

import pytest

from stt_assemblyai.service import LONGEST_CHUNK_MS, SHORTEST_CHUNK_MS
from stt_assemblyai.timing import Timing


@pytest.mark.parametrize("chunk_ms", [SHORTEST_CHUNK_MS, LONGEST_CHUNK_MS])
def test_chunks_may_be_as_short_and_as_long_as_the_service_takes(chunk_ms: int) -> None:
    assert Timing(chunk_ms=chunk_ms).chunk_ms == chunk_ms


@pytest.mark.parametrize("chunk_ms", [-1, 0, SHORTEST_CHUNK_MS - 1, LONGEST_CHUNK_MS + 1])
def test_other_chunks_are_refused_with_a_sentence(chunk_ms: int) -> None:
    with pytest.raises(ValueError, match=f"{chunk_ms} ms"):
        Timing(chunk_ms=chunk_ms)
