"""A conversation as it is held and as it is shown: who said what, and how soon the answer came."""

import contextlib
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
    return await _answered(caller, utterance, spoken, timeout_seconds)


async def take_typed_turn(caller: Caller, utterance: Utterance, *, timeout_seconds: float) -> Turn:
    """Type an utterance's text into the chat, and hear the reply out, as `take_turn` does.

    The agent is heard out first: a reply that joined what it is saying could not be told from it.
    Raises CallEndedError if the call ends before that.
    """
    with contextlib.suppress(WaitedTooLongError):
        await caller.hear_silence(timeout_seconds=timeout_seconds)
    start_seconds = caller.now_seconds
    await caller.write(utterance.text)
    spoken = Spoken(start_seconds, caller.now_seconds)
    return await _answered(caller, utterance, spoken, timeout_seconds)


async def _answered(
    caller: Caller, utterance: Utterance, spoken: Spoken, timeout_seconds: float
) -> Turn:
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
