"""When a reply is begun: by quiet and words, on a clock of its own."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.turns.eagerness import (
    REPLY_LIMITS,
    SOFTER_DB,
    Eagerness,
    Level,
    Outlook,
    SoFar,
    outlook,
)
from agent.call.voices.vad_tap import RESULT_SECONDS
from config.phrases import words_of
from workbench.local.sample_settings import sample_settings

EN = sample_settings().files.phrasebook.of("en")


class Turn:
    """A turn's voice and words, told in steps of the voice detector's results."""

    def __init__(self, level: Level) -> None:
        self.eagerness = Eagerness(level, threshold=0.4)
        self.now = 0.0
        self.begun: list[tuple[float, str]] = []
        self.text = ""
        self.eagerness.open(0.0)

    def voice(self, seconds: float, probability: float = 0.9, level_db: float = -20.0) -> None:
        for _ in range(round(seconds / RESULT_SECONDS)):
            self.now += RESULT_SECONDS
            self.eagerness.hear(self.now, probability, level_db)
            self._look()

    def quiet(self, seconds: float) -> None:
        self.voice(seconds, probability=0.02, level_db=-70.0)

    def words(self, text: str, likely: Outlook, **known: float | bool) -> None:
        self.text = text
        self.eagerness.learn(self.now, SoFar(text, **known), likely)  # type: ignore[arg-type]
        self._look()

    def _look(self) -> None:
        if self.eagerness.begins():
            self.eagerness.begin(self.now)
            self.begun.append((self.now, self.text))

    def quiet_before_the_first_reply(self, voice_until: float) -> float:
        return self.begun[0][0] - voice_until if self.begun else math.inf


def begun_after(level: Level, likely: Outlook, **known: float | bool) -> float:
    """How much quiet a reply waits for, in seconds, behind words that came before it."""
    turn = Turn(level)
    turn.voice(1.0)
    until = turn.now
    turn.words("what time do you open", likely, **known)
    turn.quiet(3)
    return turn.quiet_before_the_first_reply(until)


@pytest.mark.parametrize("likely", list(Outlook))
def test_off_begins_none(likely: Outlook) -> None:
    assert begun_after("off", likely, settled=True, confidence=1.0) == math.inf


@pytest.mark.parametrize("level", ["some", "full"])
def test_the_likelier_the_end_the_sooner_a_reply(level: Level) -> None:
    waits = [begun_after(level, likely) for likely in Outlook]
    assert waits == sorted(waits)
    assert waits[0] <= 0.1
    assert waits[1] <= 0.13


def test_full_is_sooner_than_some() -> None:
    for likely in Outlook:
        assert begun_after("full", likely) <= begun_after("some", likely)
    assert begun_after("some", Outlook.UNLIKELY) == math.inf
    assert begun_after("full", Outlook.UNLIKELY) < 1.3


@pytest.mark.parametrize("level", ["some", "full"])
def test_while_there_is_a_voice_none_is_begun(level: Level) -> None:
    turn = Turn(level)
    turn.words("what time do you open", Outlook.SURE)
    turn.voice(5)
    assert turn.begun == []


def test_silence_counts_from_its_beginning_once_the_detector_agrees() -> None:
    turn = Turn("some")
    turn.voice(1)
    until = turn.now
    turn.words("what time do you open", Outlook.SURE)
    turn.voice(0.1, level_db=-70)
    assert turn.begun == []
    turn.quiet(1)
    assert turn.quiet_before_the_first_reply(until) <= 0.13


def test_a_voice_that_gets_softer_is_a_voice() -> None:
    turn = Turn("some")
    turn.voice(1)
    turn.words("what time do you open", Outlook.SURE)
    turn.voice(3, level_db=-20 - SOFTER_DB + 3)
    assert turn.begun == []


def test_a_far_softer_voice_is_no_silence_for_long() -> None:
    turn = Turn("full")
    turn.voice(1)
    turn.words("what time do you", Outlook.UNLIKELY)
    turn.voice(3, level_db=-20 - SOFTER_DB - 3)
    assert turn.begun == []
    turn.words("what time do you open", Outlook.SURE)
    turn.voice(1, level_db=-20 - SOFTER_DB - 3)
    assert turn.begun == []


def test_a_soft_voice_after_silence_is_no_silence() -> None:
    turn = Turn("some")
    turn.voice(1)
    turn.quiet(0.1)
    turn.voice(1, level_db=-20 - SOFTER_DB - 3)
    turn.words("what time do you open", Outlook.SURE)
    turn.voice(1, level_db=-20 - SOFTER_DB - 3)
    assert turn.begun == []


def test_a_last_word_that_comes_in_the_quiet_begins_one_at_once() -> None:
    turn = Turn("some")
    turn.voice(1)
    turn.words("i want to make a", Outlook.UNLIKELY)
    turn.quiet(0.2)
    turn.words("i want to make a reservation", Outlook.LIKELY)
    assert [text for _, text in turn.begun] == ["i want to make a reservation"]


def test_a_last_word_that_was_told_in_the_quiet_is_waited_behind_no_longer() -> None:
    waits = []
    for told_in_the_quiet in (True, False):
        turn = Turn("some")
        turn.voice(1)
        until = turn.now
        if told_in_the_quiet:
            turn.words("send it to forty two baker str", Outlook.LIKELY)
            turn.quiet(RESULT_SECONDS)
        turn.words("send it to forty two baker street", Outlook.LIKELY)
        turn.quiet(1)
        assert len(turn.begun) == 1
        waits.append(turn.quiet_before_the_first_reply(until))
    assert waits[0] < waits[1]


def test_words_that_end_before_the_voice_does_are_not_all_of_them() -> None:
    turn = Turn("full")
    turn.voice(1)
    turn.words("i want to make a", Outlook.LIKELY, ended_at=turn.now - 0.4)
    turn.quiet(2)
    assert turn.begun == []
    turn.words("i want to make a reservation", Outlook.LIKELY, ended_at=turn.now - 2.0)
    assert len(turn.begun) == 1


def test_a_long_last_word_may_have_just_begun_when_it_was_told() -> None:
    told = {"ended_at": 0.5, "settled": False}
    turn = Turn("some")
    turn.voice(1.0)
    turn.words("i want to make a reservation", Outlook.LIKELY, **told)
    turn.quiet(1)
    assert len(turn.begun) == 1
    turn = Turn("some")
    turn.voice(1.0)
    turn.words("i want to make a reservation", Outlook.LIKELY, **told | {"settled": True})
    turn.quiet(1)
    assert turn.begun == []


def test_words_that_the_caller_adds_begin_another_and_no_more_than_the_limit() -> None:
    turn = Turn("some")
    said = ["book", "book a table", "book a table for two", "book a table for two please"]
    for text in said:
        turn.voice(0.5)
        turn.words(text, Outlook.LIKELY)
        turn.quiet(0.5)
    assert [text for _, text in turn.begun] == said[: REPLY_LIMITS["some"].most_replies]


def answered(turn: Turn, *, pauses: bool) -> bool:
    """Whether a whole turn began a reply early; some have a pause that looks like their end."""
    turn.eagerness.open(turn.now)
    before = len(turn.begun)
    turn.voice(0.5)
    if pauses:
        turn.words("book a table", Outlook.LIKELY)
        turn.quiet(0.5)
        turn.voice(0.5)
    turn.words("book a table for two", Outlook.LIKELY)
    turn.quiet(0.5)
    turn.eagerness.end(turn.now, "Book a table for two.")
    return len(turn.begun) > before


def test_a_caller_who_pauses_much_gets_fewer_early_replies() -> None:
    turn = Turn("some")
    assert answered(turn, pauses=True)
    assert not answered(turn, pauses=False)
    for _ in range(5):
        last = answered(turn, pauses=False)
    assert last


@pytest.mark.parametrize("level", ["some", "full"])
@given(pauses=st.lists(st.booleans(), min_size=1, max_size=80))
def test_what_is_thrown_away_is_bounded_whatever_the_caller_does(
    level: Level, pauses: list[bool]
) -> None:
    turn = Turn(level)
    wasted = 0
    for pause in pauses:
        before = len(turn.begun)
        answered(turn, pauses=pause)
        wasted += pause and len(turn.begun) > before
    limits = REPLY_LIMITS[level]
    replies = len(pauses) + wasted
    assert wasted <= limits.wasted_share * replies + limits.most_replies


def test_a_turn_without_a_pause_is_never_held_back() -> None:
    turn = Turn("some")
    assert all(answered(turn, pauses=False) for _ in range(30))


def test_a_reply_that_is_thrown_away_at_once_was_not_asked_for() -> None:
    turn = Turn("some")
    turn.voice(0.5)
    turn.words("book a tab", Outlook.LIKELY)
    turn.quiet(0.5)
    turn.eagerness.begin(turn.now)
    turn.words("book a table", Outlook.LIKELY)
    turn.eagerness.end(turn.now, "Book a table.")
    assert answered(turn, pauses=False)


def test_a_reply_to_other_words_than_the_final_ones_was_wasted() -> None:
    turn = Turn("some")
    turn.voice(0.5)
    turn.words("book a table", Outlook.LIKELY)
    turn.quiet(0.5)
    turn.eagerness.end(turn.now, "Book a table for two.")
    assert not answered(turn, pauses=False)


def test_the_same_words_begin_one_reply_whatever_their_case() -> None:
    turn = Turn("full")
    turn.voice(0.5)
    turn.words("yes please", Outlook.SURE)
    turn.quiet(0.5)
    turn.words("Yes, please.", Outlook.SURE, settled=True)
    turn.quiet(0.5)
    assert len(turn.begun) == 1


def test_a_voice_that_the_detector_does_not_hear_begins_none() -> None:
    turn = Turn("full")
    turn.voice(0.5)
    turn.quiet(3)
    turn.eagerness.open(turn.now - 0.5)
    turn.words("can you hear me", Outlook.SURE)
    turn.quiet(3)
    assert turn.begun == []


def test_a_turn_that_is_over_begins_none() -> None:
    turn = Turn("full")
    turn.voice(0.5)
    turn.words("yes please", Outlook.SURE)
    turn.eagerness.close()
    turn.quiet(3)
    assert turn.begun == []


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        ("what time do you open", False, Outlook.LIKELY),
        ("What time do you open?", False, Outlook.SURE),
        ("yes please", True, Outlook.SURE),
        ("no", True, Outlook.SURE),
        ("tuesday", True, Outlook.SURE),
        ("okay", False, Outlook.UNLIKELY),
        ("hold on", False, Outlook.UNLIKELY),
        ("tomorrow and", True, Outlook.UNLIKELY),
        ("i would like", False, Outlook.UNLIKELY),
        ("could you tell me", False, Outlook.UNLIKELY),
        ("My name is Clara,", False, Outlook.UNLIKELY),
        ("I'd like two tickets to\u2014", False, Outlook.UNLIKELY),
        ("Well...", False, Outlook.UNLIKELY),
        ("um", True, Outlook.UNLIKELY),
    ],
)
def test_words_punctuation_and_the_question_tell_whether_more_is_to_come(
    text: str, asked: bool, expected: Outlook
) -> None:
    assert outlook(SoFar(text), EN, asked=asked) is expected


@pytest.mark.parametrize(
    ("language", "goes_on", "whole"),
    [
        ("de", "ich möchte einen Tisch für", "ich möchte einen Tisch für zwei"),
        ("de", "mein Name ist", "das ist mein Name"),
        ("es", "me llamo", "así me llaman"),
        ("es", "quiero pagar con", "a la una"),
        ("fi", "haluaisin", "yksi pöytä kahdelle"),
        ("fr", "je voudrais", "demain à huit heures"),
        ("fr", "et puis c'est", "oui prenez-le"),
        ("hi", "मेरा नाम", "कल शाम को"),
        ("it", "vorrei", "all'una"),
        ("ja", "予約を", "大丈夫ですか"),
        ("ja", "もしもし えっと", "もしもし"),
        ("ko", "예약하고 싶은데 그리고", "예약하고 싶어요"),
        ("ko", "제 이름은", "네 그게 제 이름이에요"),
        ("pt", "eu gostaria de", "quero só um"),
        ("te", "నా పేరు", "రేపు సాయంత్రం"),
        ("th", "ผมชื่อ", "พรุ่งนี้ตอนเย็น"),
        ("tr", "bir masa istiyorum ama", "saat sekiz"),
        ("zh", "我想改时间因为", "是的好的"),
        ("zh", "我叫", "明天晚上"),
    ],
)
def test_each_language_has_words_that_end_no_turn(language: str, goes_on: str, whole: str) -> None:
    phrases = sample_settings().files.phrasebook.of(language)
    assert outlook(SoFar(goes_on), phrases, asked=True) is Outlook.UNLIKELY
    assert outlook(SoFar(whole), phrases, asked=True) is not Outlook.UNLIKELY


def test_no_language_is_without_such_words_and_none_says_yes_or_no_with_them() -> None:
    book = sample_settings().files.phrasebook
    for file in (Path(__file__).parents[2] / "agent" / "call" / "phrases").glob("*.toml"):
        phrases = book.of(file.stem)
        assert phrases.unfinished, file.stem
        if file.stem != "en":  # whose "really" and "um" go on as often as they acknowledge
            fillers = {
                words_of(each) for each in ("äh", "ähm", "euh", "heu", "えっと", "えーと", "あの")
            }
            both = phrases.unfinished & (phrases.acknowledgements | phrases.hold)
            assert both <= fillers, file.stem


@pytest.mark.parametrize(
    ("settled", "confidence", "expected"),
    [
        (False, 0.05, Outlook.LIKELY),  # the last word is open: low until the turn's end
        (True, 0.21, Outlook.UNLIKELY),
        (True, 0.8, Outlook.SURE),
        (True, None, Outlook.LIKELY),  # another recogniser
    ],
)
def test_the_services_confidence_counts_for_words_that_will_not_change(
    settled: bool, confidence: float | None, expected: Outlook
) -> None:
    so_far = SoFar("my name is clara", settled, confidence)
    assert outlook(so_far, EN, asked=False) is expected


@given(
    level=st.sampled_from(["off", "some", "full"]),
    steps=st.lists(
        st.tuples(st.sampled_from(["voice", "quiet", "words", "open", "close"]), st.integers(0, 3)),
        max_size=60,
    ),
)
def test_a_turn_begins_so_many_replies_and_no_more(
    level: Level, steps: list[tuple[str, int]]
) -> None:
    turn = Turn(level)
    begun_before = 0
    for what, number in steps:
        if what == "open":
            turn.eagerness.open(turn.now)
            begun_before = len(turn.begun)
        elif what == "close":
            turn.eagerness.close()
        elif what == "words":
            turn.words(f"word {number}", list(Outlook)[number % 3])
        else:
            turn.voice(0.2 * number, probability=0.9 if what == "voice" else 0.1)
        assert len(turn.begun) - begun_before <= REPLY_LIMITS[level].most_replies


def test_the_words_that_a_reply_answers_are_known_while_it_lasts() -> None:
    turn = Turn("full")
    turn.voice(1.0)
    turn.words("what time do you open", Outlook.SURE)
    assert turn.eagerness.begun == ()
    turn.quiet(3)
    assert turn.eagerness.begun == ("what", "time", "do", "you", "open")
    turn.eagerness.close()
    assert turn.eagerness.begun == ()
