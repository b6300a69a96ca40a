"""Converts transcripts, errors and arguments between this package and LiveKit."""

from __future__ import annotations

import difflib
import logging
import warnings
from collections.abc import Sequence
from typing import Any

from livekit.agents import (
    APIConnectionError,
    APIError,
    APIStatusError,
    LanguageCode,
    stt,
)
from livekit.agents.types import TimedString
from livekit.agents.utils import is_given

from stt_assemblyai.errors import AssemblyAIError, HttpStatus, NetworkError
from stt_assemblyai.options import RENAMED, SessionOptions
from stt_assemblyai.service import LONGEST_TERM, MOST_TERMS
from stt_assemblyai.transcript import SpokenWord, Transcript, shared

__all__ = [
    "StatusError",
    "TimedWords",
    "UnreachableError",
    "api_error",
    "merged_keyterms",
    "session_parameters",
    "speech_data",
]

logger = logging.getLogger("stt_assemblyai")


class TimedWords:
    """Makes LiveKit's words of one transcript after the other, and each word once."""

    def __init__(self) -> None:
        self._words: tuple[SpokenWord, ...] = ()
        self._timed: list[TimedString] = []
        self._offset_seconds = 0.0

    def of(self, words: tuple[SpokenWord, ...], offset_seconds: float) -> list[TimedString]:
        """The words with times in seconds, shifted by an offset."""
        count = shared(self._words, words) if offset_seconds == self._offset_seconds else 0
        self._timed = [
            *self._timed[:count],
            *(_timed(word, offset_seconds) for word in words[count:]),
        ]
        self._words, self._offset_seconds = words, offset_seconds
        return list(self._timed)


def _timed(word: SpokenWord, offset_seconds: float) -> TimedString:
    return TimedString(
        word.text,
        start_time=word.start_ms / 1000 + offset_seconds,
        end_time=word.end_ms / 1000 + offset_seconds,
        confidence=word.confidence,
        speaker_id=word.speaker,
    )


def speech_data(
    transcript: Transcript,
    timed: TimedWords,
    *,
    offset_seconds: float,
    language: str,
    ended_at: float | None = None,
) -> stt.SpeechData:
    """A transcript with times in seconds, shifted by an offset. `language` is used if the service
    named none; `ended_at` is when the last word ended, in unix seconds."""
    offset = offset_seconds
    return stt.SpeechData(
        language=LanguageCode(transcript.language or language),
        text=transcript.text,
        start_time=transcript.start_ms / 1000 + offset,
        end_time=transcript.end_ms / 1000 + offset,
        confidence=transcript.confidence,
        speaker_id=transcript.speaker,
        words=timed.of(transcript.words, offset),
        metadata={
            "session_id": transcript.session_id,
            "turn_order": transcript.turn_order,
            "formatted": transcript.formatted,
            "settled": all(word.final for word in transcript.words),
            "ended_at": ended_at,
            "end_of_turn_confidence": transcript.end_of_turn_confidence,
            "language_confidence": transcript.language_confidence,
        },
    )


def session_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters that were given; `model` is LiveKit's usual name for the speech model. An
    unknown name becomes one of `extra_parameters`, with a warning."""
    given = {name: value for name, value in parameters.items() if is_given(value)}
    if "model" in given:
        given["speech_model"] = given.pop("model")
    for name in ("language_code", "language_codes"):
        codes = given.get(name)
        if codes is not None:
            listed = [codes] if isinstance(codes, str) else codes
            given[name] = [LanguageCode(code).language for code in listed if code]
    unknown = {n: given.pop(n) for n in given.keys() - SessionOptions.model_fields - RENAMED.keys()}
    for name in sorted(unknown):
        close = difflib.get_close_matches(name, SessionOptions.model_fields, n=1, cutoff=0.8)
        hint = f" (did you mean {close[0]}?)" if close else ""
        message = f"The parameter {name} is not known here{hint}; it is passed on as it is"
        warnings.warn(message, UserWarning, stacklevel=3)
    if unknown:
        asked = SessionOptions(extra_parameters=given.get("extra_parameters"))
        given["extra_parameters"] = asked.revised(extra_parameters=unknown).extra_parameters
    return given


def merged_keyterms(own: Sequence[str], of_session: Sequence[str]) -> tuple[str, ...]:
    """Both lists, the user's own terms first, within the service's limits: 100 terms of at most 50
    characters. With more the service would close the session."""
    short = [term for term in of_session if 0 < len(term.strip()) <= LONGEST_TERM]
    merged = tuple(dict.fromkeys([*own, *short]))
    left_out = len(of_session) - len(short) + max(0, len(merged) - MOST_TERMS)
    if left_out:
        logger.warning("Key terms were left out", extra={"left_out": left_out})
    return merged[:MOST_TERMS]


class _OneSentenceError(APIError):
    """Prints as one sentence that says what to change; LiveKit's errors print fields and causes."""

    def __str__(self) -> str:
        return self.message


class StatusError(_OneSentenceError, APIStatusError):
    """The service answered with an HTTP status; `status_code` holds it."""


class UnreachableError(_OneSentenceError, APIConnectionError):
    """The service could not be reached, or stopped answering."""


def api_error(error: AssemblyAIError) -> APIError:
    """The error for LiveKit, never retryable: this package has done the retrying."""
    if isinstance(error.code, HttpStatus):
        return StatusError(str(error), status_code=int(error.code), retryable=False)
    if isinstance(error, NetworkError):
        return UnreachableError(str(error), retryable=False)
    return APIError(str(error), retryable=False)
