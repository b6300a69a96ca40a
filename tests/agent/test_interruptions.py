"""What words mean that a caller says while the agent speaks."""

import pytest

from agent.call.interruptions import Verdict, asks_for_dictation, judge, within_earshot
from config.behaviour import AgentSettings
from config.phrases import words_of

BOOK = AgentSettings().phrasebook
SAID = words_of(
    "We have tea, coffee and cocoa. Say stop if you know already, or I read the whole long list."
)

ECHO, ACK, UNDECIDED, DOUBTFUL, INTERRUPTION = Verdict

OPEN = [
    ("", UNDECIDED),
    ("uh", ACK),
    ("Uh-huh.", ACK),
    ("mm", ACK),
    ("Mm-hmm. Right, okay.", ACK),
    ("yeah yeah yeah", ACK),
    ("I", UNDECIDED),
    ("I see", ACK),
    ("got", UNDECIDED),
    ("Yeah, got it.", ACK),
    ("ri", UNDECIDED),
    ("got lost", INTERRUPTION),
    ("I see three", DOUBTFUL),
    ("I see three ships", INTERRUPTION),
    ("banana", DOUBTFUL),
    ("right then", DOUBTFUL),
    ("write okay", DOUBTFUL),
    ("stop right", INTERRUPTION),
    ("right then I", INTERRUPTION),
    ("stop", INTERRUPTION),
    ("Wait!", INTERRUPTION),
    ("no", INTERRUPTION),
    ("okay stop", INTERRUPTION),
    ("yeah but", INTERRUPTION),
    ("hold", DOUBTFUL),
    ("hold on", INTERRUPTION),
    ("tea", UNDECIDED),
    ("tea coffee", UNDECIDED),
    ("tea coffee and", ECHO),
    ("coffee and cocoa say stop", ECHO),
    ("have tea toffee and cocoa say stop", ECHO),
    ("tea please", INTERRUPTION),
    ("tea coffee and wait", INTERRUPTION),
]


@pytest.mark.parametrize(("text", "verdict"), OPEN)
def test_an_open_utterance_is_judged_word_by_word(text: str, verdict: Verdict) -> None:
    assert judge(words_of(text), BOOK.of("en"), SAID, complete=False) is verdict


COMPLETE = [
    ("", UNDECIDED),
    ("uh-huh", ACK),
    ("thank you", ACK),
    ("I", INTERRUPTION),
    ("banana", INTERRUPTION),
    ("tea", INTERRUPTION),
    ("we have tea", ECHO),
    ("stop", INTERRUPTION),
]


@pytest.mark.parametrize(("text", "verdict"), COMPLETE)
def test_a_complete_utterance_leaves_no_doubt(text: str, verdict: Verdict) -> None:
    assert judge(words_of(text), BOOK.of("en"), SAID, complete=True) is verdict


@pytest.mark.parametrize(
    ("language", "listens", "wants_the_word"),
    [
        ("en-US", "right", "wait"),
        ("es", "vale, claro", "espere"),
        ("fr", "D\u2019accord", "attendez"),
        ("de", "mhm, genau", "Moment"),
        ("it", "ho capito", "aspetti"),
        ("pt", "está bem", "não"),
        (None, "genau", "attendez"),
        ("xx", "vale", "aspetti"),
    ],
)
def test_every_language_has_its_own_phrases_and_an_unknown_one_has_them_all(
    language: str | None, listens: str, wants_the_word: str
) -> None:
    phrases = BOOK.of(language)
    assert judge(words_of(listens), phrases, (), complete=False) is ACK
    assert judge(words_of(wants_the_word), phrases, (), complete=False) is INTERRUPTION


def test_german_is_not_english() -> None:
    assert judge(words_of("genau"), BOOK.of("en"), (), complete=True) is INTERRUPTION


@pytest.mark.parametrize(
    ("text", "language", "asked"),
    [
        ("What is your phone number?", "en", True),
        ("Could you spell that for me?", "en", True),
        ("And your e-mail?", "en", True),
        ("I have sent you an email address book.", "en", True),
        ("How can I help you?", "en", False),
        ("That number is free.", "en", False),
        ("¿Cuál es su número de teléfono?", "es", True),
        ("Wie lautet Ihre Telefonnummer?", "de", True),
        ("Pouvez-vous épeler votre nom ?", "fr", True),
    ],
)
def test_a_question_for_something_dictated_is_known_by_its_phrases(
    text: str, language: str, asked: bool
) -> None:
    assert asks_for_dictation(text, BOOK.of(language)) is asked


def test_only_what_was_just_said_can_be_an_echo() -> None:
    text = " ".join(f"word{number}" for number in range(1000, 1200))
    assert within_earshot(text, 0) == ("word1000", "word10")
    after_ten = within_earshot(text, 10)
    assert "word1000" not in after_ten
    assert {"word1010", "word1025"} <= set(after_ten)
    assert "word1040" not in after_ten
