"""Who hears a session's events, and in which order. Nobody else subscribes to a session.

LiveKit calls the listeners of an event one after the other, in the order in which they subscribed,
and hands them the same object. Some of ours change that object for those after them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from livekit.agents import AgentSession, llm, stt
from livekit.agents.voice.events import EventTypes

from agent.call.agents import CallAgents
from agent.call.call_reports import CallReports
from agent.call.changing_hands import ChangingHands
from agent.call.failures import Failures
from agent.call.history.late_formatting import LateFormatting
from agent.call.log_context import TurnLog
from agent.call.reply.broken_answers import BrokenAnswers
from agent.call.reply.fillers import Fillers
from agent.call.reply.tool_limits import ToolLimits
from agent.call.silence import Silence
from agent.call.turn_record.recorder import CallRecorder
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.group import Group

Handler = Callable[[Any, Any], None]
"""A method that takes the event."""

SESSION: Mapping[EventTypes, Sequence[Handler]] = {
    # LiveKit's output for screens subscribes in `session.start`: we subscribe before that, so that
    # screens show the formatted text.
    "user_input_transcribed": (LateFormatting.on_words,),
    "conversation_item_added": (
        # These change the message. The speakers come first: a late text is looked for at the end of
        # one speaker's line.
        Group.on_item_added,
        LateFormatting.on_item_added,
        BrokenAnswers.on_item_added,
        # These write it down, so they need it as it stays.
        CallRecorder.on_item_added,
        TurnLog.on_item_added,
        # These only wait for it.
        Silence.on_item_added,
        Fillers.on_item_added,
        # This takes hand-offs alone.
        CallAgents.on_item_added,
        CallReports.on_item_added,
    ),
    "speech_created": (
        # The turn has its reply before anybody else begins another one.
        CallRecorder.on_speech_created,
        # When a speech is over, what was held back over it is settled before an apology for it
        # takes the floor.
        TurnTaking.on_speech_created,
        BrokenAnswers.on_speech_created,
        Fillers.on_speech_created,
    ),
    # From here on the order does not matter: each looks for itself, and none tells another.
    "agent_state_changed": (
        CallRecorder.on_agent_state_changed,
        TurnTaking.on_agent_state_changed,
        Fillers.on_state_changed,
        ToolLimits.on_state_changed,
        ChangingHands.on_agent_state_changed,
    ),
    "user_state_changed": (
        Silence.on_user_state_changed,
        Fillers.on_state_changed,
        ToolLimits.on_state_changed,
    ),
    "session_usage_updated": (CallReports.on_usage,),
    "tool_execution_updated": (CallRecorder.on_tool_updated,),
    "error": (Failures.on_error, CallReports.on_error),
    "close": (TurnTaking.on_close, Fillers.on_close, Failures.on_close),
}
"""What a session emits: the listeners of each event, in order."""

RECOGNISER: Mapping[str, Sequence[Handler]] = {
    # The group replaces the line of each speaker on screens; then come history and record.
    "late_format": (Group.on_late_format, LateFormatting.on_late_format),
    "session_opened": (
        Silence.on_recogniser_opened,
        CallReports.on_recogniser_opened,
        CallRecorder.on_recogniser_opened,
        ChangingHands.on_recogniser_opened,
    ),
    "interrupted": (
        Silence.on_recogniser_interrupted,
        CallReports.on_recogniser_interrupted,
        CallRecorder.on_recogniser_interrupted,
    ),
    "billed": (CallRecorder.on_billed, CallReports.on_billed),
}
"""The same for what our STT emits."""

MODEL: Mapping[str, Sequence[Handler]] = {
    "metrics_collected": (TurnTaking.on_model_metrics, CallRecorder.on_model_metrics)
}
"""The same for what the session's language model emits."""

VOICE: Mapping[str, Sequence[Handler]] = {"metrics_collected": (CallRecorder.on_voice_metrics,)}
"""The same for what its voice emits."""


def subscribe(
    session: AgentSession[Any],
    recogniser: stt.STT[Any] | None,
    *listeners: object,
    order: Mapping[EventTypes, Sequence[Handler]] = SESSION,
) -> None:
    """Subscribe these listeners to all that the tables have for them; do it before `session.start`.

    `recogniser` is our STT, if its events are wanted. Listeners may be missing, or None. Raises
    ValueError for one that is in no table.
    """
    tables: list[tuple[Any, Mapping[Any, Sequence[Handler]]]] = [(session, order)]
    if recogniser is not None:
        tables.append((recogniser, RECOGNISER))
    if isinstance(session.llm, llm.LLM):
        tables.append((session.llm, MODEL))
    if session.tts is not None:
        tables.append((session.tts, VOICE))
    there = [each for each in listeners if each is not None]
    for emitter, table in tables:
        for event, handlers in table.items():
            for handler in handlers:
                for listener in there:
                    if _has(listener, handler):
                        emitter.on(event, getattr(listener, handler.__name__))
    if strangers := [each for each in there if not any(_has(each, one) for one in _all())]:
        raise ValueError(f"in no table: {strangers}")


def _all() -> Iterator[Handler]:
    for table in (SESSION, RECOGNISER, MODEL, VOICE):
        for handlers in table.values():
            yield from handlers


def _has(listener: object, handler: Handler) -> bool:
    """Whether this is a method of the listener's class, or of one that it inherits from."""
    name = handler.__name__
    return any(vars(each).get(name) is handler for each in type(listener).__mro__)
