"""Shares one floor among several speakers: the strongest of their verdicts counts."""

from dataclasses import replace

from agent.call.barge_in.barge_in_filter import Floor
from agent.call.barge_in.interruptions import Verdict
from agent.call.history.marked import MarkedUtterance
from agent.call.voices.who_spoke import Person


class SharedFloor:
    """The floor of a session, shared by all speakers. Each of them has a seat."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self._verdicts: dict[Seat, Verdict] = {}

    def seat_for(self, person: Person) -> "Seat":
        """A seat for this person. One who comes back takes another."""
        return Seat(self, person)

    def on_verdict(self, seat: "Seat", verdict: Verdict | None) -> None:
        """Take the verdict of one seat, and give the floor the strongest of all, or None."""
        self._verdicts.pop(seat, None)
        if verdict is not None:
            self._verdicts[seat] = verdict
        strongest = max(self._verdicts.values(), key=lambda each: each.value, default=None)
        self.floor.on_verdict(strongest)


class Seat:
    """The floor, as one of several speakers sees it."""

    def __init__(self, shared: SharedFloor, person: Person) -> None:
        self._shared = shared
        self._person = person

    def agent_has_it(self) -> bool:
        return self._shared.floor.agent_has_it()

    def may_be_taken(self) -> bool:
        return self._shared.floor.may_be_taken()

    def is_aside(self, since: float) -> bool:
        """Never: everybody has a microphone, and the detector hears only the sum of them."""
        return False

    def interrupt(self, words: str) -> None:
        self._shared.floor.interrupt(words)

    def on_verdict(self, verdict: Verdict | None) -> None:
        self._shared.on_verdict(self, verdict)

    def keep(self, utterance: MarkedUtterance) -> None:
        line = self._person.line(utterance.text)
        self._shared.floor.keep(replace(utterance, line=line))
