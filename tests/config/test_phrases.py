"""The files of phrases that an operator may edit."""

import pickle
from pathlib import Path

import pytest

from config.behaviour import AgentSettings
from config.phrases import PhrasesError, begins, count_of, read_phrasebook, words_of
from config.values import ROOT

FILE = 'acknowledgements = ["Uh-huh"]\ninterjections = ["stop"]\ndictation = ["spell"]\n'


def test_words_are_compared_without_case_and_punctuation() -> None:
    assert words_of("Uh-huh, D\u2019ACCORD! 25 e-mails_x") == (
        "uh", "huh", "d'accord", "25", "e", "mails", "x",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words", "count"),
    [
        ("'No' isn't", ["no", "isn't"], 2),
        ("जी हाँ", ["जी", "हाँ"], 2),
        ("क्\u200dष", ["क्ष"], 1),
        ("e\u0301cole", ["école"], 1),
        ("\uff2f\uff2b 25", ["ok", "25"], 2),
        ("好的。没问题", list("好的没问题"), 3),
        ("OK、了解です", ["ok", *"了解です"], 3),
        ("알겠습니다", list("알겠습니다"), 3),
        ("ใช่ครับ", ["ใ", "ช่", "ค", "รั", "บ"], 2),
    ],
)
def test_words_are_found_in_every_script(text: str, words: list[str], count: int) -> None:
    """Letter by letter where nothing is written between words."""
    assert list(words_of(text)) == words
    assert count_of(words_of(text)) == count


def test_a_word_with_a_star_has_any_ending() -> None:
    phrase = words_of("telefon numara*", kept="*")
    assert begins(phrase, words_of("telefon numaran nedir"))
    assert not begins(phrase, words_of("telefon num"))
    assert not begins(phrase, words_of("telefonun numara"))


def test_the_same_files_are_the_same_phrases_in_another_process(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text(FILE)
    book = read_phrasebook(tmp_path)
    same = pickle.loads(pickle.dumps(book))
    assert (same, hash(same)) == (book, hash(book))
    (tmp_path / "en.toml").write_text(FILE.replace("stop", "wait"))
    assert read_phrasebook(tmp_path) != book


def test_an_operator_adds_a_language_by_adding_a_file(tmp_path: Path) -> None:
    (tmp_path / "nl.toml").write_text(FILE, encoding="utf-8")
    book = read_phrasebook(tmp_path)
    assert book.of("nl-BE").acknowledgements == {("uh", "huh")}
    assert book.of("nl").dictation == {("spell",)}
    assert list(book.each()) == [book.of("nl")]


def test_a_file_without_a_list_of_unfinished_words_is_as_good_as_before(tmp_path: Path) -> None:
    file = tmp_path / "nl.toml"
    file.write_text(FILE, encoding="utf-8")
    assert read_phrasebook(tmp_path).of("nl").unfinished == frozenset()
    file.write_text(FILE + 'unfinished = ["en", "de"]\n', encoding="utf-8")
    assert read_phrasebook(tmp_path).of("nl").unfinished == {("en",), ("de",)}


def test_what_shows_that_the_agent_listens_is_what_callers_say_for_it_in_each_language() -> None:
    """A line that sends it back so makes an acknowledgement of it, which interrupts nothing."""
    folder = ROOT / AgentSettings().phrases_dir
    book = read_phrasebook(folder)
    for file in folder.glob("*.toml"):
        phrases = book.of(file.stem)
        assert words_of(phrases.listening) in phrases.acknowledgements, file.stem
    assert book.of("").listening == book.of("en").listening


def test_a_file_without_such_a_sound_has_none(tmp_path: Path) -> None:
    (tmp_path / "nl.toml").write_text(FILE, encoding="utf-8")
    book = read_phrasebook(tmp_path)
    assert (book.of("nl").listening, book.of("").listening) == ("", "")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("acknowledgements = = 1", "en.toml cannot be read: .*line 1"),
        (FILE.replace("dictation", "dictations"), "en.toml: dictation: Field required"),
        (FILE.replace('"stop"', "5"), "en.toml: interjections: .*string"),
        (FILE + "more = []\n", "en.toml: more: "),
    ],
)
def test_a_fault_is_told_with_its_file_and_place(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "en.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PhrasesError, match=sentence):
        read_phrasebook(tmp_path)


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(PhrasesError, match=r"no file such as en\.toml"):
        read_phrasebook(tmp_path)


def test_a_folder_that_cannot_be_looked_into_is_a_fault() -> None:
    with pytest.raises(PhrasesError, match=r"cannot be read \(OSError\)"):
        read_phrasebook(Path("x" * 300))
