"""One floor for several speakers: the strongest verdict of all of them counts."""

from dataclasses import replace

from agent.call.interruptions import Verdict
from agent.call.marked import MarkedUtterance
from agent.call.overlap import Floor
from agent.call.who_spoke import Person


class Seats:
    """The floor of a session, shared by those who take a seat."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self._verdicts: dict[Seat, Verdict] = {}

    def take(self, person: Person) -> "Seat":
        """A seat for this person; one who comes back takes another."""
        return Seat(self, person)

    def judged(self, seat: "Seat", verdict: Verdict | None) -> None:
        """What is said there; the floor learns of the strongest of all, or that all is over."""
        self._verdicts.pop(seat, None)
        if verdict is not None:
            self._verdicts[seat] = verdict
        self.floor.judged(max(self._verdicts.values(), key=lambda each: each.value, default=None))


class Seat:
    """The floor as one of several speakers has it."""

    def __init__(self, seats: Seats, person: Person) -> None:
        self._seats = seats
        self._person = person

    def agent_has_it(self) -> bool:
        return self._seats.floor.agent_has_it()

    def may_be_taken(self) -> bool:
        return self._seats.floor.may_be_taken()

    def is_aside(self, since: float) -> bool:
        """Each has a microphone, and the voice detector hears all of them at once."""
        return False

    def take(self) -> None:
        self._seats.floor.take()

    def judged(self, verdict: Verdict | None) -> None:
        self._seats.judged(self, verdict)

    def keep(self, utterance: MarkedUtterance) -> None:
        line = self._person.line(utterance.text)
        self._seats.floor.keep(replace(utterance, line=line))
