"""The phrases that turn-taking goes by, by language, from TOML files.

Operators edit them: `en.toml`, `es.toml` and so on, each with at least three lists.
"""

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

Words = tuple[str, ...]
Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]

# Scripts without blanks between words (Thai, Lao, Burmese, Khmer, kana, Chinese), and Hangul, which
# puts endings on every word: each letter or syllable counts as a word, so that phrases are found
# inside longer words.
_LETTER_BY_LETTER = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff]"
)
_JOINERS = "\u200c\u200d"  # they shape letters and separate nothing
ANY_ENDING = "*"


class PhrasesError(ValueError):
    """A file of phrases has a fault; the message names the file and the fault."""


class PhraseFile(BaseModel):
    """One language's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    acknowledgements: tuple[Phrase, ...]
    interjections: tuple[Phrase, ...]
    dictation: tuple[Phrase, ...]
    unfinished: tuple[Phrase, ...] = ()
    hold: tuple[Phrase, ...] = ()
    courtesies: tuple[Phrase, ...] = ()
    listening: Phrase | None = None
    agrees: tuple[Phrase, ...] = ()
    refuses: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language's phrases, as words."""

    acknowledgements: frozenset[Words]
    """Backchannels: they show that the caller listens, and do not interrupt."""
    interjections: frozenset[Words]
    """A caller who says one of these wants the floor at once."""
    dictation: frozenset[Words]
    """The agent says one of these when it asks for something that callers dictate with pauses."""
    unfinished: frozenset[Words] = frozenset()
    """A caller whose words end with one of these goes on."""
    hold: frozenset[Words] = frozenset()
    """A caller who says only one of these wants the agent to wait."""
    courtesies: frozenset[Words] = frozenset()
    """Words that may stand beside a hold phrase."""
    listening: str = ""
    """The agent's own backchannel."""
    agrees: frozenset[Words] = frozenset()
    """Answers to a question for consent."""
    refuses: frozenset[Words] = frozenset()


def words_of(text: str, *, kept: str = "") -> Words:
    """The words of a text without case and punctuation: Uh-huh. -> uh, huh.

    Marks such as vowel signs belong to their letters. Scripts without blanks, and Korean, give
    their letters one by one. Characters in `kept` stay.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    words: list[str] = []
    word = ""
    for letter in f"{plain} ":
        kind = unicodedata.category(letter)[0]
        if letter in _JOINERS or (kind == "M" and not word):
            if words and kind == "M" and _LETTER_BY_LETTER.match(words[-1]):
                words[-1] += letter
            continue
        if _LETTER_BY_LETTER.match(letter) and kind in "LN":
            words += [*_whole(word), letter]
            word = ""
        elif kind in "LNM" or letter in kept or letter == "'":
            word += letter
        else:
            words += _whole(word)
            word = ""
    return tuple(words)


def _whole(word: str) -> Iterator[str]:
    """The word without apostrophes around it, if anything is left."""
    if stripped := word.strip("'"):
        yield stripped


def count_of(words: Words) -> int:
    """How many words these are. Of letters that `words_of` gives one by one, about two make a word
    in Chinese, Japanese and Korean, and four in Thai."""
    letters = [word for word in words if _LETTER_BY_LETTER.match(word)]
    wide = sum(word >= "\u3040" for word in letters)
    return len(words) - len(letters) + -(-wide // 2) + -(-(len(letters) - wide) // 4)


def begins(phrase: Words, words: Words) -> bool:
    """Whether these words begin with the phrase; a phrase's word that ends in * fits any ending."""
    return len(phrase) <= len(words) and all(
        word.startswith(part[:-1]) if part.endswith(ANY_ENDING) else word == part
        for part, word in zip(phrase, words, strict=False)
    )


class Phrasebook:
    """The phrases by language; for an unknown language, those of all languages together."""

    def __init__(self, languages: Mapping[str, Phrases]) -> None:
        self._languages = languages
        everything = languages.values()
        self._any = Phrases(
            acknowledgements=frozenset().union(*(each.acknowledgements for each in everything)),
            interjections=frozenset().union(*(each.interjections for each in everything)),
            dictation=frozenset().union(*(each.dictation for each in everything)),
            unfinished=frozenset().union(*(each.unfinished for each in everything)),
            hold=frozenset().union(*(each.hold for each in everything)),
            courtesies=frozenset().union(*(each.courtesies for each in everything)),
            listening=languages["en"].listening if "en" in languages else "",
            agrees=frozenset().union(*(each.agrees for each in everything)),
            refuses=frozenset().union(*(each.refuses for each in everything)),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Phrasebook) and self._languages == other._languages

    def __hash__(self) -> int:
        return hash(frozenset(self._languages.items()))

    def of(self, language: str | None) -> Phrases:
        """The phrases of a language such as `en` or `en-US`."""
        return self._languages.get((language or "").lower().partition("-")[0], self._any)

    def each(self) -> Collection[Phrases]:
        """The phrases of every language, one by one."""
        return self._languages.values()


def read_phrasebook(directory: Path) -> Phrasebook:
    """Read every language's file. Raises PhrasesError."""
    try:
        files = sorted(directory.glob("*.toml"))
    except (OSError, ValueError) as error:
        raise PhrasesError(f"cannot be read ({type(error).__name__})") from None
    if not files:
        raise PhrasesError("has no file such as en.toml in it")
    return Phrasebook({file.stem.lower(): _read(file) for file in files})


def _read(file: Path) -> Phrases:
    try:
        found = PhraseFile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PhrasesError(f"{file.name} cannot be read: {error}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        raise PhrasesError(f"{file.name}: {fault['loc'][0]}: {fault['msg']}") from None
    return Phrases(
        _as_words(found.acknowledgements),
        _as_words(found.interjections),
        _as_words(found.dictation),
        _as_words(found.unfinished),
        _as_words(found.hold),
        _as_words(found.courtesies),
        found.listening or "",
        _as_words(found.agrees),
        _as_words(found.refuses),
    )


def _as_words(phrases: Sequence[str]) -> frozenset[Words]:
    return frozenset(words for phrase in phrases if (words := words_of(phrase, kept=ANY_ENDING)))
