"""A call on paper: lines for a person, and a document for a program."""

import json
import statistics
from collections.abc import Iterator

from agent.caller.conversation import Turn
from agent.caller.outcome import MEANINGS, Call, Exit, Expected, Greeting, late_ms, unsaid

_WHO = 8


def line(who: str, text: str, note: str = "") -> str:
    """One thing that was said: by whom, the words, and a note. Nothing in it moves the cursor."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return f"{who:>{_WHO}}  {plain}{f'  ({note})' if note else ''}"


def greeting(said: Greeting) -> str:
    """The line of the agent's first words."""
    return line("agent", said.text or _WORDLESS, f"{said.after_seconds:.1f} s after joining")


def turn(taken: Turn) -> Iterator[str]:
    """The lines of one exchange."""
    utterance = taken.utterance
    if utterance.samples.size:
        yield line("you", utterance.text or utterance.source)
        yield line("heard as", taken.heard_text or "(nothing)")
    if taken.reply:
        yield line("agent", taken.reply_text or _WORDLESS, f"{taken.reply.latency_ms:.0f} ms")
    else:
        yield line("agent", f"(no answer: {taken.fault})")


def summary(call: Call, planned: int, expected: Expected, code: Exit) -> Iterator[str]:
    """The last lines: how many answers, how soon, and what is not as expected.

    `planned` is how many turns the caller had to take.
    """
    answered = call.latencies_ms
    yield f"Answered       {len(answered)} of {planned} turns"
    if answered:
        yield (
            f"Answer begins  {statistics.median(answered):.0f} ms after the end of speech"
            f" (median; the slowest {max(answered):.0f} ms)"
        )
    if call.trouble:
        yield f"Trouble        {call.trouble}"
    for text in unsaid(call, expected.texts):
        yield f"Not heard      {text}"
    if late := late_ms(call, expected.within_seconds):
        yield f"Too late       {', '.join(f'{each:.0f} ms' for each in late)}"
    if code is not Exit.HEARD:
        yield f"Exit code      {code.value}: {MEANINGS[code]}"


def document(call: Call, code: Exit) -> str:
    """The call as JSON."""
    first = call.greeting
    return json.dumps(
        {
            "ok": code is Exit.HEARD,
            "code": code.value,
            "meaning": MEANINGS[code],
            "room": call.room,
            "agent": call.agent,
            "greeting": {"text": first.text, "after_seconds": round(first.after_seconds, 3)}
            if first
            else None,
            "turns": [_row(each) for each in call.turns],
            "trouble": call.trouble,
        },
        indent=2,
        ensure_ascii=False,
    )


def _row(taken: Turn) -> dict[str, object]:
    return {
        "said": taken.utterance.text,
        "source": taken.utterance.source,
        "heard_as": taken.heard_text,
        "answer": taken.reply_text,
        "latency_ms": round(taken.reply.latency_ms) if taken.reply else None,
        "fault": taken.fault,
    }


_WORDLESS = "(sound without words in the room)"
