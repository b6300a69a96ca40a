"""Writes what is said in a session into the record of its call, turn by turn."""

from livekit.agents import ChatMessage, ConversationItemAddedEvent

from agent.call.history.marked import mark_of
from agent.call.history.record import Record
from agent.call.voices.who_spoke import turns_of


class RecordedTurns:
    """Records every turn, with its mark if it has one. With several speakers in a turn, each gets a
    line of their own."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def on_item_added(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if isinstance(item, ChatMessage) and item.role in ("user", "assistant"):
            mark = mark_of(item)
            for turn in turns_of(item):
                self._record.add("turn", {**turn, "mark": mark.value} if mark else turn)
