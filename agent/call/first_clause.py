"""What is spoken first: a reply's first clause, while the rest of it is still being thought.

LiveKit cuts a reply into sentences, each of which it holds back until the next one has begun. So a
caller would wait for a sentence and a word, though half a sentence can be spoken already.
"""

import re
from collections.abc import Callable
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, tts
from livekit.agents.tokenize import SentenceStream, SentenceTokenizer, TokenData, blingfire
from livekit.agents.tts.stream_adapter import StreamAdapterWrapper

# A mark ends a clause only once it is clear that no number or name goes on behind it.
_QUOTES = "\"'\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}»"
_FULL_WIDTH = "\uff0c\uff01\uff1f\uff1b\uff1a\u3001\u3002"
_MARK = re.compile(rf"[,;:.!?…—][)\]{_QUOTES}]*(?=\s)|[{_FULL_WIDTH}।॥]")
_ABBREVIATION = re.compile(r"(?:\b[A-Z]\w{0,3}|\b\w+\.\w+)\.$")  # Dr. and a.m.
_IDEOGRAPH_LETTERS = 3  # one says as much as that many letters


class PromptVoice(tts.StreamAdapter):
    """A voice that takes whole texts, spoken with by clauses and sentences.

    `on_first_sound` is called when the first sound of a speech is there, whether or not it may be
    heard yet.
    """

    def __init__(
        self, voice: tts.TTS[Any], *, least_chars: int, on_first_sound: Callable[[], None]
    ) -> None:
        super().__init__(tts=voice, sentence_tokenizer=ClauseFirst(least_chars))
        self._on_first_sound = on_first_sound

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> "_Speech":
        return _Speech(self, conn_options, self._on_first_sound)


class _Speech(StreamAdapterWrapper):
    def __init__(
        self, voice: PromptVoice, options: APIConnectOptions, on_first_sound: Callable[[], None]
    ) -> None:
        super().__init__(tts=voice, conn_options=options)
        self._on_first_sound: Callable[[], None] | None = on_first_sound

    async def __anext__(self) -> tts.SynthesizedAudio:
        audio = await super().__anext__()
        if self._on_first_sound is not None:
            tell, self._on_first_sound = self._on_first_sound, None
            tell()
        return audio


class ClauseFirst(SentenceTokenizer):
    """Sentences, but for the first piece: a clause of at least `least_chars` characters.

    It has to last until the second piece can be heard, else there is a gap between them.
    """

    def __init__(self, least_chars: int) -> None:
        self._least_chars = least_chars

    def tokenize(self, text: str, *, language: str | None = None) -> list[str]:
        pieces = Pieces(self._least_chars)
        return [*pieces.push(text), *pieces.flush()]

    def stream(self, *, language: str | None = None) -> SentenceStream:
        return _Stream(self._least_chars)


class Pieces:
    """Cuts one text that comes bit by bit; nothing is lost, added or changed in it."""

    def __init__(self, least_chars: int) -> None:
        self._least_chars = least_chars
        self._sentences = blingfire.SentenceTokenizer(retain_format=True)
        self._held = ""
        self._has_begun = False

    def push(self, text: str) -> list[str]:
        """The pieces that are complete with this."""
        self._held += text
        first = [] if self._has_begun else self._take_first()
        return first + self._take_sentences() if self._has_begun else []

    def flush(self) -> list[str]:
        """The rest: no more will come."""
        rest, self._held, self._has_begun = self._held, "", False
        return [rest] if rest.strip() else []

    def _take_first(self) -> list[str]:
        end = first_clause_end(self._held, self._least_chars)
        if end is None:
            return []
        first, self._held, self._has_begun = self._held[:end], self._held[end:], True
        return [first]

    def _take_sentences(self) -> list[str]:
        """All but the last sentence, which may go on."""
        sentences = self._sentences.tokenize(self._held)[:-1]
        self._held = self._held[sum(map(len, sentences)) :]
        return sentences


def first_clause_end(text: str, least_chars: int) -> int | None:
    """Where the first clause of a text ends, if it is there as a whole and long enough."""
    for mark in _MARK.finditer(text):
        clause = text[: mark.end()].strip()
        if _length(clause) >= least_chars and not _ABBREVIATION.search(clause):
            return mark.end()
    return None


def _length(clause: str) -> int:
    return sum(_IDEOGRAPH_LETTERS if "\u3040" <= letter <= "\u9fff" else 1 for letter in clause)


class _Stream(SentenceStream):
    def __init__(self, least_chars: int) -> None:
        super().__init__()
        self._pieces = Pieces(least_chars)

    def push_text(self, text: str) -> None:
        self._check_not_closed()
        self._send(self._pieces.push(text))

    def flush(self) -> None:
        self._check_not_closed()
        self._send(self._pieces.flush())

    def end_input(self) -> None:
        self.flush()
        self._do_close()

    async def aclose(self) -> None:
        self._do_close()

    def _send(self, pieces: list[str]) -> None:
        for piece in pieces:
            self._event_ch.send_nowait(TokenData(token=piece))
