"""The call state: as it is written and read, by this version and by another one."""

import json

import pytest
from livekit.agents import ChatContext
from livekit.agents.llm import AgentHandoff, FunctionCall, FunctionCallOutput

from agent.call.takeover.state import (
    CallState,
    Patience,
    Quiet,
    UnreadableError,
    from_text,
    restored,
    take_talk,
    to_text,
)
from agent.records.schema import Usage

LEAST = CallState(number=1, sent_at=10.0, cut_at=9.5, caller="ann")
FULL = CallState(
    number=3,
    sent_at=10.0,
    cut_at=9.5,
    caller="ann",
    seconds=12.5,
    turns=4,
    usage=Usage(prompt_tokens=12),
    patience=Patience(preset="balanced", dictation_left=2.0, language="de"),
    quiet=Quiet(away_in=3.0, asked_ago=1.0, waits=2.0),
    consent="no",
    texts=["a", "b"],
    application={"cart": ["tea"]},
    record="RM_1.jsonl",
)


@pytest.mark.parametrize("state", [LEAST, FULL])
def test_it_is_read_as_it_was_written(state: CallState) -> None:
    assert from_text(to_text(state)) == state


def test_what_is_written_names_its_version() -> None:
    assert json.loads(to_text(LEAST))["version"] == 1


def test_a_field_of_a_later_release_is_ignored() -> None:
    written = json.loads(to_text(FULL)) | {"mood": "fine"}
    assert from_text(json.dumps(written)) == FULL


def test_what_an_earlier_release_left_out_takes_its_default() -> None:
    written = {"version": 1, "number": 1, "sent_at": 10.0, "cut_at": 9.5, "caller": "ann"}
    assert from_text(json.dumps(written)) == LEAST


@pytest.mark.parametrize(
    "text", ["", "secret words", "[]", '{"version": 2}', '{"version": 1, "caller": "secret"}']
)
def test_what_is_no_state_of_this_version_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        from_text(text)
    assert "secret" not in str(refused.value)


def conversation() -> ChatContext:
    context = ChatContext.empty()
    context.add_message(role="system", content="Be kind.", id="told", created_at=0.0)
    context.add_message(role="user", content="What do I owe?", created_at=1.0)
    context.items.append(FunctionCall(call_id="c1", name="look", arguments="{}", created_at=2.0))
    output = FunctionCallOutput(call_id="c1", name="look", output="5", is_error=False)
    context.items.append(output.model_copy(update={"created_at": 3.0}))
    context.add_message(role="assistant", content="Five", interrupted=True, created_at=4.0)
    return context


def test_the_conversation_travels_with_its_tools_and_what_was_really_heard() -> None:
    read = conversation()
    kept = ChatContext([each for each in read.items if each.id != "told"])
    kept.add_message(role="user", content="mhm", extra={"mark": "backchannel"}, created_at=3.5)
    kept.items.insert(0, AgentHandoff(old_agent_id=None, new_agent_id="assistant"))
    talk = take_talk(read, kept, without="told")
    sent = from_text(to_text(LEAST.model_copy(update={"talk": talk})))
    reads, keeps = restored(sent.talk)
    assert reads.is_equivalent(ChatContext(read.items[1:]))
    assert [each.created_at for each in keeps.items] == [1.0, 2.0, 3.0, 3.5, 4.0]
    assert keeps.messages()[1].extra == {"mark": "backchannel"}
    assert keeps.messages()[-1].interrupted
    assert len(talk.items) == 5  # each once


def test_an_item_that_cannot_be_read_is_refused() -> None:
    talk = take_talk(conversation(), ChatContext.empty(), without="")
    broken = talk.model_copy(update={"items": [{"type": "dream", "id": "x"}]})
    with pytest.raises(UnreadableError):
        restored(broken)


def test_a_conversation_that_lacks_items_is_refused() -> None:
    talk = take_talk(conversation(), ChatContext.empty(), without="")
    with pytest.raises(UnreadableError, match="lacks 1"):
        restored(talk.model_copy(update={"read": [*talk.read, "item_missing"]}))
