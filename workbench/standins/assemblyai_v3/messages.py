"""The messages that the service sends (protocol notes, section 7), as JSON objects."""

import json
import re
from collections.abc import Sequence
from typing import Any

from workbench.standins.assemblyai_v3.hearing import Word

Message = dict[str, Any]

ABNORMAL_REASON = "See Error message for details"
NORMAL_REASON = "Session Ended"


def plain(text: str) -> str:
    """A word as US models write it: lower case, no punctuation but inside the word."""
    return re.sub(r"^[^\w]+|[^\w]+$", "", text.lower())


def parse(text: str) -> Message:
    """A JSON object that the client sent; ValueError if it is something else."""
    message = json.loads(text)
    if not isinstance(message, dict):
        raise ValueError("not an object")  # noqa: TRY004 (json's own fault is a ValueError too)
    return message


def begin(session_id: str, expires_at: int, configuration: Message) -> Message:
    """Section 7.1. `expires_at` is in seconds since 1970."""
    return {
        "type": "Begin",
        "id": session_id,
        "expires_at": expires_at,
        "configuration": configuration,
    }


def speech_started(onset_ms: int, words: Sequence[Word]) -> Message:
    """Section 7.2; the confidence is the mean of the words'."""
    confidence = sum(word.confidence for word in words) / len(words)
    return {"type": "SpeechStarted", "timestamp": onset_ms, "confidence": round(confidence, 6)}


def turn(  # noqa: PLR0913  the fields of a Turn
    turn_order: int,
    words: Sequence[Word],
    transcript: str,
    *,
    utterance: str = "",
    confidence: float = 0.0,
    is_end: bool = False,
    is_formatted: bool = False,
    extra: Message | None = None,
) -> Message:
    """Section 7.3. `type` comes last, as it does on the live service."""
    return {
        "turn_order": turn_order,
        "turn_is_formatted": is_formatted,
        "end_of_turn": is_end,
        "transcript": transcript,
        "end_of_turn_confidence": round(confidence, 6),
        "words": word_list(words),
        "utterance": utterance,
        **(extra or {}),
        "type": "Turn",
    }


def transcript(words: Sequence[Word]) -> str:
    """Words joined by spaces."""
    return " ".join(word.text for word in words)


def word_list(words: Sequence[Word]) -> list[Message]:
    """The `words` of a message; a speaker stands there only where one is known."""
    return [_word(word) for word in words]


def _word(word: Word) -> Message:
    speaker = {} if word.speaker is None else {"speaker": word.speaker}
    return {
        "start": word.start_ms,
        "end": word.end_ms,
        "text": word.text,
        "confidence": word.confidence,
        "word_is_final": word.is_final,
        **speaker,
    }


def termination(audio_ms: float, session_seconds: float) -> Message:
    """Section 7.4: whole seconds, rounded down."""
    return {
        "type": "Termination",
        "audio_duration_seconds": int(audio_ms / 1000),
        "session_duration_seconds": int(session_seconds),
    }


def error(code: int, text: str) -> Message:
    """Section 7.5."""
    return {"type": "Error", "error_code": code, "error": text}
