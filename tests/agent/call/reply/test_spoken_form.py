"""A text as it is spoken: nothing of its markup, and all of its words."""

import time
import unicodedata
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.reply.spoken_form import (
    LONGEST_HELD,
    SpokenForm,
    in_spoken_form,
    is_speakable,
    spoken_form,
)

TABLE = "| Day | Hours |\n|---|:--:|\n| Mon | 9 - 5 |\n| Tue | - |\n"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("It is seven.", "It is seven."),
        ("**Yes**, of *course*, __it__ _is_ ***so***.", "Yes, of course, it is so."),
        ("a**bold**ly, 你好**重要**的。", "aboldly, 你好重要的。"),
        ("5 * 3 is 15, 2*3 is 6, 2**8 is 256.", "5 * 3 is 15, 2*3 is 6, 2**8 is 256."),
        ("Write john_doe@x.com, and snake_case.", "Write john_doe@x.com, and snake_case."),
        ("# Rooms\n## Blue\n> nice", "Rooms\nBlue\nnice"),
        ("- one\n* two\n+ three\n• four\n1. five", "one\ntwo\nthree\nfour\n1. five"),
        ("Before\n---\n***\n* * *\nafter", "Before\nafter"),
        ("-5 degrees, $5, ¿no?", "-5 degrees, $5, ¿no?"),
        (TABLE, "Day, Hours.\nMon, 9 - 5.\nTue.\n"),
        ("See [our page](https://x.com/a_(b) \"t\") now", "See our page now"),
        ("![A dog](dog.png) and [1], [x", "A dog and [1], [x"),
        ("Go to https://www.example.com/a/b?c=d#e.", "Go to example.com."),
        ("Go to **http://me:pw@Example.com:80/** (www.x.org)!", "Go to Example.com (x.org)!"),
        ("请看https://x.com/a。好", "请看x.com。好"),
        ("Use `make run` and ~~5~~ 6 \\* <br/><b>7</b>", "Use make run and 6 7"),
        ("a < b and c > d", "a < b and c > d"),
        ("So:\n```python\nprint(1)\n```\nDone.", "So:\nDone."),
        ("```\nplain words\n```", "plain words\n"),
        ("```python\nprint(1)", ""),
        ("Hello 👋, Alex 👨‍👩‍👧 here☎️!", "Hello , Alex here !"),
        ("\ud83d\udc4b Hi\ud800 th\x00ere\x1b", "Hi there"),
        ("ශ්\u200dරී می\u200cکنم", "ශ්\u200dරී می\u200cکنم"),
        ("a \r\n\r\n\n b   c", "a \nb c"),
    ],
)  # fmt: skip
def test_markup_is_not_spoken(text: str, form: str) -> None:
    assert spoken_form(text) == form


@pytest.mark.parametrize(
    "text", ["", " \n", ".", "...", "---", "***", "👋", "**!**", "|--|", "```"]
)
def test_a_text_without_a_letter_has_no_spoken_form(text: str) -> None:
    assert spoken_form(text) == ""


def test_an_address_without_end_is_its_site() -> None:
    address = "https://example.com/" + "x" * 10 * LONGEST_HELD
    assert spoken_form(f"See {address} there.") == "See example.com there."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Certainly, I ", "Certainly, I "),
        ("Certainly, I wi", "Certainly, I "),
        ("*Certainly, I ", "Certainly, I "),
        ("我马上", "我马上"),
        ("See [our page](htt", "See "),
        ("x" * (LONGEST_HELD + 1), "x" * (LONGEST_HELD + 1)),
        ("[" + "word " * LONGEST_HELD, "[" + "word " * LONGEST_HELD),
    ],
)
def test_a_word_is_said_when_it_is_complete(text: str, said: str) -> None:
    assert SpokenForm().push(text) == said


async def test_a_transform_gives_each_word_as_it_comes() -> None:
    async def text() -> AsyncIterator[str]:
        for piece in ("*", "It", " is*", " **se", "ven**", "."):
            yield piece

    assert [said async for said in in_spoken_form(text())] == ["It ", "is ", "seven."]


async def test_a_text_that_is_all_markup_gives_nothing() -> None:
    async def text() -> AsyncIterator[str]:
        yield "**"
        yield "**"

    assert [said async for said in in_spoken_form(text())] == []


MARKUP = ["**", "*", "_", "`", "~~", "|", "#", "> ", "- ", "[", "](", ")", "<b>", "https://", "\\"]
ODD = ["\x00", "\ud83d", "\udc4b", "👋", "\u200d", "\u202e", "e\u0301", "\u0e31", "ก", "好", "。"]
WORDS = ["word", "Mr.", "5", "ß", "سلام", "x" * 400]


@given(
    st.lists(st.sampled_from([*MARKUP, *ODD, *WORDS, " ", " ", "\n", "."]) | st.text(max_size=4)),
    st.integers(1, 50),
)
def test_whatever_comes_nothing_is_raised_and_what_is_said_can_be_sent(
    parts: list[str], by: int
) -> None:
    text = "".join(parts)
    said = in_pieces(text, by)
    said.encode()
    assert is_speakable(said) or not said
    assert not any(unicodedata.category(c) in ("Cs", "Co") for c in said)


@given(
    st.lists(st.sampled_from(["word", "Mr.", "5", "ß", "سلام", "**bold**", "*it*,", "`x`", "- "]))
)
def test_all_words_are_said_in_their_order(words: list[str]) -> None:
    plain = [word.strip("*`,-. ") for word in words]
    said = spoken_form(" ".join(words)).split()
    assert [word.strip(",.") for word in said if word != "-"] == list(filter(None, plain))


LINKS = ["[our page](https://x.com/a)", "![a b](c.png)!", "https://x.com/(a)", "[1]", "[x](y (z))."]
LINES = ["| a | b |\n", "- c\n", "```\nd\n```\n", "```py\ne\n```\n", "# f\n"]


@given(
    st.lists(st.sampled_from([*MARKUP, *LINKS, *LINES, "word ", "5", "好\u3002", "👋", " ", "\n"])),
    st.integers(1, 9),
)
def test_the_words_of_a_spoken_form_do_not_depend_on_the_pieces(
    parts: list[str], size: int
) -> None:
    text = "".join(parts)[:LONGEST_HELD]
    assert letters(in_pieces(text, size)) == letters(spoken_form(text))


def in_pieces(text: str, size: int) -> str:
    form = SpokenForm()
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    return "".join(map(form.push, pieces)) + form.flush()


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


@pytest.mark.parametrize("unit", ["*", "[", "[a](", "a", "a ", "|", "https://x", "<", "`", "~~a"])
def test_the_work_grows_with_the_text_and_not_with_its_square(unit: str) -> None:
    form = SpokenForm()
    started = time.process_time()
    for _ in range(4000):
        form.push(unit)
    form.push(unit * 10_000)
    form.flush()
    assert time.process_time() - started < 10
