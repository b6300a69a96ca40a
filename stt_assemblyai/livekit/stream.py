"""One stream of a LiveKit session: audio frames in, LiveKit's speech events out.

Events come in the order that a session in STT turn mode expects: START, INTERIM*, PREFLIGHT*,
FINAL, END_OF_SPEECH, RECOGNITION_USAGE.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any, Literal

from livekit import rtc
from livekit.agents import APIConnectOptions, stt

from stt_assemblyai.audio import to_mono
from stt_assemblyai.connector import Connect
from stt_assemblyai.errors import AssemblyAIError
from stt_assemblyai.events import (
    Ended,
    EndOfSpeech,
    Final,
    Interim,
    Interrupted,
    LateFormat,
    NothingToEnd,
    Noticed,
    Opened,
    Overdue,
    Preflight,
    SessionUsage,
    SpeakersRevised,
    StartOfSpeech,
    StreamEvent,
    Unanswered,
)
from stt_assemblyai.livekit.convert import (
    TimedWords,
    api_error,
    session_parameters,
    speech_data,
)
from stt_assemblyai.livekit.failures import Failures
from stt_assemblyai.livekit.private import DirectStream
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.transcriber import StreamConfig, Transcriber
from stt_assemblyai.transcript import Transcript, TurnEnd

__all__ = ["AdapterEvent", "SpeechStream"]

Type = stt.SpeechEventType
AdapterEvent = Literal[
    "late_format",
    "overdue",
    "speakers_revised",
    "session_opened",
    "interrupted",
    "billed",
    "noticed",
]


class SpeechStream(DirectStream):
    """One stream of speech events; made by `STT.stream`."""

    def __init__(
        self,
        owner: stt.STT[AdapterEvent],
        conn_options: APIConnectOptions,
        connect: Connect,
        config: StreamConfig,
        patience: Patience,
        failures: Failures,
    ) -> None:
        self.transcriber = Transcriber(
            connect,
            config,
            self._on_event,
            retries=Retries(patience, random.random, failures.outage_since(_now())),
        )
        self._owner = owner
        self._timed = TimedWords()
        self._closes_within_seconds = config.timing.termination_timeout_seconds
        self._failures = failures
        super().__init__(owner, conn_options, config.options.sample_rate)
        self._rate_changer: rtc.AudioResampler | None = None
        self._frame_rate = 0

    @property
    def session_id(self) -> str | None:
        """The service's id of the current session, once it is open: quote it to support."""
        return self.transcriber.session_id

    @property
    def expires_at(self) -> int | None:
        """When the current session expires, in unix seconds."""
        return self.transcriber.expires_at

    def force_endpoint(self) -> None:
        """End the open turn after the audio pushed so far."""
        self.transcriber.flush()

    def update_options(self, *, buffer_size_seconds: object = None, **parameters: Any) -> None:
        """Change options of this stream only; raises like `STT.update_options`. An open stream
        keeps its length of chunks: `buffer_size_seconds` is ignored."""
        given = session_parameters(parameters)
        self.transcriber.update(self.transcriber.options.revised(**given))

    def push_frame(self, frame: rtc.AudioFrame) -> None:
        """Push audio of any rate and number of channels; both may change in mid-stream.

        The audio goes straight to the transcriber: the base class's channel would cost a task and
        a wake-up for every frame.
        """
        if not self.takes_input:
            self.require_input()
        if frame.num_channels != 1:
            mono = to_mono(frame.data, frame.num_channels)
            frame = rtc.AudioFrame(mono, frame.sample_rate, 1, frame.samples_per_channel)
        if frame.sample_rate != self._frame_rate:
            self._change_rate(frame.sample_rate)
        if self._rate_changer is None:
            self.transcriber.push(frame.data.cast("B"))
            return
        for piece in self._rate_changer.push(frame):
            self.transcriber.push(piece.data.cast("B"))

    def _change_rate(self, sample_rate: int) -> None:
        self._flush_resampler()
        needed = self.transcriber.options.sample_rate
        self._rate_changer = None
        if sample_rate != needed:  # with the base class's quality
            high = rtc.AudioResamplerQuality.HIGH
            self._rate_changer = rtc.AudioResampler(sample_rate, needed, quality=high)
        self._frame_rate = sample_rate

    def _flush_resampler(self) -> None:
        for rest in self._rate_changer.flush() if self._rate_changer else ():
            self.transcriber.push(rest.data.cast("B"))

    def flush(self) -> None:
        """End the open turn after the audio pushed so far."""
        self.require_input()
        self._flush_resampler()
        self.transcriber.flush()

    def end_input(self) -> None:
        """No more audio will come: the open turn gets its FINAL, the session its Terminate."""
        self.require_input()
        self._flush_resampler()
        self.close_input()
        self.transcriber.end_input()

    async def aclose(self) -> None:
        """Close in good order: the open turn gets its FINAL, the session its Terminate."""
        self.close_input()
        self.transcriber.end_input()
        await self.wait_for_end(self._closes_within_seconds)
        await super().aclose()

    async def _run(self) -> None:
        if self._failures.fatal is not None:
            raise api_error(self._failures.fatal) from self._failures.fatal
        try:
            await self.transcriber.run()
        except AssemblyAIError as error:
            self._failures.gave_up(error, self.transcriber.outage_since, _now())
            raise api_error(error) from error

    def _on_event(  # noqa: C901  a case an event
        self, event: StreamEvent
    ) -> None:
        match event:
            case StartOfSpeech(start_ms=start):
                self._send(Type.START_OF_SPEECH, speech_start_time=self._wall_time(start))
            case Interim(transcript=transcript):
                self._send(Type.INTERIM_TRANSCRIPT, transcript)
            case Preflight(transcript=transcript):
                self._send(Type.PREFLIGHT_TRANSCRIPT, transcript)
            case Final(transcript=transcript, end=end):
                self._send(Type.FINAL_TRANSCRIPT, transcript, self._told(end))
            case EndOfSpeech(speech_end_ms=end):
                self._send(Type.END_OF_SPEECH, speech_end_time=self._wall_time(end))
                self._report_usage()
            case NothingToEnd():  # LiveKit waits for a FINAL after each flush
                session_id = self.session_id or ""
                self._send(Type.FINAL_TRANSCRIPT, Transcript(session_id, -1, "", ()))
            case LateFormat():
                self._owner.emit("late_format", event)
            case Overdue() | Unanswered():
                self._owner.emit("overdue", event)
            case SpeakersRevised():
                self._owner.emit("speakers_revised", event)
            case Opened():
                self._failures.connected()
                self.report_opening(event.opening_seconds)
                self._owner.emit("session_opened", event)
            case SessionUsage():
                self._owner.emit("billed", event)
                self._report_usage()
            case Interrupted():
                self._owner.emit("interrupted", event)
            case Noticed():
                self._owner.emit("noticed", event)
            case Ended():
                pass

    def _send(
        self,
        kind: stt.SpeechEventType,
        transcript: Transcript | None = None,
        told: dict[str, Any] | None = None,
        **times: Any,
    ) -> None:
        alternatives = [] if transcript is None else [self._converted(transcript)]
        for each in alternatives if told else []:
            each.metadata = {**(each.metadata or {}), **(told or {})}
        self.give(
            stt.SpeechEvent(
                type=kind, request_id=self.session_id or "", alternatives=alternatives, **times
            )
        )

    def _report_usage(self) -> None:
        """Report the billed seconds: the time that sessions are open, each second once."""
        seconds = self.transcriber.unreported_seconds()
        if seconds > 0:
            usage = stt.SpeechEvent(
                type=Type.RECOGNITION_USAGE,
                request_id=self.session_id or "",
                recognition_usage=stt.RecognitionUsage(audio_duration=seconds),
            )
            self.give_usage(usage)

    def _wall_time(self, audio_ms: int) -> float:
        """When a moment of the audio was pushed, in unix seconds, counted back from the newest
        sample."""
        behind_ms = max(0, self.transcriber.audio_ms - audio_ms)
        return time.time() - _now() + self.transcriber.pushed_at - behind_ms / 1000

    def _told(self, end: TurnEnd) -> dict[str, Any]:
        """What a FINAL's metadata say about the end of its turn; the time in unix seconds."""
        decided_at = end.decided_at
        if decided_at is not None:
            decided_at += time.time() - _now()
        return {"end_reason": end.reason, "decided_at": decided_at}

    def _converted(self, transcript: Transcript) -> stt.SpeechData:
        """The transcript for LiveKit. The English model names no language, as it knows no other."""
        english = self.transcriber.options.speech_model == "universal-streaming-english"
        return speech_data(
            transcript,
            self._timed,
            offset_seconds=self.start_time_offset,
            language="en" if english else "",
            ended_at=self._wall_time(transcript.end_ms),
        )


def _now() -> float:
    """The event loop's time, which the transcriber goes by."""
    return asyncio.get_running_loop().time()
