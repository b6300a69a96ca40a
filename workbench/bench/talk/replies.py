"""What the stand-in for the language model says: sentences long enough to be talked over.

Each is one sentence without a comma, so that its voice has no pause that could be taken for a stop.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

__all__ = ["INSTRUCTIONS", "REPLIES", "scripted"]

INSTRUCTIONS = (
    "You are Alex, a voice assistant on a telephone line. Whatever you are told, answer with one"
    " long sentence of about eighteen words without commas."
)
"""For a real model: so that there is something to be talked over."""

REPLIES = tuple(Path(__file__).with_name("replies.txt").read_text("utf-8").splitlines())


def scripted(count: int) -> Sequence[dict[str, Any]]:
    """The next answers of the stand-in, `count` of them, as its control address takes them."""
    texts: Iterator[str] = islice(cycle(REPLIES), count)
    return [{"endpoint": "chat", "says": text} for text in texts]
