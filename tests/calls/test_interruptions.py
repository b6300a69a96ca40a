"""Callers who talk over the agent."""

from typing import Any

from workbench.conversation import greeting, take_turn
from workbench.corpus import synthesised
from workbench.transcript import words


async def test_the_agent_stops_when_talked_over_and_answers_the_new_question(
    worker: Any, dial: Any, understand: Any, figure: Any
) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    asked = await caller.say(synthesised("Please tell me a story.").samples)
    story = await caller.hear_start(after_seconds=asked.end_seconds, timeout_seconds=40)
    # In the middle of its second sentence or so.
    await caller.until(
        lambda: caller.now_seconds > story.start_seconds + 4, timeout_seconds=30, what="some story"
    )
    turn = await take_turn(caller, synthesised("What is seven plus five?"), timeout_seconds=40)
    assert turn.reply is not None, turn.fault
    stopped = max(
        span.end_seconds
        for span in caller.heard_spans
        if span.start_seconds < turn.reply.start_seconds
    )
    figure(f"talked over: silent after {(stopped - turn.spoken.start_seconds) * 1000:.0f} ms")
    heard = words(await understand(caller.heard(story.start_seconds)))
    assert "once upon a time" in heard
    assert "every night" not in heard  # the story's last words
    assert "twelve" in heard
    assert "twelve" in words(turn.reply_text)


async def test_the_greeting_can_be_talked_over_from_its_first_word(
    worker: Any, dial: Any, understand: Any
) -> None:
    caller = await dial(worker)
    await caller.hear_start(after_seconds=0, timeout_seconds=40)
    turn = await take_turn(caller, synthesised("What is seven plus five?"), timeout_seconds=40)
    assert turn.reply is not None, turn.fault
    heard = words(await understand(caller.heard()))
    assert "good morning" in heard
    assert "today" not in heard  # the greeting's last word
    assert "twelve" in heard
    assert "twelve" in words(turn.reply_text)
