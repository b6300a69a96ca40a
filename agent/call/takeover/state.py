"""What an agent has to know that takes a call over: the call state, version 1.

It goes as JSON to the successor alone. A reader ignores fields that it does not know, and takes the
default for those that are missing. `VERSION` of the protocol grows when a known field changes its
meaning. The pieces are taken and restored where they belong: here is what they have in common.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from livekit.agents import ChatContext
from pydantic import BaseModel, ConfigDict, ValidationError

from agent.records.schema import Usage

NOT_OF_AGENTS = ("agent_handoff", "agent_config_update")
"""Items of a history that say which agent answered: the successor's session makes its own."""


class Piece(BaseModel):
    """What all parts of the state share."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Talk(Piece):
    """The conversation: every item once, and where it stands."""

    items: list[dict[str, Any]] = []
    """LiveKit's items, tool calls included, with what was really heard."""
    read: list[str] = []
    """The ids of those that the model reads, in order."""
    kept: list[str] = []
    """The ids of those in the session's history, in order; some are marked (`history.marked`)."""


class Patience(Piece):
    """How long the agent waits for the caller. Times left are in seconds."""

    preset: str = ""
    dictation_left: float | None = None
    """How long it still waits for a dictated answer; None: for none."""
    language: str = ""
    """The caller's, as speech recognition names it."""


class Quiet(Piece):
    """How long the caller has been silent, in seconds."""

    away_in: float | None = None
    """Until the caller counts as away; None while nobody counts."""
    asked_ago: float | None = None
    """Since the agent asked whether the caller is there; None: not in this silence."""
    waits: float = 0.0
    """How long the caller has asked for."""


class CallState(Piece):
    """All that a successor needs. Wall times are the predecessor's, in unix seconds."""

    version: Literal[1] = 1
    number: int
    """Of this state, among those of the hand-over."""
    sent_at: float
    cut_at: float
    """What the caller said until then is in `talk`; what came later is the successor's."""
    caller: str
    """The caller's identity."""
    seconds: float = 0.0
    """Since the call began."""
    turns: int = 0
    """The number of the last turn."""
    usage: Usage = Usage()
    """What the call has used, with the sessions of speech recognition that are open."""
    talk: Talk = Talk()
    patience: Patience = Patience()
    quiet: Quiet = Quiet()
    consent: Literal["yes", "no", "none"] | None = None
    """What the caller answered about recording; None: nobody asked."""
    texts: list[str] = []
    """The ids of typed texts that were answered lately."""
    application: Any = None
    """What the agent itself wants to keep, as JSON."""
    record: str = ""
    """The name of the record's file."""


class UnreadableError(ValueError):
    """This is no state of a version that is known here. The message has no words of the call."""


def to_text(state: CallState) -> str:
    """The state for the successor."""
    return state.model_dump_json(exclude_defaults=True, exclude={"version"})[:-1] + (
        f',"version":{state.version}}}'
    )


def from_text(text: str) -> CallState:
    """Raises UnreadableError."""
    try:
        return CallState.model_validate_json(text)
    except ValidationError as error:
        places = sorted({".".join(map(str, each["loc"])) or "all" for each in error.errors()})
        raise UnreadableError(f"the call state has faults: {', '.join(places)}") from None


def take_talk(read: ChatContext, kept: ChatContext, without: str) -> Talk:
    """The conversation as the agent reads it and as the session keeps it. `without`: the id of the
    instructions, which the successor has by itself."""
    items: dict[str, dict[str, Any]] = {}
    names: list[list[str]] = []
    for context in (read, kept):
        found = context.to_dict(exclude_timestamp=False)["items"]
        ours = [each for each in found if each["type"] not in NOT_OF_AGENTS]
        ours = [each for each in ours if each["id"] != without]
        items.update({each["id"]: each for each in ours})
        names.append([each["id"] for each in ours])
    return Talk(items=list(items.values()), read=names[0], kept=names[1])


def restored(talk: Talk) -> tuple[ChatContext, ChatContext]:
    """The conversation as the agent reads it, and as the session keeps it.

    Raises UnreadableError.
    """
    try:
        items = ChatContext.from_dict({"items": talk.items}).items
    except ValidationError:
        raise UnreadableError("the call state has items that cannot be read") from None
    known = {each.id: each for each in items}
    return _context(talk.read, known), _context(talk.kept, known)


def _context(names: Sequence[str], known: Mapping[str, Any]) -> ChatContext:
    if missing := [each for each in names if each not in known]:
        raise UnreadableError(f"the call state lacks {len(missing)} of its items")
    return ChatContext([known[each] for each in names])
