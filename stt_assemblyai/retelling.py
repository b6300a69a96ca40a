"""LiveKit's words for this package's: transcripts, errors, and the arguments it passes."""

from __future__ import annotations

from typing import Any

from livekit.agents import APIConnectionError, APIError, APIStatusError, LanguageCode, stt
from livekit.agents.types import TimedString
from livekit.agents.utils import is_given

from stt_assemblyai.errors import AssemblyAIError, HttpStatus, NetworkError
from stt_assemblyai.speech import Transcript

__all__ = ["StatusError", "UnreachableError", "api_error", "session_parameters", "speech_data"]


def speech_data(transcript: Transcript, *, offset_seconds: float, language: str) -> stt.SpeechData:
    """A transcript with times in seconds, moved by an offset. `language` stands in where the
    service named none."""
    offset = offset_seconds
    return stt.SpeechData(
        language=LanguageCode(transcript.language or language),
        text=transcript.text,
        start_time=transcript.start_ms / 1000 + offset,
        end_time=transcript.end_ms / 1000 + offset,
        confidence=transcript.confidence,
        speaker_id=transcript.speaker,
        words=[
            TimedString(
                word.text,
                start_time=word.start_ms / 1000 + offset,
                end_time=word.end_ms / 1000 + offset,
                confidence=word.confidence,
            )
            for word in transcript.words
        ],
        metadata={
            "session_id": transcript.session_id,
            "turn_order": transcript.turn_order,
            "formatted": transcript.formatted,
            "end_of_turn_confidence": transcript.end_of_turn_confidence,
            "language_confidence": transcript.language_confidence,
        },
    )


def session_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """Drop what is not given; `model` is LiveKit's usual name for the speech model."""
    given = {name: value for name, value in parameters.items() if is_given(value)}
    if "model" in given:
        given["speech_model"] = given.pop("model")
    for name in ("language_code", "language_codes"):
        codes = given.get(name)
        if codes is not None:
            listed = [codes] if isinstance(codes, str) else codes
            given[name] = [LanguageCode(code).language for code in listed if code]
    return given


class _OneSentenceError(APIError):
    """LiveKit's errors print their fields, or their cause once more: ours say what to change."""

    def __str__(self) -> str:
        return self.message


class StatusError(_OneSentenceError, APIStatusError):
    """The service answered with an HTTP status; `status_code` holds it."""


class UnreachableError(_OneSentenceError, APIConnectionError):
    """The service could not be reached, or stopped answering."""


def api_error(error: AssemblyAIError) -> APIError:
    """Not to be retried by LiveKit: whatever may be retried has been, in here."""
    if isinstance(error.code, HttpStatus):
        return StatusError(str(error), status_code=int(error.code), retryable=False)
    if isinstance(error, NetworkError):
        return UnreachableError(str(error), retryable=False)
    return APIError(str(error), retryable=False)
