"""Where the rooms of a call tell its recorder what LiveKit's session does not say."""

from collections.abc import Callable
from typing import Any

from livekit.agents import AgentSession

from agent.call.call_tools import CallTools
from agent.call.models.fallback import OnTry, Try
from agent.call.models.llm import PatientLLM
from agent.call.models.tts import PatientTTS
from agent.call.reply.prompt_voice import PromptVoice
from agent.call.turn_record.recorder import CallRecorder
from agent.call.turns.turn_taking import TurnTaking
from agent.records.schema import Attempt


def listen(
    recorder: CallRecorder, session: AgentSession[Any], turn_taking: TurnTaking, tools: CallTools
) -> None:
    """Let the recorder hear of interruptions, patience, judgements, tools and requests, from the
    call's start."""
    turn_taking.watch(recorder.preset)
    turn_taking.floor.witness = recorder
    turn_taking.outcomes.listeners.append(recorder.overlapped)
    if turn_taking.held_ends:
        recorder.caller_words.holds_ends = True
        turn_taking.held_ends.on_force = recorder.asked_to_end
    tools.limits.on_failure = recorder.tool_failed
    voice = session.tts
    if isinstance(voice, PromptVoice):
        voice.on_first_clause = recorder.first_clause
        voice = voice.voice
    if isinstance(voice, PatientTTS):
        voice.on_try(in_replies(recorder.voice_attempted))
    if isinstance(session.llm, PatientLLM):
        session.llm.on_try(in_replies(recorder.model_attempted))


def in_replies(attempted: Callable[[Attempt], None]) -> OnTry:
    """Tells of the tries by which somebody waits for words or sound."""

    def tell(tried: Try) -> None:
        if not tried.in_background:
            attempted(tried.attempt)

    return tell
