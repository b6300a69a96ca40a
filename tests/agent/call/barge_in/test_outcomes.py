"""What was said over the agent, counted as what it turned out to be."""

import pytest

from agent.call.barge_in.outcomes import (
    INTERRUPTION,
    KINDS,
    REPEATED_SECONDS,
    WENT_ON_SECONDS,
    Outcomes,
)
from agent.call.history.marked import Mark

LATER = WENT_ON_SECONDS + 0.1


class Told:
    """Outcomes whose every count is written down."""

    def __init__(self) -> None:
        self.counts: list[tuple[str, bool]] = []
        self.outcomes = Outcomes(lambda kind, is_right: self.counts.append((kind, is_right)))


@pytest.mark.parametrize(
    ("mark", "said", "turn", "seconds", "is_right"),
    [
        (Mark.BACKCHANNEL, "Uh-huh.", "What is the price?", LATER, True),
        (Mark.BACKCHANNEL, "Right.", "But not on Tuesday.", WENT_ON_SECONDS - 0.1, False),
        (Mark.BACKCHANNEL, "Yes.", "Yes.", LATER, False),
        (Mark.BACKCHANNEL, "Yes, yes.", "yes yes", REPEATED_SECONDS - 0.1, False),
        (Mark.BACKCHANNEL, "Yes.", "Yes.", REPEATED_SECONDS + 0.1, True),
        (Mark.BACKCHANNEL, "Okay.", "Okay, then book it.", LATER, True),
        (Mark.ECHO, "the large red one", "I said the large red one.", LATER, False),
        (Mark.ECHO, "the large red one", "the red large one", LATER, True),
        (Mark.UNANSWERED, "My number is wrong.", "Wait, my number is wrong!", LATER, False),
        (Mark.HOLD, "One moment.", "I have it now.", LATER, True),
        (Mark.HOLD, "One moment.", "It is five.", WENT_ON_SECONDS - 0.1, False),
    ],
)
def test_what_the_caller_says_next_shows_whether_a_mark_was_right(
    mark: Mark, said: str, turn: str, seconds: float, is_right: bool
) -> None:
    told = Told()
    told.outcomes.kept(mark, said, ended_at=100.0)
    assert told.counts == []
    told.outcomes.turn(turn, begun_at=100.0 + seconds)
    assert told.counts == [(mark.value, is_right)]
    told.outcomes.turn(said, begun_at=100.0 + seconds)
    told.outcomes.settle()
    assert len(told.counts) == 1


def test_a_turn_without_words_shows_nothing_and_the_end_of_the_call_settles_it() -> None:
    told = Told()
    told.outcomes.kept(Mark.ECHO, "at nine", ended_at=1.0)
    told.outcomes.turn("...", begun_at=1.5)
    assert told.counts == []
    told.outcomes.settle()
    assert told.counts == [("echo", True)]


def test_of_several_speakers_each_is_judged_by_what_they_say_themselves() -> None:
    told = Told()
    told.outcomes.kept(Mark.BACKCHANNEL, "Yes.", 1.0, speaker="ann")
    told.outcomes.kept(Mark.HOLD, "One moment.", 1.0)
    told.outcomes.turn("Yes.", 2.5, speaker="bob")
    assert told.counts == [("hold", True)]
    told.outcomes.turn("Yes.", 3.5, speaker="ann")
    assert told.counts == [("hold", True), ("backchannel", False)]


def test_the_log_has_a_field_for_each_kind_and_each_outcome() -> None:
    outcomes = Outcomes()
    outcomes.count(INTERRUPTION, is_right=True)
    outcomes.count(INTERRUPTION, is_right=False)
    outcomes.count("echo", is_right=True)
    fields = outcomes.fields()
    assert len(fields) == 2 * len(KINDS)
    assert {name for name, count in fields.items() if count} == {
        "interruptions",
        "false_interruptions",
        "echoes",
    }
