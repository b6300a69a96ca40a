"""Corrections, refusals and choices that share words with what the agent is saying."""

from typing import Any

from agent.caller.caller import Caller
from agent.caller.conversation import agent_words
from agent.caller.microphone import SAMPLE_RATE
from agent.caller.speech_energy import speech_spans
from agent.caller.transcript import words
from workbench.local.calling.corpus import synthesised

MONEY = "I will transfer two hundred dollars to your savings account. Is that all for today?"
CANCEL = "Shall I cancel the booking for tomorrow morning? You can change it for free as well."
CHOICE = "Do you want the large red one or the small blue one today? We have both of them here."
TABLE = "Your table is booked for Tuesday at seven thirty, for four people, by the window."
# The agent says this, the caller that, and these words of it have to be there.
ROWS = (
    (MONEY, "Two hundred dollars to your checking account.", "checking account"),
    (CANCEL, "Do not cancel the booking for tomorrow morning.", "not cancel the booking"),
    (CHOICE, "The large red one.", "red one"),
    (MONEY, "Send it to my mother instead.", "to my mother instead"),
    (CANCEL, "Change it to Wednesday morning.", "wednesday morning"),
    (CHOICE, "I do not want the blue one.", "not want the blue one"),
    (TABLE, "No, Wednesday would be better.", "wednesday would be better"),
    (TABLE, "It is for five people.", "five people"),
    (CHOICE, "The small blue one for my brother.", "small blue one"),
    (MONEY, "No, not to my savings account.", "savings account"),
)


async def test_they_are_heard_in_order_and_answered(worker: Any, dial: Any, figure: Any) -> None:
    line = await dial(worker)
    begun = await line.hear_start(after_seconds=0, timeout_seconds=40)
    stops = [await said_over(line, *row) for row in ROWS]
    figure(f"words over the agent: silent after {', '.join(f'{ms:.0f}' for ms in stops)} ms")
    rest = words(line.transcript.said_by(line.identity, since_seconds=begun.start_seconds))
    for _, _, expected in ROWS:
        assert words(expected) in rest
        rest = rest.partition(words(expected))[2]


async def said_over(line: Caller, agent: str, text: str, expected: str) -> float:
    """Say something a second into what the agent says; after how many ms was that over?"""
    asked = line.now_seconds
    await line.write(f"Say after me: {agent}")
    opening = " ".join(words(agent).split()[:2])
    await line.until(
        lambda: opening in words(agent_words(line, since_seconds=asked)),
        timeout_seconds=20,
        what=f"the agent said {opening}",
    )
    spoken_of = line.now_seconds
    await line.until(lambda: line.now_seconds > spoken_of + 1, timeout_seconds=5, what="a second")
    spoken = await line.say(synthesised(text).samples)

    def is_heard_and_answered() -> bool:
        own = line.transcript.said_by(line.identity, since_seconds=asked)
        return words(expected) in words(own) and "you said" in words(
            agent_words(line, since_seconds=spoken.end_seconds)
        )

    await line.until(is_heard_and_answered, timeout_seconds=20, what=f"{text!r} was answered")
    sound = line.heard(spoken.start_seconds, spoken.end_seconds)
    spans = speech_spans(sound, SAMPLE_RATE, pause_seconds=0.3)
    return spans[0].end_seconds * 1000 if spans else 0.0
