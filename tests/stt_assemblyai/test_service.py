"""The service's limits hold at both of their ends."""

import pytest

from stt_assemblyai.service import LONGEST_CHUNK_MS, SHORTEST_CHUNK_MS, checked_chunk_ms


@pytest.mark.parametrize("chunk_ms", [SHORTEST_CHUNK_MS, 100, LONGEST_CHUNK_MS])
def test_a_length_that_the_service_takes_stays_as_it_is(chunk_ms: int) -> None:
    assert checked_chunk_ms(chunk_ms) == chunk_ms


@pytest.mark.parametrize("chunk_ms", [0, SHORTEST_CHUNK_MS - 1, LONGEST_CHUNK_MS + 1])
def test_a_length_that_it_refuses_is_refused_with_the_limits(chunk_ms: int) -> None:
    with pytest.raises(ValueError, match=f"{chunk_ms} ms is refused: the service takes 50 to 1000"):
        checked_chunk_ms(chunk_ms)
