"""The LiveKit adapter: the options that all streams of a session share, and what it tells them.

A fatal error, such as a wrong key, costs one connection: later streams of the same STT fail without
connecting.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

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

from stt_assemblyai.client import CONNECT_TIMEOUT_SECONDS, DEAD_AFTER_SECONDS
from stt_assemblyai.connector import Budget, Connect, Connector, Token
from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.livekit.convert import merged_keyterms, session_parameters
from stt_assemblyai.livekit.failures import Failures
from stt_assemblyai.livekit.private import InformedSTT
from stt_assemblyai.livekit.stream import AdapterEvent, SpeechStream
from stt_assemblyai.models import U3
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience
from stt_assemblyai.service import DEFAULT_BASE_URL, LONGEST_CONTEXT
from stt_assemblyai.timing import Timing
from stt_assemblyai.transcriber import StreamConfig

__all__ = ["STT"]

logger = logging.getLogger("stt_assemblyai")

_TIMING, _CHOICES, _PATIENCE = Timing(), TurnChoices(), Patience()  # their defaults are ours
_FEW_RETRIES_SECONDS = 3.0  # a fallback is ready to take over


class STT(InformedSTT[AdapterEvent]):
    """AssemblyAI's streaming speech-to-text for a LiveKit session.

    Every parameter of `SessionOptions` is accepted as a keyword and wins over `options`; `model`
    means `speech_model`. An unknown name is passed on to the service with a warning. Raises
    `ValueError` or `ConfigurationError`, naming every fault, before any connection.

    Without `api_key` and `token` the key is read from ASSEMBLYAI_API_KEY. `token` replaces the key:
    a temporary token, or a function that fetches one. `base_url` may name several regions, which
    take turns when one is down. `patience_seconds` is how long to bear an outage; if LiveKit grants
    fewer retries than by default, as in a FallbackAdapter, it is at most three seconds. All
    processes of this machine with the same key share `new_sessions_per_minute`, unless another
    `budget` says when a session may begin. After `idle_seconds` without audio between turns the
    session ends; a new one opens when audio comes.
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

    def __init__(  # noqa: PLR0913  it can stand in for LiveKit's plugin
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
        budget: Budget | None = None,
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
            budget=budget,
            longest_wait_seconds=patience_seconds,
        )
        self._patience = Patience(
            total_seconds=patience_seconds, renews_tokens=self._connector.renews_tokens
        )
        self._user_keyterms = self._options.keyterms_prompt or ()
        self._session_keyterms: tuple[str, ...] = ()
        self._failures = Failures(patience_seconds)
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
        connect, timing, patience = self._means(conn_options)
        config = StreamConfig(self._options, self._choices, timing)
        stream = SpeechStream(self, conn_options, connect, config, patience, self._failures)
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
        if given:
            self._failures.options_changed()

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

    def _means(self, conn_options: APIConnectOptions) -> tuple[Connect, Timing, Patience]:
        """How a stream connects, and how long it waits: seconds, if LiveKit grants few retries."""
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
        """Tell the service what the agent said: it then understands the answer better. The end of
        what was said helps most."""
        item = event.item
        if not self.capabilities.chat_context or item.type != "message" or item.role != "assistant":
            return
        if text := item.text_content:  # without text the previous context stays
            self._apply({"agent_context": text[-LONGEST_CONTEXT:]})

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
