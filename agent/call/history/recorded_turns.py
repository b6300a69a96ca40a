"""Writes what is said in a session into the record of its call, turn by turn."""

from typing import Any

from livekit.agents import AgentSession, ChatMessage, ConversationItemAddedEvent

from agent.call.history.marked import mark_of
from agent.call.history.record import Record
from agent.call.voices.who_spoke import turns_of


def keep_turns(session: AgentSession[Any], record: Record) -> None:
    """Record every turn from now on, with its mark if it has one. With several speakers in a turn,
    each gets a line of their own."""

    def keep(event: ConversationItemAddedEvent) -> None:
        item = event.item
        if isinstance(item, ChatMessage) and item.role in ("user", "assistant"):
            mark = mark_of(item)
            for turn in turns_of(item):
                record.add("turn", {**turn, "mark": mark.value} if mark else turn)

    session.on("conversation_item_added", keep)
