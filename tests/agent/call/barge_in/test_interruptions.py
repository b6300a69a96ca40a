"""What words mean that a caller says while the agent speaks."""

from itertools import combinations, product

import pytest

from agent.call.barge_in.interruptions import (
    Heard,
    Verdict,
    asks_for_dictation,
    asks_to_wait,
    is_sound,
    verdict_on,
)
from config.phrases import Phrases, Words, begins, words_of
from workbench.local.sample_settings import sample_settings

BOOK = sample_settings().files.phrasebook
SAID = words_of("Hello. We have tea, coffee and cocoa. Say stop if you know already.")

ECHO, BACK, ASIDE, UNDECIDED, DOUBTFUL, INTERRUPTION = Verdict


def verdict(
    text: str, *, complete: bool, language: str | None = "en", said: Words = (), **others: float
) -> Verdict:
    heard = Heard(words_of(text), complete, **others)
    return verdict_on(heard, BOOK.of(language), said)


OPEN = [
    ("", UNDECIDED),
    ("uh", BACK),
    ("Uh-huh.", BACK),
    ("mm", BACK),
    ("Mm-hmm. Right, okay.", BACK),
    ("yeah yeah yeah", BACK),
    ("I", UNDECIDED),
    ("I see", BACK),
    ("got", UNDECIDED),
    ("Yeah, got it.", BACK),
    ("ri", UNDECIDED),
    ("got lost", INTERRUPTION),
    ("I see three", DOUBTFUL),
    ("I see three ships", INTERRUPTION),
    ("banana", DOUBTFUL),
    ("right then", DOUBTFUL),
    ("write okay", DOUBTFUL),
    ("stop right", INTERRUPTION),
    ("right then is it late", INTERRUPTION),
    ("stop", INTERRUPTION),
    ("Wait!", INTERRUPTION),
    ("okay stop", INTERRUPTION),
    ("hold", DOUBTFUL),
    ("hold on", INTERRUPTION),
    ("tea", DOUBTFUL),
    ("tea coffee", INTERRUPTION),
    ("go to", DOUBTFUL),
    ("go to Rome", INTERRUPTION),
    ("no", DOUBTFUL),
    ("no prob", DOUBTFUL),
    ("no problem", BACK),
    ("no I", INTERRUPTION),
    ("no worries", BACK),
    ("No worries, take your", UNDECIDED),
    ("No worries, take your time.", BACK),
    ("no problem with Tuesday", INTERRUPTION),
    ("but", DOUBTFUL),
    ("but of", DOUBTFUL),
    ("But of course!", BACK),
    ("but of all", INTERRUPTION),
    ("yeah but", DOUBTFUL),
    ("yes no yes", DOUBTFUL),
    ("uh-uh", BACK),
]


@pytest.mark.parametrize(("text", "expected"), OPEN)
def test_an_open_utterance_is_judged_word_by_word(text: str, expected: Verdict) -> None:
    assert verdict(text, complete=False) is expected


COMPLETE = [
    ("", UNDECIDED),
    ("uh-huh", BACK),
    ("thank you", BACK),
    ("no problem", BACK),
    ("I", INTERRUPTION),
    ("no", INTERRUPTION),
    ("uh-uh", INTERRUPTION),
    ("yes no yes", INTERRUPTION),
    ("banana", INTERRUPTION),
    ("tea", INTERRUPTION),
    ("we have tea", INTERRUPTION),
    ("stop", INTERRUPTION),
]


@pytest.mark.parametrize(("text", "expected"), COMPLETE)
def test_a_complete_utterance_leaves_no_doubt(text: str, expected: Verdict) -> None:
    assert verdict(text, complete=True) is expected


def test_words_that_echo_the_agents_in_time_are_an_echo() -> None:
    heard = Heard(("we", "have", "tea"), complete=True, echoes=True)
    assert verdict_on(heard, BOOK.of("en")) is ECHO


def test_an_interjection_that_the_agent_is_saying_pauses_it_and_may_be_taken_back() -> None:
    assert verdict("stop", complete=False, said=SAID) is DOUBTFUL
    assert verdict("hello", complete=False, said=SAID) is DOUBTFUL
    assert verdict("wait", complete=False, said=SAID) is INTERRUPTION
    assert verdict("stop", complete=True, said=SAID) is INTERRUPTION


@pytest.mark.parametrize("text", ["Eh-ha", "Uh-uh-ha", "Mhuh.", "Ah", "heh heh", "Ohm, hm."])
def test_a_sound_that_is_spelt_like_no_word_is_a_backchannel(text: str) -> None:
    assert verdict(text, complete=True, language="en") is BACK


@pytest.mark.parametrize("text", ["him", "Home.", "hi", "Me", "I am", "a", "Io", "eh no", "ahead"])
def test_words_of_the_same_letters_are_words(text: str) -> None:
    assert not is_sound(Heard(words_of(text), complete=True))


@pytest.mark.parametrize(
    ("text", "seconds", "confidence", "sound"),
    [
        ("It hur", 0.4, 0.4, True),
        ("It hur", 0.4, 0.9, False),
        ("It hur", 0.9, 0.4, False),
        ("It hurts me", 0.4, 0.4, False),
        ("25", 0.4, 0.4, False),
        ("It hur", 0.4, 0.0, False),  # where a recogniser knows no confidence
    ],
)
def test_short_words_that_are_brief_and_unsure_are_a_misheard_backchannel(
    text: str, seconds: float, confidence: float, sound: bool
) -> None:
    known = {"voice_seconds": seconds, "confidence": confidence}
    assert (verdict(text, complete=True, **known) is BACK) is sound


LANGUAGES = [
    ("en-US", "right", "wait", "listen Monday"),
    ("es", "vale, claro", "espere", "el lunes"),
    ("es", "no hay problema", "oiga", "no quiero eso"),
    ("fr", "D\u2019accord", "attendez", "mais lundi"),
    ("de", "mhm, genau", "Moment", "aber Montag"),
    ("de", "aber natürlich", "stopp", "aber natürlich nur Montag"),
    ("it", "ho capito", "aspetti", "lunedì mattina"),
    ("pt", "está bem", "espere", "segunda feira"),
    ("hi", "जी हाँ", "रुकिए", "जाओ वहाँ"),
    ("te", "అవును", "ఆగండి", "సోమవారం రండి"),
    ("tr", "tamam, olur", "durun", "pazartesi gelsin"),
    ("fi", "joo, selvä", "odota", "maanantaina sitten"),
    ("zh", "好的。明白了。", "等一下", "我要星期一去"),
    ("ja", "なるほど、わかりました。", "待って", "月曜日に行きます"),
    ("ko", "네, 알겠습니다.", "잠깐만요", "월요일로 해주세요"),
    ("th", "ใช่ครับ", "หยุดก่อน", "วันจันทร์ตอนเช้า"),
    (None, "genau", "attendez", "el lunes"),
    ("xx", "vale", "aspetti", "el lunes"),
]


@pytest.mark.parametrize(("language", "listens", "stops", "says"), LANGUAGES)
def test_every_language_has_its_own_phrases_and_an_unknown_one_has_them_all(
    language: str | None, listens: str, stops: str, says: str
) -> None:
    assert verdict(listens, complete=True, language=language) is BACK
    assert verdict(stops, complete=False, language=language) is INTERRUPTION
    assert verdict(says, complete=False, language=language) is INTERRUPTION


def test_vowel_signs_are_parts_of_words() -> None:
    """Without them `go` is spelt like `yes` in Hindi."""
    assert verdict("जा", complete=True, language="hi") is INTERRUPTION
    assert verdict("जी", complete=True, language="hi") is BACK


def test_a_text_in_decomposed_letters_is_the_same() -> None:
    assert verdict("si\u0301, de acuerdo", complete=True, language="es") is BACK


def test_german_is_not_english() -> None:
    assert verdict("genau", complete=True, language="en") is INTERRUPTION


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
        ("请问您的电话号码是多少", "zh", True),
        ("お電話番号をお願いします。", "ja", True),
        ("전화번호를 말씀해 주세요.", "ko", True),
        ("ขอเบอร์โทรศัพท์ด้วยครับ", "th", True),
        ("Telefon numaran nedir, alabilir miyim?", "tr", True),
        ("Mikä on puhelinnumerosi?", "fi", True),
        ("今日はどうされましたか", "ja", False),
    ],
)
def test_a_question_for_something_dictated_is_known_by_its_phrases(
    text: str, language: str, asked: bool
) -> None:
    assert asks_for_dictation(text, BOOK.of(language)) is asked


TEXTS = [each for size in (1, 2, 3) for each in product(("a", "ab", "b"), repeat=size)]
PHRASES = [each for size in (1, 2) for each in product(("a", "ab", "a*", "b*", "*"), repeat=size)]


def test_a_phrase_is_found_wherever_it_stands() -> None:
    for one, other in combinations(PHRASES, 2):
        phrases = Phrases(frozenset(), frozenset(), frozenset((one, other)))
        for text in TEXTS:
            stands = any(
                begins(phrase, text[at:]) for phrase in (one, other) for at in range(len(text))
            )
            assert asks_for_dictation(" ".join(text), phrases) is stands


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("One moment, please.", True),
        ("Okay, hold on.", True),
        ("Hold on a second, sorry.", True),
        ("Yes, please.", False),
        ("Hold on, I have a question.", False),
        ("", False),
    ],
)
def test_a_turn_that_only_asks_to_wait_is_known(text: str, asks: bool) -> None:
    assert asks_to_wait(text, BOOK.of("en")) is asks
