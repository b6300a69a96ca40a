"""When the agent shows that it listens, and when it does not: on a clock of the test's own."""

from collections.abc import Callable

import pytest

from agent.call.turns.backchannel import (
    LONGEST_PAUSE_SECONDS,
    PAUSE_SECONDS,
    REACH_SECONDS,
    READY,
    Backchannel,
)
from agent.call.turns.eagerness import Outlook, SoFar
from agent.call.voices.vad_tap import RESULT_SECONDS

AFTER_SECONDS = 8.0
TEXT = "I was there last week with my brother and"


class Turn:
    """A caller's turn, and when the sound was due in it."""

    def __init__(self) -> None:
        self.backchannel = Backchannel(AFTER_SECONDS, threshold=0.5)
        self.now = 100.0
        self.due: list[float] = []
        self.backchannel.open(self.now)
        self.begun_at = self.now

    def voice(self, seconds: float) -> None:
        self._hear(seconds, 0.9)

    def quiet(self, seconds: float) -> None:
        self._hear(seconds, 0.1)

    def words(
        self,
        text: str = TEXT,
        outlook: Outlook = Outlook.UNLIKELY,
        *,
        is_answered: bool = False,
        late_seconds: float = 0.0,
    ) -> None:
        so_far = SoFar(text, ended_at=self.now - late_seconds)
        self.backchannel.learn(so_far, outlook, is_answered=is_answered)

    def _hear(self, seconds: float, probability: float) -> None:
        for _ in range(round(seconds / RESULT_SECONDS)):
            self.now += RESULT_SECONDS
            self.backchannel.hear(self.now, probability)
            if self.backchannel.is_due(self.now):
                self.due.append(self.now)
                self.backchannel.said()


def test_it_is_due_in_the_first_short_pause_of_a_turn_that_is_long_enough() -> None:
    turn = Turn()
    turn.voice(AFTER_SECONDS - 2)
    turn.words()
    turn.quiet(1.0)
    assert turn.due == []  # not long yet
    turn.voice(2.0)
    turn.words()
    paused_at = turn.now
    turn.quiet(1.0)
    assert turn.due == pytest.approx([paused_at + PAUSE_SECONDS], abs=RESULT_SECONDS)


def test_it_is_due_once_a_turn() -> None:
    turn = Turn()
    for _ in range(3):
        turn.voice(AFTER_SECONDS)
        turn.words()
        turn.quiet(0.5)
    assert len(turn.due) == 1
    turn.backchannel.close()
    turn.quiet(5.0)
    turn.backchannel.open(turn.now)
    turn.voice(AFTER_SECONDS)
    turn.words()
    turn.quiet(0.5)
    assert len(turn.due) == 2


def test_it_is_not_due_in_a_pause_that_has_become_long() -> None:
    turn = Turn()
    turn.voice(AFTER_SECONDS)
    turn.words(outlook=Outlook.LIKELY)
    turn.quiet(LONGEST_PAUSE_SECONDS + 0.1)
    turn.backchannel.learn(SoFar(TEXT), Outlook.UNLIKELY, is_answered=False)
    turn.quiet(1.0)
    assert turn.due == []


def test_a_recogniser_that_tells_no_times_is_believed() -> None:
    turn = Turn()
    turn.voice(AFTER_SECONDS)
    turn.backchannel.learn(SoFar(TEXT), Outlook.UNLIKELY, is_answered=False)
    turn.quiet(0.5)
    assert len(turn.due) == 1


def test_a_turn_whose_end_is_held_back_has_all_its_words() -> None:
    turn = Turn()
    turn.voice(AFTER_SECONDS)
    turn.words("I was there last week")
    turn.backchannel.finish("I was there last week.")
    turn.quiet(0.5)
    assert turn.due == []  # nobody knows yet that it goes on
    turn.voice(1.0)
    turn.words("with my brother and")
    turn.quiet(0.5)
    assert len(turn.due) == 1


def _dictated(turn: Turn) -> None:
    turn.words()
    turn.backchannel.is_dictated = True


def _on_hold(turn: Turn) -> None:
    turn.words()
    turn.backchannel.is_on_hold = True


def _over(turn: Turn) -> None:
    turn.words()
    turn.backchannel.close()


@pytest.mark.parametrize(
    "happens",
    [
        lambda turn: turn.words(outlook=Outlook.LIKELY),
        lambda turn: turn.words(outlook=Outlook.SURE),
        lambda turn: turn.words(is_answered=True),
        lambda turn: turn.words(late_seconds=REACH_SECONDS + 0.1),
        lambda turn: turn.words("I was there and"),
        lambda _: None,
        _dictated,
        _on_hold,
        _over,
    ],
    ids=[
        "perhaps the end",
        "surely the end",
        "a reply is begun",
        "more words are on the way",
        "few words in a long time",
        "no words",
        "dictation",
        "on hold",
        "the turn is over",
    ],
)
def test_it_is_never_due_there(happens: Callable[[Turn], None]) -> None:
    turn = Turn()
    turn.voice(AFTER_SECONDS + 1)
    happens(turn)
    turn.quiet(2.0)
    assert turn.due == []


def test_a_detector_that_heard_no_voice_in_the_turn_tells_of_no_pause() -> None:
    turn = Turn()
    turn.now += AFTER_SECONDS
    turn.words()
    turn.quiet(0.5)
    assert turn.due == []


def test_its_sound_is_wanted_when_the_turn_is_half_as_long_and_not_after_it_was_said() -> None:
    turn = Turn()
    assert not turn.backchannel.is_near(turn.begun_at + AFTER_SECONDS * READY - 0.1)
    assert turn.backchannel.is_near(turn.begun_at + AFTER_SECONDS * READY)
    turn.backchannel.said()
    assert not turn.backchannel.is_near(turn.begun_at + AFTER_SECONDS)
