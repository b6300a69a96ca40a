"""What words mean that a caller says while the agent speaks: go on, wait and see, or stop."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from config.phrases import ANY_ENDING, Phrases, Words, begins, count_of, words_of

# A sound such as "uh-huh" comes as words that nobody has said: "Eh-ha", "It hur".
SOUND_WORDS = 3
SOUND_LETTERS = frozenset("aehimou")
SOUND_WORD_LETTERS = 5
_WORDS_OF_SOUND_LETTERS = frozenset(
    ("hai", "ham", "he", "him", "hi", "ho", "home", "hum", "ihm", "ihme", "ohio")
)
SHORT_WORDS = 2
SHORT_WORD_LETTERS = 3
BRIEF_SECONDS = 0.6
UNSURE_CONFIDENCE = 0.6


class Verdict(Enum):
    """What the words of an utterance are, as far as they are known."""

    ECHO = auto()
    """The agent's own words, heard back."""
    BACKCHANNEL = auto()
    """The caller listens."""
    ASIDE = auto()
    """Words of a voice far softer than the caller's: of somebody else, or to somebody else."""
    UNDECIDED = auto()
    """The next word tells: `got` may become `got it`."""
    DOUBTFUL = auto()
    """It may still be misheard or become a backchannel: the agent had better pause."""
    INTERRUPTION = auto()
    """The caller wants the word."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The words of an utterance that began while the agent had the floor."""

    words: Words
    complete: bool
    """No word will be added or changed."""
    echoes: bool = False
    """Each word and its time are the agent's own."""
    voice_seconds: float | None = None
    """How long the voice lasted, where that is known."""
    confidence: float | None = None
    """From 0 to 1, where the recogniser tells it."""


def judge(heard: Heard, phrases: Phrases, said: Words = ()) -> Verdict:
    """Judge an utterance by its words. `said` is what the agent has just said."""
    if not heard.words:
        return Verdict.UNDECIDED
    refused = heard.complete and heard.words in phrases.interjections
    rest = without_backchannels(heard.words, phrases.acknowledgements)
    if not refused and (not rest or is_sound(heard)):
        return Verdict.BACKCHANNEL
    if heard.echoes:
        return Verdict.ECHO
    if heard.complete:
        return Verdict.INTERRUPTION
    return _so_far(rest or heard.words, phrases, said)


def _so_far(words: Words, phrases: Phrases, said: Words) -> Verdict:
    """The verdict on words that are not complete, and no backchannel so far."""
    found = _found(words, phrases.interjections)
    if _may_become_any(words, phrases.acknowledgements):
        return Verdict.DOUBTFUL if found else Verdict.UNDECIDED
    if found and not _stands_in(said, found):
        return Verdict.INTERRUPTION
    unsure = count_of(words) == 1 or found == words or _is_short(words)
    return Verdict.DOUBTFUL if unsure else Verdict.INTERRUPTION


def is_sound(heard: Heard) -> bool:
    """Whether these are no words but a sound such as `uh-huh`, as it was misheard."""
    if _is_spelt_like_a_sound(heard.words):
        return True
    brief = heard.voice_seconds is not None and heard.voice_seconds < BRIEF_SECONDS
    unsure = heard.confidence is not None and 0 < heard.confidence < UNSURE_CONFIDENCE
    return heard.complete and brief and unsure and _is_short(heard.words)


def _is_spelt_like_a_sound(words: Words) -> bool:
    return len(words) <= SOUND_WORDS and all(
        len(word) <= SOUND_WORD_LETTERS
        and SOUND_LETTERS.issuperset(word)
        and word not in _WORDS_OF_SOUND_LETTERS
        and "h" in "".join(words)
        for word in words
    )


def without_backchannels(heard: Words, backchannels: frozenset[Words]) -> Words:
    """What is left when backchannels are taken off both ends, the longest first."""
    rest = heard
    while size := max((len(each) for each in backchannels if begins(each, rest)), default=0):
        rest = rest[size:]
    while size := max(
        (len(each) for each in backchannels if begins(each, rest[-len(each) :])), default=0
    ):
        rest = rest[:-size]
    return rest


def asks_to_wait(text: str, phrases: Phrases) -> bool:
    """Whether a turn says that the agent is to wait, and nothing else."""
    words = words_of(text)
    beside = phrases.acknowledgements | phrases.courtesies
    reached = {0: False}  # up to where it is made of phrases; whether one of them asks for that
    for at in range(len(words)):
        for phrase in phrases.hold | beside if at in reached else ():
            if begins(phrase, words[at:]):
                end = at + len(phrase)
                asks = reached[at] or phrase in phrases.hold
                reached[end] = asks or reached.get(end, False)
    return reached.get(len(words), False)


def asks_for_dictation(text: str, phrases: Phrases) -> bool:
    """Whether the agent asks for a number, an address or a spelling."""
    return bool(_found(words_of(text), phrases.dictation))


def _is_short(words: Words) -> bool:
    return len(words) <= SHORT_WORDS and all(
        len(word) <= SHORT_WORD_LETTERS and word.isascii() and word.isalpha() for word in words
    )


class _Index:
    """Phrases by their first word: each word of a text asks for the few that it may begin."""

    def __init__(self, phrases: frozenset[Words]) -> None:
        self._whole: dict[str, list[Words]] = defaultdict(list)
        self._stems: dict[str, list[Words]] = defaultdict(list)
        """Those whose first word has any ending."""
        for phrase in phrases:
            first = phrase[0]
            if first.endswith(ANY_ENDING):
                self._stems[first.removesuffix(ANY_ENDING)].append(phrase)
            else:
                self._whole[first].append(phrase)
        self._longest_stem = max(map(len, self._stems), default=-1)

    def beginning_with(self, word: str) -> Iterator[Words]:
        """The phrases whose first word this may be."""
        yield from self._whole.get(word, ())
        for size in range(min(len(word), self._longest_stem) + 1):
            yield from self._stems.get(word[:size], ())


@lru_cache(maxsize=64)  # two lists a language
def _index(phrases: frozenset[Words]) -> _Index:
    return _Index(phrases)


def _found(words: Words, phrases: frozenset[Words]) -> Words:
    """A phrase that stands in these words, as it stands there; the first of the longest."""
    index, found = _index(phrases), Words()
    for at, word in enumerate(words):
        for phrase in index.beginning_with(word):
            place = words[at : at + len(phrase)]
            if len(place) > len(found) and begins(phrase, place):
                found = place
    return found


def _stands_in(words: Words, phrase: Words) -> bool:
    size = len(phrase)
    return any(begins(phrase, words[at : at + size]) for at in range(len(words) - size + 1))


def _may_become_any(words: Words, phrases: Iterable[Words]) -> bool:
    """Whether a phrase begins so, and is not whole; the last word may be cut."""
    *whole, last = words
    return any(
        begins(each[: len(whole)], words) and each[len(whole)].startswith(last) and each != words
        for each in phrases
        if len(each) >= len(words)
    )
