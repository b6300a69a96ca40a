"""A reply is spoken from its first clause on, and nothing of it is lost."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.reply.first_clause import LONGEST, LONGEST_FIRST, Pieces

PIECES = [
    "Of course, I can book that for you,",
    " one moment please, I will look at the book.",
    " It is seven o'clock now.",
    " Shall I go on?",
]
REPLY = "".join(PIECES)


def spoken(text: str, *, least_chars: int = 20, by: int = 4) -> list[tuple[int, str]]:
    """Each piece, with how many characters had been thought of by then."""
    pieces = Pieces(least_chars)
    found = [
        (start + by, piece)
        for start in range(0, len(text), by)
        for piece in pieces.push(text[start : start + by])
    ]
    return found + [(len(text), piece) for piece in pieces.flush()]


def test_the_first_clause_is_spoken_before_its_sentence_is_there() -> None:
    thought_of, first = spoken(REPLY)[0]
    assert first == "Of course, I can book that for you,"
    assert thought_of < len(first) + 4


def test_what_follows_comes_in_sentences() -> None:
    assert [piece for _, piece in spoken(REPLY)] == PIECES


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("Certainly, I will look. Now", "Certainly, I will look."),
        ("Hello, this is Dr. Smith speaking, how", "Hello, this is Dr. Smith speaking,"),
        ("We open at 10:30 a.m. on Mondays, and", "We open at 10:30 a.m. on Mondays,"),
        ("It costs about 1,250.50 in all: that", "It costs about 1,250.50 in all:"),
        ("That would be seven. And", "That would be seven."),
        ("That is a good question — let", "That is a good question —"),
        ('He said "come at seven." Then', 'He said "come at seven."'),
        ("好的\uff0c我马上为您查询\uff0c请", "好的\uff0c我马上为您查询\uff0c"),
        ("Ja, das kann ich gern tun; wann", "Ja, das kann ich gern tun;"),
        (
            "جی ہاں، میں آپ کی مدد کر سکتا ہوں\u06d4 بتائیے",
            "جی ہاں، میں آپ کی مدد کر سکتا ہوں\u06d4",
        ),
        ("هل تريد أن أحجز لك طاولة؟ قل لي", "هل تريد أن أحجز لك طاولة؟"),
        ("ဟုတ်ကဲ့ ကျွန်တော်ကူညီပါမယ်။ ဘာ", "ဟုတ်ကဲ့ ကျွန်တော်ကူညီပါမယ်။"),
        ("បាទ ខ្ញុំអាចជួយអ្នកបាន។ តើ", "បាទ ខ្ញុំអាចជួយអ្នកបាន។"),
        ("አዎ እኔ ልረዳህ እችላለሁ በደስታ። ምን", "አዎ እኔ ልረዳህ እችላለሁ በደስታ።"),
        ("ได้ค่ะ ยินดีช่วยเหลือคุณ ขอทราบชื่อด้วยค่ะ", "ได้ค่ะ ยินดีช่วยเหลือคุณ"),
        ("These are our three rooms\nThe blue", "These are our three rooms\n"),
    ],
)
def test_a_clause_ends_at_a_mark_that_ends_one(text: str, clause: str) -> None:
    assert spoken(text, by=1)[0][1] == clause


@pytest.mark.parametrize("text", ["", "Yes, sure, ok, no", "I am not sure what you mean by that"])
def test_a_short_or_unfinished_clause_waits(text: str) -> None:
    assert Pieces(20).push(text) == []


def test_a_short_reply_is_spoken_when_it_is_complete() -> None:
    assert spoken("It is seven.") == [(12, "It is seven.")]


def test_whole_sentences_are_spoken_as_soon_as_each_is_there() -> None:
    found = [piece for _, piece in spoken(REPLY, least_chars=1000)]
    assert found == [PIECES[0] + PIECES[1], *PIECES[2:]]


@pytest.mark.parametrize("text", ["我们" * 300, "รา" * 300, "word " * 150, "x" * 600, "Dr. " * 150])
def test_a_text_without_marks_is_spoken_as_well(text: str) -> None:
    found = spoken(text)
    assert found[0][0] <= LONGEST_FIRST + 4
    assert max(len(piece) for _, piece in found) <= LONGEST
    assert "".join(piece for _, piece in found) == text


def test_a_word_is_broken_only_where_it_has_no_end_and_a_letter_never() -> None:
    assert all(piece.split() for _, piece in spoken("word " * 300))
    first = spoken("ก\u0e31" * 300)[0][1]
    assert first.endswith("\u0e31")


@pytest.mark.parametrize("unit", ["Mr. ", "Dr. ", "A. ", "a.m. ", "x", "word ", ", ", ".", "。"])
def test_the_work_grows_with_the_text_and_not_with_its_square(unit: str) -> None:
    pieces = Pieces(20)
    started = time.process_time()
    for _ in range(4000):
        pieces.push(unit)
    pieces.push(unit * 4000)
    pieces.flush()
    assert time.process_time() - started < 10


@given(
    text=st.text(alphabet="ab 1.,!?\n。،\u06d4ก་\u0301👋", max_size=2000),
    cuts=st.lists(st.integers(0, 2000), max_size=20),
    least_chars=st.sampled_from([1, 20, 200, 1000]),
)
def test_nothing_is_lost_added_or_changed(text: str, cuts: list[int], least_chars: int) -> None:
    pieces = Pieces(least_chars)
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    found = [p for a, b in itertools.pairwise(bounds) for p in pieces.push(text[a:b])]
    found += pieces.flush()
    assert "".join(found) == text
    assert max(map(len, found), default=0) <= LONGEST
