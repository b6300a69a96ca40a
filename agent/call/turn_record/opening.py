"""The beginning of a call's record: where its lines go, and which call it is."""

from functools import partial
from typing import Any, Literal, get_origin

from livekit import rtc
from livekit.agents import JobContext
from pydantic import BaseModel

from agent.call.people.presence import Presence
from agent.call.recording.keeping import Keeping
from agent.call.turn_record.cost import cost_of
from agent.call.turn_record.recorder import CallRecorder
from agent.call.turn_record.shown_times import ShownTimes
from agent.call.turn_record.turn_log import log_turn
from agent.personal_data import rules_of
from agent.records.schema import Call
from config.settings import Settings


def recorder_of(
    job: JobContext, settings: Settings, keeping: Keeping, presence: Presence
) -> CallRecorder:
    """What records this job's call."""

    def opening() -> Call:
        caller = presence.caller_identity
        return opening_line(job, settings, caller, replaces_agent=bool(keeping.said_before))

    shown = ShownTimes(job.room, lambda: presence.caller_identity)
    job.add_shutdown_callback(shown.aclose)
    others = job.proc.userdata.get("outlets", ())
    outlets = (keeping.write, log_turn, *others, shown.take)
    price = partial(cost_of, stt=settings.assemblyai, models=settings.openai)
    return CallRecorder(outlets, opening, rules_of(settings.agent), price)


def opening_line(
    job: JobContext, settings: Settings, caller: str | None, *, replaces_agent: bool
) -> Call:
    """The first line of a call's record."""
    return Call(
        room=job.job.room.name,
        room_sid=job.job.room.sid,
        job_id=job.job.id,
        worker=job.worker_id,
        agent_name=settings.agent.name,
        caller=caller,
        waited_for_ms=_waited_for_ms(job.room, caller) if caller else None,
        settings=settings_in_force(settings),
        replaces_agent=replaces_agent,
    )


def settings_in_force(settings: Settings) -> dict[str, bool | float | str]:
    """The settings that are set, by the names of their variables: numbers, switches, choices, and
    the names of models. Secrets, addresses, paths and sentences are left out."""
    found: dict[str, bool | float | str] = {}
    for prefix in ("assemblyai", "openai", "agent"):
        section: BaseModel = getattr(settings, prefix)
        for name, field in type(section).model_fields.items():
            value = getattr(section, name)
            if _is_harmless(name, field.annotation, value):
                found[f"{prefix}_{name}".upper()] = value
    for name, value in settings.session_options.effective().items():
        if isinstance(value, bool | int | float):
            found[f"assemblyai_{name}".upper()] = value
    return found


def _is_harmless(name: str, annotation: Any, value: object) -> bool:
    if isinstance(value, str):
        return name.endswith(("_model", "_voice")) or get_origin(annotation) is Literal
    return isinstance(value, bool | int | float) and not name.endswith("_port")


def _waited_for_ms(room: rtc.Room, caller: str) -> int | None:
    """By the clock of LiveKit's server, which is the same for both."""
    found = room.remote_participants.get(caller)
    since = found.joined_at if found else None
    joined = room.local_participant.joined_at
    if since is None or joined is None:
        return None
    return max(0, round((joined - since).total_seconds() * 1000))
