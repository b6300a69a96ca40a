"""Tells the worker what happens in a call: tries of providers, and what was said over the agent."""

from functools import partial

from livekit.agents import ErrorEvent, JobContext

from agent.call.models.llm import PatientLLM
from agent.call.models.tts import PatientTTS
from agent.call.reports import Outcome, Report, into_nothing, overlapped, tried
from agent.records.schema import Provider
from stt_assemblyai.events import Interrupted, Opened


class CallReports:
    """For one call."""

    def __init__(self, job: JobContext, llm: PatientLLM, tts: PatientTTS) -> None:
        self.tell: Report = job.proc.userdata.get("report", into_nothing)
        llm.on_try(partial(self._tried, "llm"))
        tts.on_try(partial(self._tried, "tts"))

    def overlapped(self, taken_for: str, is_right: bool) -> None:
        """An utterance over the agent's speech was taken for this, and rightly or not."""
        self.tell(overlapped(taken_for, is_right=is_right))

    def on_recogniser_opened(self, _: Opened) -> None:
        self._tried("stt", Outcome.ANSWERED)

    def on_recogniser_interrupted(self, _: Interrupted) -> None:
        self._tried("stt", Outcome.BUSY)

    def on_error(self, event: ErrorEvent) -> None:
        """The recogniser has failed for good. The models tell of each of their tries."""
        if event.error.type == "stt_error" and not event.error.recoverable:
            self._tried("stt", Outcome.REFUSED)

    def _tried(self, provider: Provider, outcome: Outcome) -> None:
        self.tell(tried(provider, outcome))
