"""Words are compared as words."""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

from agent.caller.transcript import Segment, Transcript, words


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("He was not an ill-disposed young man,", "he was not an ill disposed young man"),
        ("Mister Dashwood", "mr dashwood"),
        ("What is 7 plus 5?", "what is seven plus five"),
        ("I'm afraid", "i'm afraid"),
    ],
)
def test_spelling_is_not_a_difference(text: str, plain: str) -> None:
    assert words(text) == plain


class Reader:
    """A text stream that has come in whole."""

    def __init__(self, pieces: list[str], trailer: dict[str, str], **attributes: str) -> None:
        self.info = SimpleNamespace(attributes=attributes)
        self._pieces = pieces
        self._trailer = trailer

    async def __aiter__(self) -> AsyncIterator[str]:
        for piece in self._pieces:
            yield piece
        self.info.attributes.update(self._trailer)


FINAL = {"lk.transcription_final": "true"}


async def test_the_agents_words_grow_within_one_stream() -> None:
    transcript = Transcript()
    await transcript.read(Reader(["Hello, ", "caller."], FINAL), "agent", 1.0)  # type: ignore[arg-type]
    assert transcript.segments == [Segment("agent", "", 1.0, "Hello, caller.", final=True)]


async def test_the_callers_words_are_replaced_by_each_new_stream() -> None:
    transcript = Transcript()
    for text, trailer in [("It was", {}), ("It was the best", {}), ("It was the best.", FINAL)]:
        reader = Reader([text], trailer, **{"lk.segment_id": "one"})
        await transcript.read(reader, "caller", 1.0)  # type: ignore[arg-type]
    assert transcript.segments == [Segment("caller", "one", 1.0, "It was the best.", final=True)]


async def test_a_late_interim_does_not_undo_the_final_words() -> None:
    transcript = Transcript()
    for text, trailer in [("Final words.", FINAL), ("Final", {})]:
        reader = Reader([text], trailer, **{"lk.segment_id": "one"})
        await transcript.read(reader, "caller", 1.0)  # type: ignore[arg-type]
    assert transcript.said_by("caller") == "Final words."


async def test_final_words_may_be_mended() -> None:
    transcript = Transcript()
    for text in ("twenty dollars", "$20."):
        reader = Reader([text], {}, **{"lk.segment_id": "one", **FINAL})
        await transcript.read(reader, "caller", 1.0)  # type: ignore[arg-type]
    assert transcript.segments == [Segment("caller", "one", 1.0, "$20.", final=True)]


async def test_words_said_before_a_moment_can_be_left_out() -> None:
    transcript = Transcript()
    for at_seconds, text in [(1.0, "one"), (2.0, "two")]:
        reader = Reader([text], FINAL, **{"lk.segment_id": text})
        await transcript.read(reader, "caller", at_seconds)  # type: ignore[arg-type]
    assert transcript.said_by("caller", since_seconds=1.5) == "two"
    assert transcript.said_by("agent") == ""
