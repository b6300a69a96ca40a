"""What of a session's history is written down."""

from collections.abc import Mapping
from typing import Any

import pytest
from livekit.agents import AgentHandoff, ChatMessage, ConversationItemAddedEvent

from agent.call.history.marked import Mark, extra_of
from agent.call.history.recorded_turns import RecordedTurns
from agent.call.voices.who_spoke import Line, set_lines


class Record:
    """Has what was written."""

    def __init__(self) -> None:
        self.turns: list[Mapping[str, Any]] = []

    def add(self, kind: str, fields: Mapping[str, Any]) -> None:
        assert kind == "turn"
        self.turns.append(fields)

    def close(self) -> None:
        pass


def message(role: Any, text: str, mark: str = "") -> ChatMessage:
    return ChatMessage(role=role, content=[text], extra=extra_of(mark))


def said_together() -> ChatMessage:
    both = message("user", "Ann: At seven. Bob: For two.")
    set_lines(both, [Line("a", "Ann", "At seven."), Line("b", "Bob", "For two.")])
    return both


@pytest.mark.parametrize(
    ("item", "turns"),
    [
        (message("user", "At seven."), [{"role": "user", "text": "At seven."}]),
        (message("assistant", "Yes."), [{"role": "assistant", "text": "Yes."}]),
        (
            message("user", "One moment.", Mark.HOLD.value),
            [{"role": "user", "text": "One moment.", "mark": "hold"}],
        ),
        (
            said_together(),
            [
                {"role": "user", "text": "At seven.", "speaker": "a", "name": "Ann"},
                {"role": "user", "text": "For two.", "speaker": "b", "name": "Bob"},
            ],
        ),
        (message("system", "Be kind."), []),
        (AgentHandoff(new_agent_id="another"), []),
    ],
)
def test_each_turn_is_written_down_with_who_said_it_and_its_mark(
    item: Any, turns: list[dict[str, str]]
) -> None:
    record = Record()
    RecordedTurns(record).on_item_added(ConversationItemAddedEvent(item=item))
    assert record.turns == turns
