"""The agent that answers first."""

from agent.assistant import Assistant


def test_it_has_its_instructions_and_what_the_call_brings_for_its_tools() -> None:
    assistant = Assistant("Be kind.", {"customer_id": "42"})
    assert assistant.instructions == "Be kind."
    assert assistant.metadata["customer_id"] == "42"
