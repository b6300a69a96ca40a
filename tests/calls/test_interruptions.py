"""Callers who talk over the agent: some want the word, some only listen."""

import json
from typing import Any

from agent.caller.caller import Caller
from agent.caller.conversation import agent_words, greeting, take_turn
from agent.caller.speech_energy import Span
from agent.caller.transcript import words
from workbench.local.calling.corpus import synthesised


async def told_a_story(caller: Caller) -> Span:
    """When the agent began a story; it is in its second sentence or so."""
    await greeting(caller, timeout_seconds=40)
    asked = await caller.say(synthesised("Please tell me a story.").samples)
    story = await caller.hear_start(after_seconds=asked.end_seconds, timeout_seconds=40)
    await caller.until(
        lambda: caller.now_seconds > story.start_seconds + 4, timeout_seconds=40, what="some story"
    )
    return story


async def test_the_agent_stops_when_talked_over_and_answers_the_new_question(
    worker: Any, dial: Any, understand: Any, figure: Any
) -> None:
    caller = await dial(worker)
    story = await told_a_story(caller)
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
    long = "Good morning, you have reached the lighthouse. How can I help you today?"
    caller = await dial(worker, json.dumps({"AGENT_GREETING": long}))
    await caller.hear_start(after_seconds=0, timeout_seconds=40)
    turn = await take_turn(caller, synthesised("What is seven plus five?"), timeout_seconds=40)
    assert turn.reply is not None, turn.fault
    heard = words(await understand(caller.heard()))
    assert "good morning" in heard
    assert "today" not in heard  # the greeting's last word
    assert "twelve" in heard
    assert "twelve" in words(turn.reply_text)


async def test_whoever_listens_aloud_hears_the_answer_out_and_is_not_answered(
    worker: Any, dial: Any
) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    asked = await caller.say(synthesised("Please count to twenty.").samples)
    counting = await caller.hear_start(after_seconds=asked.end_seconds, timeout_seconds=40)
    await caller.say(synthesised("Okay.").samples)
    await caller.hear_silence(timeout_seconds=60)
    counted = agent_words(caller, since_seconds=asked.end_seconds)
    assert "twenty" in words(counted)  # an interrupted text ends where the voice did
    turn = await take_turn(caller, synthesised("What is seven plus five?"), timeout_seconds=40)
    own = caller.transcript.said_by(caller.identity, since_seconds=counting.start_seconds)
    assert words(own).startswith("okay what is seven")  # what is not answered is shown all the same
    assert "twelve" in words(turn.reply_text)


async def test_one_word_is_enough_to_stop_the_agent(
    worker: Any, dial: Any, understand: Any, figure: Any
) -> None:
    caller = await dial(worker)
    story = await told_a_story(caller)
    stop = await caller.say(synthesised("Stop!").samples)
    await caller.until(
        lambda: not caller.hears_speech or None, timeout_seconds=40, what="the agent fell silent"
    )
    silent = caller.heard_spans[-1].end_seconds
    figure(f"stop: silent {(silent - stop.start_seconds) * 1000:.0f} ms after the word began")
    heard = words(await understand(caller.heard(story.start_seconds)))
    assert "once upon a time" in heard
    assert "every night" not in heard  # the story's last words
