"""The LiveKit adapter: this package's speech events as LiveKit's.

Only this module, `retelling` and `livekit_private` know LiveKit. A stream's events come in the
order that a session in STT turn mode expects: START, INTERIM*, PREFLIGHT*, FINAL, END_OF_SPEECH,
RECOGNITION_USAGE. A fatal error, such as a wrong key, costs one connection: later streams of the
same STT fail without connecting.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import os
import random
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from livekit import rtc
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectOptions,
    NotGivenOr,
    stt,
)
from livekit.agents.utils import AudioBuffer, is_given
from livekit.agents.voice.events import ConversationItemAddedEvent
from pydantic import SecretStr

from stt_assemblyai.audio import to_mono
from stt_assemblyai.client import CONNECT_TIMEOUT_SECONDS, DEAD_AFTER_SECONDS
from stt_assemblyai.connector import Connect, Connector, Token
from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.errors import AssemblyAIError, ConfigurationError
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
    api_error,
    merged_keyterms,
    session_parameters,
    speech_data,
)
from stt_assemblyai.livekit.private import DirectStream, InformedSTT
from stt_assemblyai.models import U3
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.service import DEFAULT_BASE_URL
from stt_assemblyai.timing import Timing
from stt_assemblyai.transcriber import StreamConfig, Transcriber
from stt_assemblyai.transcript import Transcript

__all__ = ["STT", "SpeechStream"]

logger = logging.getLogger("stt_assemblyai")

_TIMING, _CHOICES, _PATIENCE = Timing(), TurnChoices(), Patience()  # their defaults are ours
_FEW_RETRIES_SECONDS = 3.0  # a fallback is ready to take over

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


class STT(InformedSTT[AdapterEvent]):
    """AssemblyAI's streaming speech-to-text for a LiveKit session.

    Every parameter of `SessionOptions` is accepted as a keyword and wins over `options`; `model`
    means `speech_model`. An unknown name is passed on to the service with a warning. Raises
    `ValueError` or `ConfigurationError`, naming every fault, before any connection.

    Without `api_key` and `token` the key is read from ASSEMBLYAI_API_KEY. `token` replaces the key:
    a temporary token, or a function that fetches one. `base_url` may name several regions, which
    take turns when one is down. `patience_seconds` is how long to bear an outage; if LiveKit grants
    fewer retries than by default, as in a FallbackAdapter, it is at most three seconds. All
    processes of this machine with the same key share `new_sessions_per_minute`. After
    `idle_seconds` without audio between turns the session ends; a new one opens when audio comes.
    With the universal-3 family the service learns what the agent says, to understand the answer
    better, unless `agent_context_carryover` is false or the session's `stt_context_options` say
    `forward_chat_context: False`. For `wait_for_formatted_ms`, `preflight_confidence`, `eager_ms`
    and `replies` see `TurnChoices`.

    Besides LiveKit's own events it emits `late_format` (`LateFormat`), `overdue` (`Overdue` or
    `Unanswered`: a turn that had to be ended by force), `speakers_revised` (`SpeakersRevised`),
    `session_opened` (`Opened`), `interrupted` (`Interrupted`), `billed` (`SessionUsage`) and
    `noticed` (`Noticed`: a warning, a heartbeat, a language model's answer).
    """

    __module__ = "stt_assemblyai.stt"  # its public name, and the label in LiveKit's metrics

    def __init__(
        self,
        *,
        api_key: NotGivenOr[str | SecretStr | None] = NOT_GIVEN,
        token: Token | None = None,
        base_url: str | Sequence[str] = DEFAULT_BASE_URL,
        options: SessionOptions | None = None,
        wait_for_formatted_ms: int = _CHOICES.wait_for_formatted_ms,
        preflight_confidence: float | None = _CHOICES.preflight_confidence,
        eager_ms: int | None = _CHOICES.eager_ms,
        replies: bool = _CHOICES.replies,
        buffer_size_seconds: float = _TIMING.chunk_ms / 1000,
        connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
        begin_timeout_seconds: float = _TIMING.begin_timeout_seconds,
        termination_timeout_seconds: float = _TIMING.termination_timeout_seconds,
        dead_after_seconds: float = DEAD_AFTER_SECONDS,
        patience_seconds: float = _PATIENCE.total_seconds,
        keep_seconds: float = _TIMING.keep_seconds,
        replay_speed: float = _TIMING.replay_speed,
        mute_after_ms: int = _TIMING.mute_after_ms,
        idle_seconds: float | None = _TIMING.idle_seconds,
        roll_over_seconds: float = _TIMING.roll_over_seconds,
        unanswered_after_seconds: float = _TIMING.unanswered_seconds,
        new_sessions_per_minute: int | None = None,
        agent_context_carryover: NotGivenOr[bool] = NOT_GIVEN,
        http_session: object = None,
        **parameters: Any,
    ) -> None:
        self._options = (options or SessionOptions()).revised(**session_parameters(parameters))
        carries_context = agent_context_carryover is not False and self._options.family is U3
        if agent_context_carryover is True and not carries_context:
            logger.warning("agent_context_carryover has no effect: this model takes no context")
        if not is_given(api_key) and token is None:
            api_key = os.environ.get("ASSEMBLYAI_API_KEY")
        super().__init__(
            capabilities=stt.STTCapabilities(
                streaming=True,
                interim_results=True,
                diarization=bool(self._options.speaker_labels),
                aligned_transcript="word",
                offline_recognize=False,
                keyterms=True,
                chat_context=carries_context,
                manual_flush=True,
            )
        )
        self._timing = Timing(
            chunk_ms=round(buffer_size_seconds * 1000),
            begin_timeout_seconds=begin_timeout_seconds,
            termination_timeout_seconds=termination_timeout_seconds,
            keep_seconds=keep_seconds,
            replay_speed=replay_speed,
            mute_after_ms=mute_after_ms,
            idle_seconds=idle_seconds,
            roll_over_seconds=roll_over_seconds,
            unanswered_seconds=unanswered_after_seconds,
        )
        self._choices = TurnChoices(
            wait_for_formatted_ms=wait_for_formatted_ms,
            preflight_confidence=preflight_confidence,
            eager_ms=eager_ms,
            replies=replies,
        )
        self._connector = Connector(
            base_url,
            api_key=SecretStr(api_key) if isinstance(api_key, str) else api_key or None,
            token=token,
            connect_timeout_seconds=connect_timeout_seconds,
            dead_after_seconds=dead_after_seconds,
            new_sessions_per_minute=new_sessions_per_minute,
            longest_wait_seconds=patience_seconds,
        )
        self._patience = Patience(
            total_seconds=patience_seconds, renews_tokens=self._connector.renews_tokens
        )
        self._user_keyterms = self._options.keyterms_prompt or ()
        self._session_keyterms: tuple[str, ...] = ()
        self._fatal: AssemblyAIError | None = None
        self._outage: tuple[float, float] | None = None  # when it began; when a stream gave up
        self._streams: weakref.WeakSet[SpeechStream] = weakref.WeakSet()

    @property
    def model(self) -> str:
        return self._options.speech_model

    @property
    def provider(self) -> str:
        return "AssemblyAI"

    @property
    def options(self) -> SessionOptions:
        """The options of the next stream."""
        return self._options

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> SpeechStream:
        """A new stream. `language` is ignored. The stream retries by itself, but with fewer retries
        in `conn_options` than LiveKit's default it gives up within seconds."""
        stream = SpeechStream(self, conn_options)
        self._streams.add(stream)
        return stream

    def update_options(
        self, *, buffer_size_seconds: NotGivenOr[float] = NOT_GIVEN, **parameters: Any
    ) -> None:
        """Change options now, in open sessions too; `buffer_size_seconds` only in new streams.

        Raises `ValueError` for a bad value and `ConfigurationError` for a parameter that needs a
        new session, and then changes nothing.
        """
        given = session_parameters(parameters)
        timing, user_keyterms = self._timing, self._user_keyterms
        if is_given(buffer_size_seconds):
            timing = dataclasses.replace(timing, chunk_ms=round(buffer_size_seconds * 1000))
        if "keyterms_prompt" in given:
            user_keyterms = self._options.revised(**given).keyterms_prompt or ()
            given["keyterms_prompt"] = merged_keyterms(user_keyterms, self._session_keyterms)
        self._apply(given)
        self._timing, self._user_keyterms = timing, user_keyterms
        if given and isinstance(self._fatal, ConfigurationError):
            self._fatal = None  # the change may have mended it: later streams find out

    def commit_now(self) -> None:
        """The reply to the ended turn is ready: give the FINAL now, without waiting for its
        formatted text. Without such a turn nothing happens."""
        for stream in self._streams:
            stream.transcriber.commit_now()

    def force_endpoint(self) -> None:
        """End each stream's open turn after the audio pushed so far. A stream without an open turn
        gives an empty FINAL."""
        for stream in self._streams:
            stream.force_endpoint()

    def _remember(self, error: AssemblyAIError, since: float | None) -> None:
        """Keep a fatal error for later streams; keep an outage's start for streams made in it."""
        if not error.retryable:
            self._fatal = error
        elif since is not None:
            self._outage = since, asyncio.get_running_loop().time()

    def _outage_since(self) -> float | None:
        """When the outage began that an earlier stream gave up in; a new stream then has one
        attempt. None if it is over."""
        if self._outage is None:
            return None
        since, given_up_at = self._outage
        is_over = asyncio.get_running_loop().time() - given_up_at > self._patience.total_seconds
        return None if is_over else since

    def _means(self, conn_options: APIConnectOptions) -> tuple[Connect, Timing, Patience]:
        """What a stream connects and waits with; short of time if few retries are granted."""
        connect, timing, patience = self._connector, self._timing, self._patience
        if conn_options.max_retry >= DEFAULT_API_CONNECT_OPTIONS.max_retry:
            return connect, timing, patience
        begin_seconds = min(timing.begin_timeout_seconds, _FEW_RETRIES_SECONDS)
        total_seconds = min(patience.total_seconds, _FEW_RETRIES_SECONDS)
        return (
            functools.partial(connect, within_seconds=_FEW_RETRIES_SECONDS),
            dataclasses.replace(timing, begin_timeout_seconds=begin_seconds),
            dataclasses.replace(patience, total_seconds=total_seconds),
        )

    def _apply(self, given: Mapping[str, Any]) -> None:
        """Change this everywhere or nowhere; a stream keeps what was set for it alone."""
        options = self._options.revised(**given)
        self._options.changes(options)
        revised = {each: each.transcriber.options.revised(**given) for each in self._streams}
        for stream, own in revised.items():
            stream.transcriber.options.changes(own)
        self._options = options
        for stream, own in revised.items():
            stream.transcriber.update(own)

    def hear_keyterms(self, keyterms: list[str]) -> None:
        """Take LiveKit's own list, which comes and goes; the user's terms stay."""
        self._session_keyterms = tuple(keyterms)
        self._apply(
            {"keyterms_prompt": merged_keyterms(self._user_keyterms, self._session_keyterms)}
        )

    def hear_item(self, event: ConversationItemAddedEvent) -> None:
        """Tell the service what the agent said, which helps with the answer; its end helps most."""
        item = event.item
        if not self.capabilities.chat_context or item.type != "message" or item.role != "assistant":
            return
        if text := item.text_content:  # without text the previous context stays
            self._apply({"agent_context": text[-1750:]})

    async def aclose(self) -> None:
        """Close every stream."""
        for stream in list(self._streams):
            await stream.aclose()

    async def _recognize_impl(
        self,
        buffer: AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        raise NotImplementedError("AssemblyAI's streaming service takes streams: use stream()")


class SpeechStream(DirectStream):
    """One stream of speech events; made by `STT.stream`."""

    def __init__(self, owner: STT, conn_options: APIConnectOptions) -> None:
        connect, timing, patience = owner._means(conn_options)
        self.transcriber = Transcriber(
            connect,
            StreamConfig(owner._options, owner._choices, timing),
            self._on_event,
            retries=Retries(patience, random.random, owner._outage_since()),
        )
        self._owner = owner
        super().__init__(owner, conn_options, owner._options.sample_rate)
        self._rate_changer: rtc.AudioResampler | None = None
        self._frame_rate = 0
        self._last_push = time.time()

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

    def update_options(self, **parameters: Any) -> None:
        """Change options of this stream only; raises like `STT.update_options`."""
        given = session_parameters(parameters)
        given.pop("buffer_size_seconds", None)
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
        self._last_push = time.time()
        for piece in self._rate_changer.push(frame) if self._rate_changer else (frame,):
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
        await self.wait_for_end(self._owner._timing.termination_timeout_seconds)
        await super().aclose()

    async def _run(self) -> None:
        if self._owner._fatal is not None:
            raise api_error(self._owner._fatal) from self._owner._fatal
        try:
            await self.transcriber.run()
        except AssemblyAIError as error:
            self._owner._remember(error, self.transcriber.outage_since)
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
            case Final(transcript=transcript):
                self._send(Type.FINAL_TRANSCRIPT, transcript)
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
                self._owner._outage = None
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
        self, kind: stt.SpeechEventType, transcript: Transcript | None = None, **times: Any
    ) -> None:
        alternatives = [] if transcript is None else [self._retell(transcript)]
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
        """When a moment of the audio was pushed, counted back from the newest sample."""
        behind_ms = max(0, self.transcriber.audio_ms - audio_ms)
        return self._last_push - behind_ms / 1000

    def _retell(self, transcript: Transcript) -> stt.SpeechData:
        """The transcript for LiveKit. The English model names no language, as it knows no other."""
        english = self._owner.model == "universal-streaming-english"
        return speech_data(
            transcript,
            offset_seconds=self.start_time_offset,
            language="en" if english else "",
            ended_at=self._wall_time(transcript.end_ms),
        )
