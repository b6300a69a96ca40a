"""A conversation as it is held and as it is shown: who said what, and how soon the answer came."""

from dataclasses import dataclass

from agent.caller.caller import CallEndedError, Caller, Reply
from agent.caller.microphone import Spoken
from agent.caller.utterance import Utterance
from agent.caller.waiting import WaitedTooLongError


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said by the caller, and what came of it."""

    utterance: Utterance
    spoken: Spoken
    reply: Reply | None
    heard_text: str
    """The caller's words as the agent understood them, from the room's transcription."""
    reply_text: str
    """The agent's words, from the room's transcription."""
    fault: str = ""
    """Why there was no reply; empty if there was one."""


async def greeting(caller: Caller, *, timeout_seconds: float) -> tuple[Reply, str]:
    """Hear the agent's first words out: when they came, and their text.

    Raises WaitedTooLongError or CallEndedError when there are none.
    """
    reply = await caller.hear_reply(after_seconds=0.0, timeout_seconds=timeout_seconds)
    return reply, agent_words(caller, since_seconds=0.0)


async def take_turn(caller: Caller, utterance: Utterance, *, timeout_seconds: float) -> Turn:
    """Say something, and hear the reply out; a missing reply is a fault of the turn."""
    spoken = await caller.say(utterance.samples)
    reply, fault = None, ""
    try:
        reply = await caller.hear_reply(
            after_seconds=spoken.end_seconds, timeout_seconds=timeout_seconds
        )
    except (WaitedTooLongError, CallEndedError) as error:
        fault = str(error)
    return Turn(
        utterance,
        spoken,
        reply,
        heard_text=caller.transcript.said_by(caller.identity, since_seconds=spoken.start_seconds),
        reply_text=agent_words(caller, since_seconds=spoken.end_seconds),
        fault=fault,
    )


def agent_words(caller: Caller, *, since_seconds: float) -> str:
    """What the agent said since then, from the room's transcription."""
    return caller.transcript.said_by(caller.agent_identity or "", since_seconds=since_seconds)


def chronicle(caller: Caller) -> str:
    """All that is known of a call, line by line in order of time; for whoever must find a fault."""
    events = [
        (
            segment.opened_seconds,
            f"{'caller' if segment.speaker == caller.identity else 'agent'}"
            f" {'' if segment.final else '(not final) '}{segment.text!r}",
        )
        for segment in caller.transcript.segments
    ]
    events += [(at, f"state: {state}") for at, state in caller.states]
    for span in caller.heard_spans:
        events.append((span.start_seconds, f"audible until {span.end_seconds:.2f}"))
    for spoken in caller.spoken:
        events.append((spoken.start_seconds, f"caller speaks until {spoken.end_seconds:.2f}"))
    if caller.disconnected:
        events.append((caller.now_seconds, f"disconnected: {caller.disconnected}"))
    return "\n".join(f"{at:7.2f} s  {what}" for at, what in sorted(events))
