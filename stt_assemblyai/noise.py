"""Removes sounds that whisper-rt writes down as words, such as [Silence] and [Music]."""

from __future__ import annotations

import re
from typing import TypeVar

from stt_assemblyai.messages import Turn

__all__ = ["without_noise"]

Message = TypeVar("Message")

_TAGS = re.compile(r"(\s*\[[^\[\]]+\][.,!?]?)+\s*")
# Until an utterance ends, only its transcript comes, without the brackets.
_SILENCES = re.compile(r"(\s*silence[.,]?)+\s*", re.IGNORECASE)


def without_noise(message: Message) -> Message:
    """A message of whisper-rt; a turn that holds only such sounds loses its words (section 8.3)."""
    if not isinstance(message, Turn):
        return message
    is_noise = _TAGS.fullmatch(message.utterance or message.transcript)
    if not is_noise and not _SILENCES.fullmatch(message.transcript):
        return message
    return message.model_copy(update={"transcript": "", "utterance": "", "words": ()})
