"""One floor, shared by several speakers."""

from agent.call.barge_in.interruptions import Verdict
from agent.call.barge_in.shared_floor import SharedFloor
from agent.call.history.marked import Mark, MarkedUtterance
from agent.call.voices.who_spoke import Line, Person

ANN, BOB = Person("ann-1", "Ann"), Person("bob-1", "Bob")


class Floor:
    """What the session's floor is told."""

    def __init__(self) -> None:
        self.agent_speaks = True
        self.last_words = False
        self.verdicts: list[Verdict | None] = []
        self.kept: list[MarkedUtterance] = []

    def agent_has_it(self) -> bool:
        return self.agent_speaks

    def may_be_taken(self) -> bool:
        return not self.last_words

    def is_aside(self, since: float) -> bool:
        return True

    def interrupt(self, words: str) -> None:
        self.agent_speaks = False

    def on_verdict(self, verdict: Verdict | None) -> None:
        self.verdicts.append(verdict)

    def keep(self, utterance: MarkedUtterance) -> None:
        self.kept.append(utterance)


def test_the_strongest_verdict_of_all_counts() -> None:
    floor = Floor()
    seats = SharedFloor(floor)
    ann, bob = seats.seat_for(ANN), seats.seat_for(BOB)
    ann.on_verdict(Verdict.NEED_MORE)
    bob.on_verdict(Verdict.INTERRUPTION)
    ann.on_verdict(Verdict.BACKCHANNEL)
    bob.on_verdict(None)
    ann.on_verdict(None)
    assert floor.verdicts == [
        Verdict.NEED_MORE,
        Verdict.INTERRUPTION,
        Verdict.INTERRUPTION,
        Verdict.BACKCHANNEL,
        None,
    ]


def test_each_seat_sees_the_same_floor() -> None:
    floor = Floor()
    seats = SharedFloor(floor)
    ann, bob = seats.seat_for(ANN), seats.seat_for(BOB)
    assert ann.agent_has_it()
    assert bob.may_be_taken()
    ann.interrupt("stop")
    floor.last_words = True
    assert not bob.agent_has_it()
    assert not bob.may_be_taken()


def test_nobody_with_a_microphone_of_their_own_is_an_aside() -> None:
    assert not SharedFloor(Floor()).seat_for(ANN).is_aside(0.0)


def test_what_is_kept_has_the_name_of_who_said_it() -> None:
    floor = Floor()
    SharedFloor(floor).seat_for(BOB).keep(MarkedUtterance("uh-huh", Mark.BACKCHANNEL, 1.0))
    (kept,) = floor.kept
    assert (kept.text, kept.line) == ("uh-huh", BOB.line("uh-huh"))
    assert isinstance(kept.line, Line)
