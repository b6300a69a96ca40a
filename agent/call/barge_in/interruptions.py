"""What a caller's words mean while the agent speaks: go on, wait and see, or stop."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from config.phrases import ANY_ENDING, Phrases, Words, begins, count_of, words_of

# The recogniser writes a sound such as "uh-huh" as words: "Eh-ha", "It hur".
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
    """What an utterance is, by its words so far. A later verdict in this list is a stronger one."""

    ECHO = auto()
    """The agent's own words, heard back."""
    BACKCHANNEL = auto()
    """The caller shows that they listen."""
    ASIDE = auto()
    """Words of a voice far softer than the caller's: from somebody else, or to somebody else."""
    NEED_MORE = auto()
    """The next word decides: `got` may become `got it`."""
    MAYBE_MISHEARD = auto()
    """An interruption, unless it is misheard or becomes a backchannel: the agent pauses."""
    INTERRUPTION = auto()
    """The caller wants the floor."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The words of an utterance that began while the agent had the floor."""

    words: Words
    complete: bool
    """No word will be added or changed any more."""
    echoes: bool = False
    """The words and their times are those of the agent's own speech."""
    voice_seconds: float | None = None
    """How long the voice lasted, if known."""
    confidence: float | None = None
    """From 0 to 1, if the recogniser gives one."""


def verdict_on(heard: Heard, phrases: Phrases, said: Words = ()) -> Verdict:
    """Judge an utterance by its words. `said` is what the agent has just said."""
    if not heard.words:
        return Verdict.NEED_MORE
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
    """The verdict on incomplete words that are not a backchannel so far."""
    found = _found(words, phrases.interjections)
    if _may_become_any(words, phrases.acknowledgements):
        return Verdict.MAYBE_MISHEARD if found else Verdict.NEED_MORE
    if found and not _stands_in(said, found):
        return Verdict.INTERRUPTION
    unsure = count_of(words) == 1 or found == words or _is_short(words)
    return Verdict.MAYBE_MISHEARD if unsure else Verdict.INTERRUPTION


def is_sound(heard: Heard) -> bool:
    """Whether the words are only a misheard sound, such as `uh-huh`."""
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
    """The words without the backchannels at both ends; the longest is taken off first."""
    rest = heard
    while size := max((len(each) for each in backchannels if begins(each, rest)), default=0):
        rest = rest[size:]
    while size := max(
        (len(each) for each in backchannels if begins(each, rest[-len(each) :])), default=0
    ):
        rest = rest[:-size]
    return rest


def asks_to_wait(text: str, phrases: Phrases) -> bool:
    """Whether a turn asks the agent to wait, and says nothing else."""
    words = words_of(text)
    beside = phrases.acknowledgements | phrases.courtesies
    reached = {0: False}  # places that phrases reach from the start -> whether one asks to wait
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
    """Phrases by their first word, so that each word of a text finds the few it may begin."""

    def __init__(self, phrases: frozenset[Words]) -> None:
        self._whole: dict[str, list[Words]] = defaultdict(list)
        self._stems: dict[str, list[Words]] = defaultdict(list)
        """Phrases whose first word may have any ending."""
        for phrase in phrases:
            first = phrase[0]
            if first.endswith(ANY_ENDING):
                self._stems[first.removesuffix(ANY_ENDING)].append(phrase)
            else:
                self._whole[first].append(phrase)
        self._longest_stem = max(map(len, self._stems), default=-1)

    def beginning_with(self, word: str) -> Iterator[Words]:
        """The phrases that may begin with this word."""
        yield from self._whole.get(word, ())
        for size in range(min(len(word), self._longest_stem) + 1):
            yield from self._stems.get(word[:size], ())


@lru_cache(maxsize=64)  # two lists for each language
def _index(phrases: frozenset[Words]) -> _Index:
    return _Index(phrases)


def _found(words: Words, phrases: frozenset[Words]) -> Words:
    """The longest phrase in these words, as it is written there; of equals the first."""
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
    """Whether these words may be the beginning of a phrase. The last word may be cut."""
    *whole, last = words
    return any(
        begins(each[: len(whole)], words) and each[len(whole)].startswith(last) and each != words
        for each in phrases
        if len(each) >= len(words)
    )
