"""What callers hear, and what the agent understands."""

import asyncio
from itertools import pairwise
from typing import Any

from agent.caller.conversation import greeting, take_turn
from agent.caller.microphone import SAMPLE_RATE
from agent.caller.speech_energy import speech_spans
from agent.caller.transcript import words
from workbench.local.calling.corpus import allison, austen, dickens, synthesised, with_pause
from workbench.local.calling.word_errors import word_error_rate

SUM = "What is seven plus five?"


async def test_the_greeting_is_heard_and_is_what_was_configured(
    worker: Any, dial: Any, understand: Any, figure: Any
) -> None:
    caller = await dial(worker)
    reply, text = await greeting(caller, timeout_seconds=40)
    configured = worker.process.command.environment["AGENT_GREETING"]
    understood = await understand(caller.heard(reply.start_seconds, reply.end_seconds))
    error = word_error_rate([(configured, understood)])
    heard = caller.heard(reply.start_seconds, reply.end_seconds)
    spoken = speech_spans(heard, SAMPLE_RATE, pause_seconds=0.05)
    gap_seconds = max(b.start_seconds - a.end_seconds for a, b in pairwise(spoken))
    figure(f"join to greeting {reply.start_seconds:.2f} s; {error:.1%} of its words misheard")
    figure(f"longest gap between the greeting's sentences {gap_seconds * 1000:.0f} ms")
    assert words(text) == words(configured)
    assert error < 0.3
    assert gap_seconds <= 0.3  # with a voice that puts 0.8 s of silence around each sentence


async def test_human_speech_arrives_as_text(worker: Any, dial: Any, figure: Any) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    turns = [
        await take_turn(caller, utterance, timeout_seconds=40)
        for utterance in (*dickens()[:2], *austen()[1:2], *allison()[-1:])
    ]
    error = word_error_rate([(turn.utterance.text, turn.heard_text) for turn in turns])
    sources = ", ".join(turn.utterance.source.rpartition(" ")[2] for turn in turns)
    figure(f"human speech: word error rate {error:.1%} ({sources})")
    assert [turn.fault for turn in turns if turn.fault] == []
    assert error < 0.25


async def test_a_question_gets_its_answer(
    worker: Any, dial: Any, understand: Any, figure: Any
) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    turn = await take_turn(caller, synthesised(SUM), timeout_seconds=40)
    assert turn.fault == ""
    assert turn.reply is not None
    figure(f"end of speech to answer {turn.reply.latency_ms:.0f} ms")
    understood = await understand(caller.heard(turn.reply.start_seconds, turn.reply.end_seconds))
    assert "twelve" in words(turn.reply_text)
    assert "twelve" in words(understood)


async def test_a_pause_inside_a_sentence_does_not_split_it(worker: Any, dial: Any) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    question = with_pause(
        synthesised("I have a question and"), synthesised("what is seven plus five?"), 0.8
    )
    turn = await take_turn(caller, question, timeout_seconds=40)
    own = [each for each in caller.transcript.segments if each.speaker == caller.identity]
    assert len(own) == 1
    assert "twelve" in words(turn.reply_text)


async def test_two_callers_at_once_do_not_hear_each_other(
    worker: Any, dial: Any, understand: Any
) -> None:
    questions = [synthesised(SUM), synthesised("What is your name?")]
    answers = ["twelve", "alex"]
    callers = [await dial(worker), await dial(worker)]
    await asyncio.gather(*(greeting(caller, timeout_seconds=30) for caller in callers))
    turns = await asyncio.gather(
        *(
            take_turn(caller, question, timeout_seconds=40)
            for caller, question in zip(callers, questions, strict=True)
        )
    )
    for caller, turn, own, other in zip(callers, turns, answers, reversed(answers), strict=True):
        assert turn.reply is not None, turn.fault
        heard = words(await understand(caller.heard(turn.spoken.start_seconds)))
        assert own in words(turn.reply_text)
        assert own in heard
        assert other not in heard
        assert word_error_rate([(turn.utterance.text, turn.heard_text)]) < 0.25
