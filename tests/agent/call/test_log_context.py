"""What a call's log lines tell besides."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import ChatMessage, ConversationItemAddedEvent

from agent.call.log_context import TurnLog, name_caller


def test_a_calls_lines_name_its_caller_by_a_hash_and_where_wanted_by_identity() -> None:
    job = SimpleNamespace(log_context_fields={"room": "room-17"})
    name_caller(cast("Any", job), "sip_+15550100")
    name_caller(cast("Any", job), "sip_+15550101")
    assert job.log_context_fields == {
        "room": "room-17",
        "caller": "19c6556d2169",
        "lk.pii.caller_identity": "sip_+15550101",
    }


def test_what_both_sides_say_is_a_line_each(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="agent"):
        for role, text in (("user", "Hello?"), ("assistant", "Hi."), ("system", "Be kind.")):
            item = ChatMessage(role=cast("Any", role), content=[text])
            TurnLog().on_item_added(ConversationItemAddedEvent(item=item))
    told = [(vars(line)["role"], vars(line)["lk.pii.text"]) for line in caplog.records]
    assert told == [("user", "Hello?"), ("assistant", "Hi.")]
