"""Utterances that get no answer of their own: kept with a mark, never thrown away.

They are in the session's history, on screens and in the record, and the model reads them in order.
A wrong mark costs the caller a repetition, but never loses a word.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import takewhile
from types import MappingProxyType
from typing import Any

from livekit.agents import (
    AgentSession,
    ChatContext,
    ChatMessage,
    ConversationItemAddedEvent,
    LanguageCode,
    UserInputTranscribedEvent,
)
from livekit.agents.llm import ChatItem

from agent.call.voices.who_spoke import Line, set_lines

_FIELD = "mark"


class Mark(Enum):
    """Why an utterance got no answer of its own."""

    BACKCHANNEL = "backchannel"
    """The caller showed that they listen."""
    ECHO = "echo"
    """It seemed to be the agent's own voice, heard back."""
    ASIDE = "aside"
    """The voice was far softer than the caller's: somebody else, or away from the microphone."""
    UNANSWERED = "unanswered"
    """It was said over the agent's last words, which cannot be interrupted."""
    HOLD = "hold"
    """The caller asked the agent to wait."""
    CONSENT = "consent"
    """It answered whether the call may be recorded."""


_DOUBTS: Mapping[Mark | None, str] = MappingProxyType(
    {
        Mark.ECHO: "perhaps your own voice, heard back",
        Mark.ASIDE: "said softly while you spoke, perhaps not to you",
    }
)
"""What the model reads before the words of such an utterance."""


@dataclass(frozen=True, slots=True)
class MarkedUtterance:
    """What was said, when it began (wall time, seconds), and by which of several speakers."""

    text: str
    mark: Mark
    begun_at: float
    language: str = ""
    line: Line | None = None


def keep(session: AgentSession[Any], utterance: MarkedUtterance) -> None:
    """Write an utterance into the session's history, and notify the session's listeners.

    The session's own method would begin a reply. `with_marked` shows it to the model.
    """
    message = ChatMessage(
        role="user",
        content=[utterance.text],
        created_at=utterance.begun_at,
        extra={_FIELD: utterance.mark.value},
    )
    heard = UserInputTranscribedEvent(
        transcript=utterance.text,
        is_final=True,
        language=LanguageCode(utterance.language) if utterance.language else None,
        speaker_id=utterance.line.speaker if utterance.line else None,
    )
    if utterance.line:
        set_lines(message, [utterance.line])
    session.emit("user_input_transcribed", heard)
    _insert(session, message)


def keep_turn(session: AgentSession[Any], turn: ChatMessage, mark: Mark) -> None:
    """The same for a turn that the session has announced already, and will not keep itself."""
    turn.extra[_FIELD] = mark.value
    _insert(session, turn)


def _insert(session: AgentSession[Any], message: ChatMessage) -> None:
    session.history.insert(message)
    session.emit("conversation_item_added", ConversationItemAddedEvent(item=message))


def extra_of(mark: str) -> dict[str, Any]:
    """The `extra` of a history item with this recorded mark; empty if the mark is unknown."""
    return {_FIELD: mark} if mark in {each.value for each in Mark} else {}


def mark_of(item: object) -> Mark | None:
    """The mark of a history item; None for an ordinary turn."""
    extra = item.extra if isinstance(item, ChatMessage) else {}
    return Mark(extra[_FIELD]) if _FIELD in extra else None


def with_marked(asked: ChatContext, history: ChatContext) -> ChatContext:
    """The model's context `asked`, with the marked utterances of `history` in their places."""
    known = {item.id for item in asked.items}
    marked = asked.copy()
    # Some come from an agent that died.
    marked.items[:] = [_for_model(each) for each in asked.items]
    first = _instructions(marked)  # a later agent's are newer than those
    for item in history.items:
        if mark_of(item) and item.id not in known:
            place = marked.find_insertion_index(created_at=item.created_at)
            marked.items.insert(max(first, place), _for_model(item))
    return marked


def _instructions(context: ChatContext) -> int:
    """How many items come before the conversation. Some models refuse them anywhere else."""
    roles = (item.role if isinstance(item, ChatMessage) else None for item in context.items)
    return len([*takewhile(lambda role: role in ("system", "developer"), roles)])


def _for_model(item: ChatItem) -> ChatItem:
    doubt = _DOUBTS.get(mark_of(item))
    if doubt is None or not isinstance(item, ChatMessage):
        return item
    return item.model_copy(update={"content": [f"({doubt}: {item.text_content})"]})
