"""Reads a message as words on the stream's clock, joined with the words known before."""

from __future__ import annotations

import itertools
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from stt_assemblyai.events import SpokenWord, Transcript

if TYPE_CHECKING:
    from stt_assemblyai.clock import AudioClock
    from stt_assemblyai.messages import Turn
    from stt_assemblyai.splice import Seam

__all__ = ["heard_words", "joined", "known", "read", "same_words", "settled", "spoken_words"]

_REWRITTEN_MS = 5000  # words are rewritten at most this long after they were said
_USUAL_WORD_MS = 400
_ASCII_SYMBOLS = frozenset("$+<=>^`|~")


def spoken_words(turn: Turn, clock: AudioClock) -> tuple[SpokenWord, ...]:
    """A message's words on the stream's clock. Words without text are left out."""
    return tuple(
        SpokenWord(
            text=word.text,
            start_ms=(start_ms := clock.to_stream(word.start)),
            end_ms=max(start_ms, clock.to_stream(word.end)),
            confidence=word.confidence,
            final=word.word_is_final,
            speaker=known(word.speaker),
        )
        for word in turn.words
        if word.text.strip()
    )


def heard_words(
    turn: Turn, clock: AudioClock, same_turn: Transcript | None, from_ms: int
) -> tuple[SpokenWord, ...]:
    """Like `spoken_words`, but a text without words gets words made from it.

    They lie where the words of `same_turn` do if there are as many; else evenly between its start
    (or `from_ms`) and the newest audio.
    """
    heard, texts = spoken_words(turn, clock), turn.transcript.split()
    if heard or not texts:
        return heard
    is_same = same_turn is not None and same_turn.turn_order == turn.turn_order
    if same_turn is not None and is_same and len(same_turn.words) == len(texts):
        places = [(word.start_ms, word.end_ms) for word in same_turn.words]
    else:
        places = _places(
            len(texts),
            same_turn.start_ms if same_turn is not None and is_same else from_ms,
            clock.to_stream(clock.session_ms),
        )
    return tuple(
        SpokenWord(text, start_ms, end_ms, 0.0, turn.end_of_turn, known(turn.speaker_label))
        for text, (start_ms, end_ms) in zip(texts, places, strict=True)
    )


def _places(count: int, from_ms: int, newest_ms: int) -> list[tuple[int, int]]:
    until_ms = max(from_ms, newest_ms)
    start_ms = max(from_ms, until_ms - _USUAL_WORD_MS * count)
    edges = [round(start_ms + (until_ms - start_ms) * n / count) for n in range(count + 1)]
    return list(itertools.pairwise(edges))


def read(
    turn: Turn, heard: tuple[SpokenWord, ...], words: tuple[SpokenWord, ...], session_id: str
) -> Transcript:
    """A message as a transcript. `words` are what remains of the words `heard` after joining."""
    untouched = words == heard
    return Transcript(
        session_id=session_id,
        turn_order=turn.turn_order,
        text=_whole_text(turn, heard) if untouched else " ".join(word.text for word in words),
        words=words,
        formatted=turn.turn_is_formatted,
        end_of_turn_confidence=turn.end_of_turn_confidence,
        language=turn.language_code,
        language_confidence=turn.language_confidence,
        speaker=known(turn.speaker_label),
    )


def joined(
    heard: tuple[SpokenWord, ...],
    carried: tuple[SpokenWord, ...],
    seam: Seam,
    *,
    is_end: bool,
) -> tuple[SpokenWord, ...]:
    """The words settled before the seam and the new ones after it. While the turn is open, also the
    words that the new session has yet to reach: text never goes backwards."""
    fresh = seam.fresh(heard)
    if not carried:
        return fresh
    before = tuple(word for word in carried if word.final)
    if is_end:
        return before + fresh
    reached_ms = heard[-1].end_ms if heard else 0
    ahead = tuple(w for w in carried if not w.final and w.end_ms > reached_ms)
    if fresh and ahead and ahead[0].start_ms < reached_ms:
        fresh = fresh[:-1]  # the beginning of a word that is known as a whole
    return before + fresh + ahead


def settled(words: tuple[SpokenWord, ...]) -> tuple[SpokenWord, ...]:
    """In a long turn, count older words as final, though the U3 family may rewrite them: hearing
    all of it again, at little more than real time, would keep the caller waiting."""
    if not words or words[-1].end_ms - words[0].end_ms < _REWRITTEN_MS:
        return words
    until_ms = words[-1].end_ms - _REWRITTEN_MS
    return tuple(replace(w, final=w.final or w.end_ms <= until_ms) for w in words)


def known(speaker: str | None) -> str | None:
    """The speaker; None for PENDING and UNKNOWN, which are not speakers (section 7.3)."""
    return None if speaker in ("PENDING", "UNKNOWN") else speaker


def same_words(one: str, other: str) -> bool:
    """Whether two texts differ only in case and punctuation. By exactly this rule LiveKit keeps a
    reply to one text as the reply to the other."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> list[str]:
    letters = "".join(letter for letter in text.casefold() if not _is_punctuation(letter))
    return letters.split()


def _is_punctuation(letter: str) -> bool:
    return letter in _ASCII_SYMBOLS or unicodedata.category(letter).startswith("P")


def _whole_text(turn: Turn, heard: tuple[SpokenWord, ...]) -> str:
    """The whole turn's text: on the US models `transcript` lacks words that are not final yet."""
    transcript = turn.transcript.strip()
    open_words = [word.text for word in heard if not word.final]
    if transcript and (not open_words or len(open_words) == len(heard)):
        return transcript
    if not transcript:
        return " ".join(word.text for word in heard)
    return " ".join([transcript, *open_words])
