"""Tells the worker of a call: tries of providers, what was used of them, talk over the agent."""

from collections.abc import Mapping
from typing import Any

from livekit.agents import (
    ChatMessage,
    ConversationItemAddedEvent,
    ErrorEvent,
    JobContext,
    SessionUsageUpdatedEvent,
)
from livekit.agents.metrics import LLMModelUsage, STTModelUsage, TTSModelUsage

from agent.call.models.llm import PatientLLM
from agent.call.models.tts import PatientTTS
from agent.call.reports import (
    Outcome,
    Report,
    completed,
    into_nothing,
    line,
    overlapped,
    tried,
    used,
)
from agent.records.schema import Provider, SttSession
from stt_assemblyai.events import Interrupted, Opened, SessionUsage

_USAGE: Mapping[type[Any], Mapping[str, str]] = {
    LLMModelUsage: {
        "input_tokens": "llm_input_tokens",
        "input_cached_tokens": "llm_input_cached_tokens",
        "output_tokens": "llm_output_tokens",
    },
    TTSModelUsage: {
        "characters_count": "tts_characters",
        "audio_duration": "tts_audio_duration_seconds",
    },
    STTModelUsage: {"audio_duration": "stt_audio_duration_seconds"},
}
"""What LiveKit sums up for a session, and the names of its metrics."""


class CallReports:
    """For one call."""

    def __init__(self, job: JobContext, llm: PatientLLM, tts: PatientTTS) -> None:
        self.tell: Report = job.proc.userdata.get("report", into_nothing)
        self._used: dict[tuple[str, str, str], float] = {}
        llm.on_try(lambda tried: self._tried("llm", tried.outcome))
        tts.on_try(lambda tried: self._tried("tts", tried.outcome))

    def overlapped(self, taken_for: str, is_right: bool) -> None:
        """An utterance over the agent's speech was taken for this, and rightly or not."""
        self.tell(overlapped(taken_for, is_right=is_right))

    def on_recogniser_opened(self, _: Opened) -> None:
        self._tried("stt", Outcome.ANSWERED)

    def on_recogniser_interrupted(self, event: Interrupted) -> None:
        """A session broke off or did not open. One that only reached its age is followed at once by
        the next."""
        if event.wait_seconds > 0:
            self._tried("stt", Outcome.BUSY)

    def on_billed(self, usage: SessionUsage) -> None:
        """A speech session is over; the last one after the end of the call."""
        self.tell(
            line(
                SttSession(
                    reason=usage.reason,
                    billed_seconds=usage.billed_seconds,
                    is_estimated=usage.estimated,
                    audio_sent_seconds=usage.audio_sent_seconds,
                    audio_resent_seconds=usage.audio_resent_seconds,
                )
            )
        )

    def on_error(self, event: ErrorEvent) -> None:
        """The recogniser has failed for good. The models tell of each of their tries."""
        if event.error.type == "stt_error" and not event.error.recoverable:
            self._tried("stt", Outcome.REFUSED)

    def on_item_added(self, event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, ChatMessage):
            seconds = event.item.metrics.get("on_user_turn_completed_delay")
            if seconds is not None:
                self.tell(completed(seconds))

    def on_usage(self, event: SessionUsageUpdatedEvent) -> None:
        """LiveKit tells the sums of the session so far; the worker needs what was added."""
        for each in event.usage.model_usage:
            added: dict[str, float] = {}
            for field, name in _USAGE.get(type(each), {}).items():
                key, total = (each.model, each.provider, name), getattr(each, field)
                if total > self._used.get(key, 0):
                    added[name] = total - self._used.get(key, 0)
                    self._used[key] = total
            if added:
                self.tell(used(each.model, each.provider, added))

    def _tried(self, provider: Provider, outcome: Outcome) -> None:
        self.tell(tried(provider, outcome))
