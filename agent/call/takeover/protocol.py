"""Who answers the caller while a call goes from one agent to another: both sides, without a clock.

The predecessor asks for a successor, accepts the first one that hears the caller, sends it the
call's state at a boundary, and gives the call when it is asked for. Without an answer it goes on,
until the next boundary; when the time is up it stays.

The floor is the predecessor's until it has answered yes to a successor that has the state. After
that it never answers the caller again: so two agents never do, whatever is lost on the way. What
happens is a method; it returns what is to be done.
"""

from collections.abc import Sequence
from enum import Enum, auto

VERSION = 1
SPOKEN: Sequence[int] = (VERSION,)
"""The versions of the call state that this code reads and writes."""


def shown(versions: Sequence[int] = SPOKEN) -> str:
    """Versions as the predecessor's attribute shows them, such as `1,2`."""
    return ",".join(map(str, versions))


def common_version(attribute: str, spoken: Sequence[int] = SPOKEN) -> int | None:
    """The newest version that both speak; None if there is none."""
    theirs = {int(each) for each in attribute.split(",") if each.strip().isdecimal()}
    return max(theirs.intersection(spoken), default=None)


class Do(Enum):
    """What a side has to do now."""

    SHOW = auto()
    """Show the room that the call is to be handed over."""
    HIDE = auto()
    """Take back what SHOW showed: an agent that came for the call leaves."""
    ASK = auto()
    """Ask LiveKit for another agent."""
    SEND_STATE = auto()
    """Hear no more from here on, and send the call's state to the successor."""
    HEAR_ON = auto()
    """Go on, with all that was said meanwhile."""
    LEAVE = auto()
    """Leave the room without a word."""

    OFFER = auto()
    """Offer the predecessor to take the call over."""
    TAKE = auto()
    """Ask the predecessor whether the call is given, again and again until it answers."""
    FORGET = auto()
    """Forget the state: the predecessor has gone on."""
    ANSWER = auto()
    """Answer the caller, from the state."""
    REPLACE = auto()
    """Answer the caller as an agent does that replaces a dead one."""


class Giving(Enum):
    """Where a predecessor stands."""

    IDLE = auto()
    ASKING = auto()
    ACCEPTED = auto()
    GIVING = auto()
    GONE = auto()
    STAYS = auto()


class Predecessor:
    """The side that gives the call up."""

    def __init__(self, spoken: Sequence[int] = SPOKEN) -> None:
        self.state = Giving.IDLE
        self.successor: str | None = None
        """The identity of the agent that was accepted."""
        self.version = VERSION
        """Of the state that the successor reads."""
        self.number = 0
        """Of the state that was sent last."""
        self._spoken = spoken
        self._is_late = False
        self._candidates: set[str] = set()

    @property
    def has_floor(self) -> bool:
        """Whether this agent answers the caller, now or in a moment."""
        return self.state is not Giving.GONE

    def must_hand_over(self) -> list[Do]:
        """The worker stops."""
        if self.state is not Giving.IDLE:
            return []
        self.state = Giving.ASKING
        return [Do.SHOW, Do.ASK]

    def joined(self, identity: str) -> list[Do]:
        """Another of our agents came."""
        if self.state is not Giving.IDLE:
            self._candidates.add(identity)
        return []

    def nobody_came(self) -> list[Do]:
        """Some time has passed since the last request."""
        return [Do.ASK] if self.state is Giving.ASKING and not self._candidates else []

    def offers(self, identity: str, version: int) -> bool:
        """An agent that hears the caller offers to take the call over. Whether it is accepted."""
        if self.state is Giving.ASKING and version in self._spoken:
            self.state, self.successor, self.version = Giving.ACCEPTED, identity, version
            self._candidates.add(identity)
        is_open = self.state in (Giving.ACCEPTED, Giving.GIVING)
        return is_open and identity == self.successor

    def at_boundary(self) -> list[Do]:
        """Nobody speaks, and nothing is under way."""
        if self.state is not Giving.ACCEPTED:
            return []
        self.state = Giving.GIVING
        self.number += 1
        return [Do.SEND_STATE]

    def takes(self, identity: str, number: int) -> tuple[bool, list[Do]]:
        """The successor has the state with this number and wants the call. Whether it is given; the
        answer to the same question stays the same."""
        is_it = identity == self.successor and number == self.number
        if is_it and self.state is Giving.GIVING:
            self.state = Giving.GONE
            return True, [Do.LEAVE]
        return is_it and self.state is Giving.GONE, []

    def no_answer(self, number: int) -> list[Do]:
        """The successor has not asked for the call in time, or the state could not be sent."""
        if self.state is not Giving.GIVING or number != self.number:
            return []
        self.number += 1  # the old state is void
        self.state = Giving.ACCEPTED
        return [Do.HEAR_ON, *self._stay_if_late()]

    def cannot_give(self) -> list[Do]:
        """The call's state cannot be taken: the call stays."""
        if self.state in (Giving.GONE, Giving.STAYS, Giving.IDLE):
            return []
        goes_on = [Do.HEAR_ON] if self.state is Giving.GIVING else []
        self.state = Giving.STAYS
        return [*goes_on, Do.HIDE]

    def left(self, identity: str) -> list[Do]:
        """Another of our agents is gone."""
        self._candidates.discard(identity)
        if identity != self.successor or self.state not in (Giving.ACCEPTED, Giving.GIVING):
            return []
        goes_on = [Do.HEAR_ON] if self.state is Giving.GIVING else []
        self.number += 1
        self.state, self.successor = Giving.ASKING, None
        return goes_on + (self._stay_if_late() or [Do.ASK])

    def time_is_up(self) -> list[Do]:
        """The call stays, unless it is being given at this moment."""
        self._is_late = True
        return self._stay_if_late()

    def _stay_if_late(self) -> list[Do]:
        if not self._is_late or self.state not in (Giving.ASKING, Giving.ACCEPTED):
            return []
        self.state = Giving.STAYS
        return [Do.HIDE]


class Taking(Enum):
    """Where a successor stands."""

    STARTING = auto()
    OFFERING = auto()
    WAITING = auto()
    TAKING = auto()
    ANSWERS = auto()
    REPLACES = auto()
    LEAVES = auto()


class Successor:
    """The side that takes the call."""

    def __init__(self) -> None:
        self.state = Taking.STARTING
        self.number = 0
        """Of the state that was received last."""

    @property
    def has_floor(self) -> bool:
        """Whether this agent answers the caller."""
        return self.state in (Taking.ANSWERS, Taking.REPLACES)

    @property
    def is_over(self) -> bool:
        """Whether it is decided who answers."""
        return self.has_floor or self.state is Taking.LEAVES

    def hears(self) -> list[Do]:
        """The speech recognition hears the caller."""
        if self.state is not Taking.STARTING:
            return []
        self.state = Taking.OFFERING
        return [Do.OFFER]

    def accepted(self) -> list[Do]:
        """The predecessor waits for a good moment."""
        if self.state is Taking.OFFERING:
            self.state = Taking.WAITING
        return []

    def unheard(self) -> list[Do]:
        """The predecessor did not answer the offer."""
        return [Do.OFFER] if self.state is Taking.OFFERING else []

    def got_state(self, number: int) -> list[Do]:
        """The call's state is here, and everything is set by it."""
        if self.state not in (Taking.OFFERING, Taking.WAITING, Taking.TAKING):
            return []
        if number <= self.number:  # it comes late
            return []
        self.state, self.number = Taking.TAKING, number
        return [Do.TAKE]

    def given(self, number: int) -> list[Do]:
        """The predecessor answers nobody any more."""
        if self.state is not Taking.TAKING or number != self.number:
            return []
        self.state = Taking.ANSWERS
        return [Do.ANSWER]

    def refused(self, number: int) -> list[Do]:
        """The predecessor has gone on: that state is void."""
        if self.state is not Taking.TAKING or number != self.number:
            return []
        self.state = Taking.WAITING
        return [Do.FORGET]

    def predecessor_left(self, *, in_order: bool) -> list[Do]:
        """The predecessor is gone. `in_order`: it left by itself, so the call is over or given. If
        it died, the agent that it had accepted replaces it: of others there may be several."""
        if self.is_over:
            return []
        if self.state is Taking.TAKING:
            self.state = Taking.ANSWERS
            return [Do.ANSWER]
        if in_order or self.state is not Taking.WAITING:
            return self.leaves()
        self.state = Taking.REPLACES
        return [Do.REPLACE]

    def leaves(self) -> list[Do]:
        """The predecessor does not want this agent, or keeps its call; or this agent cannot read
        the state."""
        if self.is_over:
            return []
        self.state = Taking.LEAVES
        return [Do.LEAVE]

    def keeps(self) -> list[Do]:
        """The predecessor hands over no more. One that is giving its call may only be leaving."""
        return [] if self.state is Taking.TAKING else self.leaves()
