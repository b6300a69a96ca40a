"""When the caller heard each word of the agent: estimated, since no voice tells. Pure."""

from collections.abc import Sequence

from agent.records.schema import Word

Silence = tuple[int, int]
"""From when to when the agent was silent within its reply, in milliseconds."""


def heard_words(
    text: str, from_ms: int, until_ms: int, silences: Sequence[Silence] = ()
) -> list[Word]:
    """The words of a text that was heard from `from_ms` to `until_ms`, each taking as long as its
    letters. None is heard in the `silences`, which are in order and within that time."""
    pieces = text.split()
    letters = sum(len(piece) + 1 for piece in pieces)
    sound_ms = max(0, until_ms - from_ms - sum(end - start for start, end in silences))
    found, before = [], 0
    for piece in pieces:
        start = from_ms + sound_ms * before // letters
        before += len(piece) + 1
        end = from_ms + sound_ms * before // letters
        found.append(
            Word(text=piece, start_ms=_shifted(start, silences), end_ms=_shifted(end, silences))
        )
    return found


def _shifted(at_ms: int, silences: Sequence[Silence]) -> int:
    """A moment of the sound, with the silences before it put in."""
    for start, end in silences:
        if at_ms < start:
            break
        at_ms += end - start
    return at_ms
