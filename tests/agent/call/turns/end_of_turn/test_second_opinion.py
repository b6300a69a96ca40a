"""When an end that AssemblyAI has told is held back, and when one is asked for. Without a clock."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from agent.call.turns.end_of_turn.second_opinion import (
    FORCE_ENDPOINT,
    OPINION_SECONDS,
    RECOGNITION_SECONDS,
    WORDS_SECONDS,
    Counts,
    EventKind,
    SecondOpinion,
)

HOLD, EARLY = 1.5, 0.4
START, END, FORCED = "(", ")", "!"
_KINDS = {
    START: EventKind.START,
    END: EventKind.END,
    "": EventKind.NOTHING,
    "usage": EventKind.OTHER,
}


class Line:
    """A caller on a clock; `told` is what the session saw: texts, `(`, `)`, and `!` for
    ForceEndpoint, each with its time."""

    def __init__(self) -> None:
        self.decision: SecondOpinion[str] = SecondOpinion(HOLD, EARLY)
        self.now = 0.0
        self.told: list[tuple[float, str]] = []

    @property
    def seen(self) -> list[str]:
        return [each for _, each in self.told]

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (due := self.decision.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            self._do(self.decision.expire(self.now))
        self.now = until

    def hear(self, *events: str, may_wait: bool = True, ended_at: float | None = None) -> None:
        for event in events:
            kind = _KINDS.get(event, EventKind.WORDS)
            actions = self.decision.push(
                kind, event, self.now, may_wait=may_wait, ended_at=ended_at
            )
            self._do(actions)

    def voice(self) -> None:
        self._do(self.decision.voice(self.now))

    def quiet(self) -> None:
        self._do(self.decision.quiet(self.now, self.now))

    def judge(self, *, over: bool) -> None:
        self.bear(0 if over else 1)

    def bear(self, hold_share: float) -> None:
        self._do(self.decision.on_opinion(hold_share, self.now))

    def say(self, *words: str) -> None:
        """Half a second of voice, then quiet; the words come, but no end."""
        self.voice()
        self.wait(0.5)
        self.hear(START, *words)
        self.quiet()

    def close(self) -> None:
        self._do(self.decision.close())

    def _do(self, actions: Sequence[object]) -> None:
        self.told += [
            (round(self.now, 3), FORCED if each is FORCE_ENDPOINT else str(each))
            for each in actions
        ]


@pytest.fixture
def line() -> Line:
    return Line()


def test_an_end_that_the_detector_is_sure_of_passes_at_once(line: Line) -> None:
    line.say("I would like a table.")
    line.wait(0.3)
    line.judge(over=True)
    line.hear(END)
    assert line.seen == [START, "I would like a table.", END]
    assert line.decision.counts == Counts()


def test_an_end_in_mid_sentence_is_held_back_until_the_voice_has_been_quiet_for_long(
    line: Line,
) -> None:
    line.say("I would like to")
    line.wait(0.3)
    line.judge(over=False)
    line.hear(END)
    assert line.seen == [START, "I would like to"]
    assert line.decision.is_holding
    line.wait(10)
    assert line.told[-1] == (0.5 + HOLD, END)
    assert not line.decision.is_holding
    assert line.decision.counts == Counts(ends_held_back=1)


def test_it_passes_as_soon_as_the_detector_becomes_sure(line: Line) -> None:
    line.say("Yes.")
    line.wait(0.3)
    line.judge(over=False)
    line.hear(END)
    line.wait(0.1)
    line.judge(over=True)
    assert line.told[-1] == (0.9, END)


def test_of_what_may_be_an_end_a_part_of_the_hold_is_borne(line: Line) -> None:
    line.say("I would like to book.")
    line.wait(0.3)
    line.bear(0.4)
    line.hear(END)
    line.wait(10)
    assert line.told[-1] == (0.5 + 0.4 * HOLD, END)


def test_what_may_be_an_end_passes_at_once_where_it_has_been_borne_already(line: Line) -> None:
    line.say("I would like to book.")
    line.wait(0.3)
    line.bear(0.4)
    line.wait(0.5)
    line.hear(END)
    assert line.told[-1] == (1.3, END)


def test_what_may_be_an_end_is_not_asked_for(line: Line) -> None:
    line.say("I would like to book.")
    line.wait(0.3)
    line.bear(0.01)
    line.wait(10)
    assert FORCED not in line.seen


def test_who_goes_on_has_one_turn(line: Line) -> None:
    line.say("I would like to")
    line.wait(0.3)
    line.judge(over=False)
    line.hear(END)
    line.wait(0.6)
    line.say("book a table.")
    line.wait(0.3)
    line.judge(over=True)
    line.hear(END)
    assert line.seen == [START, "I would like to", "book a table.", END]
    assert line.decision.counts == Counts(ends_held_back=1, went_on=1)


def test_words_without_a_start_go_on_with_the_turn_as_well(line: Line) -> None:
    line.say("I would like to")
    line.judge(over=False)
    line.hear(END, "book a table.")
    line.wait(10)
    assert line.seen == [START, "I would like to", "book a table."]
    line.hear(END)
    assert line.seen[-1] == END


def test_a_voice_keeps_the_end_back_until_its_words_may_come(line: Line) -> None:
    line.say("I would like to")
    line.wait(0.3)
    line.judge(over=False)
    line.hear(END)
    line.wait(1.1)
    line.voice()
    line.wait(1.0)
    line.quiet()
    line.judge(over=True)
    line.wait(0.9)
    assert line.seen[-1] != END
    line.wait(0.2)
    assert line.told[-1] == (2.9 + RECOGNITION_SECONDS, END)


def test_a_voice_without_words_does_not_keep_it_back_for_ever(line: Line) -> None:
    line.say("I would like to")
    line.judge(over=False)
    line.hear(END)
    line.wait(0.3)
    line.voice()
    line.wait(10)
    assert line.told[-1] == (0.5 + HOLD + WORDS_SECONDS, END)


def test_a_hum_that_was_there_before_keeps_it_back_for_a_moment_only(line: Line) -> None:
    line.voice()
    line.wait(3)
    line.hear(START, "Yes.", END)
    line.wait(3)
    assert line.told[-1] == (3 + OPINION_SECONDS, END)


def test_a_voice_that_came_before_the_end_was_told_goes_on_with_the_turn(line: Line) -> None:
    line.say("I would like to")
    line.wait(0.3)
    line.voice()
    line.wait(0.1)
    line.hear(END, ended_at=0.5)
    line.wait(2)
    line.hear(START, "book a table.")
    assert line.seen == [START, "I would like to", "book a table."]


def test_a_voice_that_comes_and_goes_does_not_keep_it_back_for_ever(line: Line) -> None:
    line.say("I would like to")
    line.judge(over=False)
    line.hear(END)
    for _ in range(20):
        line.wait(0.2)
        line.voice()
        line.wait(0.2)
        line.quiet()
        line.judge(over=False)
    assert line.told[-1] == (0.5 + HOLD + WORDS_SECONDS, END)


def test_an_end_waits_a_moment_for_the_first_opinion_on_its_pause(line: Line) -> None:
    line.say("Yes.")
    line.wait(0.1)
    line.hear(END)
    line.wait(0.1)
    line.judge(over=True)
    assert line.told[-1] == (0.7, END)


def test_without_an_opinion_it_passes(line: Line) -> None:
    line.say("Yes.")
    line.wait(0.1)
    line.hear(END)
    line.wait(10)
    assert line.told[-1] == (0.6 + OPINION_SECONDS, END)


def test_a_long_silence_ends_a_turn_whatever_the_detector_thinks(line: Line) -> None:
    line.say("I would like to")
    line.judge(over=False)
    line.wait(2.4)
    line.hear(END)
    assert line.told[-1] == (2.9, END)


def test_an_end_that_the_voice_detector_heard_nothing_of_passes(line: Line) -> None:
    line.hear(START, "Hello.", END)
    assert line.seen == [START, "Hello.", END]


def test_an_end_that_may_not_wait_passes(line: Line) -> None:
    line.say("Uh-huh.")
    line.judge(over=False)
    line.hear(END, may_wait=False)
    assert line.seen == [START, "Uh-huh.", END]


def test_the_end_is_asked_for_when_the_voice_is_quiet_and_the_detector_sure(line: Line) -> None:
    line.say("The second one.")
    line.wait(0.2)
    line.judge(over=True)
    line.wait(3)
    assert line.told[-1] == (0.5 + EARLY, FORCED)
    line.hear(END)
    assert line.seen == [START, "The second one.", FORCED, END]
    assert line.decision.counts == Counts(ends_asked_for=1)


def test_it_is_asked_for_once_in_a_pause(line: Line) -> None:
    line.say("The second one.")
    for _ in range(3):
        line.wait(0.4)
        line.judge(over=True)
    assert line.seen.count(FORCED) == 1


def test_it_is_not_asked_for_without_words_or_a_turn(line: Line) -> None:
    line.say()
    line.judge(over=True)
    line.wait(3)
    line.hear(END)
    line.wait(3)
    assert FORCED not in line.seen


def test_who_goes_on_in_time_is_not_cut_off(line: Line) -> None:
    line.say("It is the age of wisdom,")
    line.wait(0.2)
    line.judge(over=True)
    line.wait(0.1)
    line.voice()
    line.wait(3)
    assert FORCED not in line.seen


def test_more_patience_asks_later(line: Line) -> None:
    line.decision.early_seconds = 1.6
    line.say("four five six")
    line.wait(0.2)
    line.judge(over=True)
    line.wait(3)
    assert line.told[-1] == (2.1, FORCED)


def test_that_there_was_nothing_to_end_is_told_only_to_who_asked(line: Line) -> None:
    line.hear("")
    assert line.seen == [""]
    line.say("Yes.")
    line.judge(over=True)
    line.wait(1)
    line.hear("")
    assert line.seen == ["", START, "Yes.", FORCED]


def test_what_is_no_speech_passes(line: Line) -> None:
    line.say("I would like to")
    line.judge(over=False)
    line.hear(END, "usage")
    assert line.seen[-1] == "usage"


@pytest.mark.parametrize("goes_on", [False, True])
def test_when_the_source_breaks_off_the_end_is_let_through(line: Line, *, goes_on: bool) -> None:
    line.say("I would like to")
    line.judge(over=False)
    line.hear(END)
    if goes_on:
        line.hear(START)
    line.close()
    line.close()
    assert line.seen == [START, "I would like to", END]


moves = some.lists(
    some.tuples(
        some.sampled_from(
            ["turn", "word", "voice", "quiet", "over", "perhaps", "not over", "usage", ""]
        ),
        some.floats(0, 2),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=300)
@given(moves)
def test_no_word_is_lost_or_late_and_every_turn_ends_in_time(
    said: list[tuple[str, float]],
) -> None:
    line = Line()
    words: list[tuple[float, str]] = []
    ended_at: float | None = None  # an end that AssemblyAI told and nothing followed
    is_open = False
    for number, (move, seconds) in enumerate(said):
        match move:
            case "turn":
                line.hear(END if is_open else START)
                is_open = not is_open
                ended_at = None if is_open else line.now
            case "word" if is_open:
                words.append((round(line.now, 3), f"word {number}"))
                line.hear(words[-1][1])
            case "voice":
                line.voice()
            case "quiet":
                line.quiet()
            case "over" | "not over":
                line.judge(over=move == "over")
            case "perhaps":
                line.bear(0.5)
            case "usage" | "":
                line.hear(move)
            case _:
                pass
        line.wait(seconds)
        if ended_at is not None and line.now > ended_at + HOLD + WORDS_SECONDS + 0.001:
            assert [each for each in line.seen if each in (START, END)][-1] == END
    line.close()
    assert [each for each in line.told if each[1].startswith("word")] == words
    marks = [each for each in line.seen if each in (START, END)]
    assert marks == [START, END] * (len(marks) // 2) + [START] * (len(marks) % 2)
    if not is_open:
        assert len(marks) % 2 == 0
