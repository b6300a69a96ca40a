"""The names by which others know our agents in a room: attributes, topics, methods, an identity.

Pages, other workers and operators' programs read them. docs/operations.md says what each means.
"""

from enum import StrEnum


class Attribute(StrEnum):
    """An attribute of one of our participants."""

    ROLE = "agent.role"
    """What the agent does: `answers` or `transcribes`."""

    CALLER = "agent.caller"
    """The identity of the caller whom an agent answers."""

    HEARS = "agent.hears"
    """The identities that an agent hears which hears everybody, as a JSON list."""

    ENDING = "agent.ending"
    """Why the agent is about to end the call, as a code."""

    MUST_GO = "agent.must_go"
    """Set by a worker that cannot wait for the call to end: the agent apologises and leaves."""

    MUST_HAND_OVER = "agent.must_hand_over"
    """Set by a worker that stops: the agent gives its call to an agent of another worker."""

    HANDS_OVER = "agent.hands_over"
    """The versions of the call state that an agent speaks while it gives its call up."""

    WAITING = "agent.waiting"
    """On the participant of the hold announcement: why the caller waits, as a code."""

    PRESET = "agent.turn_preset"
    """The preset that decides when a turn ends."""

    DICTATION = "agent.dictation"
    """`true` while the agent waits for something dictated, with longer pauses; else empty."""

    WANTS_TURN_TIMES = "agent.wants_turn_times"
    """`true` on a caller whose token says so: the agent sends them the times of each turn."""


class Topic(StrEnum):
    """What messages of our agents are about."""

    TURN_TIMES = "agent.turn_times"
    """When the stages of an answer were reached, as JSON, to a caller who wants to know."""

    CALL_STATE = "agent.call_state"
    """What an agent that takes a call over has to know, as JSON, to this agent alone."""


class Method(StrEnum):
    """A method that participants or the server may call."""

    TURN_PRESET = "agent.turn_preset"
    """Changes when a turn ends. The payload is the name of a preset."""

    ALIVE = "agent.alive"
    """No client offers it: the library of a living one answers that it does not know the method."""

    MAY_TAKE_OVER = "agent.may_take_over"
    """An agent that hears the caller offers to take the call over. The payload has its version."""

    TOOK_OVER = "agent.took_over"
    """An agent has taken a call over: the one that had it leaves."""


HOLD_IDENTITY = "agent-waiting"
"""The identity of the participant that says the hold announcement."""
