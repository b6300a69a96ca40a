"""What the service is and takes: its address and its limits, each with its source."""

from __future__ import annotations

__all__ = [
    "CHUNK_LIMITS",
    "DEFAULT_BASE_URL",
    "FASTEST_SPEED",
    "HIGHEST_SAMPLE_RATE",
    "LONGEST_CHUNK_MS",
    "LONGEST_CONTEXT",
    "LONGEST_TERM",
    "LOWEST_SAMPLE_RATE",
    "MOST_TERMS",
    "RECOGNITION_MS",
    "SHORTEST_CHUNK_MS",
    "checked_chunk_ms",
]

DEFAULT_BASE_URL = "wss://streaming.assemblyai.com"
LOWEST_SAMPLE_RATE, HIGHEST_SAMPLE_RATE = 8_000, 96_000  # protocol notes, section 4
SHORTEST_CHUNK_MS, LONGEST_CHUNK_MS = 50, 1000  # of audio in one message (section 6)
CHUNK_LIMITS = f"{SHORTEST_CHUNK_MS} to {LONGEST_CHUNK_MS} ms"
LONGEST_CONTEXT, LONGEST_TERM = 1750, 50  # characters (section 4)
MOST_TERMS = 100
FASTEST_SPEED = 1.25  # it can process this many times real time (section 6)
RECOGNITION_MS = 2000  # words appear at most this long after they were said


def checked_chunk_ms(chunk_ms: int) -> int:
    """The length of an audio message in ms. Raises `ValueError` if the service refuses it."""
    if not SHORTEST_CHUNK_MS <= chunk_ms <= LONGEST_CHUNK_MS:
        raise ValueError(f"a chunk of {chunk_ms} ms is refused: the service takes {CHUNK_LIMITS}")
    return chunk_ms
