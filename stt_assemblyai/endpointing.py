"""When a turn's hints count, and how long to wait for anything about a turn."""

from __future__ import annotations

import math
from dataclasses import dataclass

from stt_assemblyai.models import MODE_SILENCES, SERVICE_THRESHOLDS, U3, US
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.service import RECOGNITION_MS

__all__ = ["Endpointing", "TurnChoices", "endpointing_for"]

_THRESHOLD = "end_of_turn_confidence_threshold"
_U3_CONFIDENCE = 0.4  # the first step of a pause that may be an end (section 10.2)
_LONGEST_DEFAULT_SILENCE_MS = max(longest for _, longest in MODE_SILENCES.values())
_REPLY_MS = 700  # roughly what a language model and a voice need until the first sound
_SHORTEST_PAUSE_MS = 400
_CADENCE_MS = 3000  # the U3 family may say nothing about speech for this long (section 18)
_LONGEST_TURN_MS = 60_000  # without partials only a turn's end is reported (section 8.2)


@dataclass(frozen=True, slots=True)
class TurnChoices:
    """What an operator may choose.

    `wait_for_formatted_ms` is how long to wait for the formatted text; 0 takes the plain text at
    once. `preflight_confidence` is the `end_of_turn_confidence`, 0 to 1, from which a pause is a
    Preflight; None takes the threshold at which the service would end the turn. Final words after
    which the voice has been quiet for `eager_ms` are a Preflight, too. `replies` is false when
    nobody answers: then there is no Preflight.
    """

    wait_for_formatted_ms: int = 300
    preflight_confidence: float | None = None
    eager_ms: int | None = None
    replies: bool = True


@dataclass(frozen=True, slots=True)
class Endpointing:
    """The same for one session's options, in seconds; infinite means never.

    The formatted duplicate of a turn is awaited for `wait_for_formatted_seconds`; with
    `keep_reply`, one with other words does not throw away a reply in progress. `by_confidence` is
    for the U3 family, where only the confidence shows a pause. A pause of `pause_seconds` is a
    Preflight whatever the confidence: silence will soon end the turn, and the reply is ready by
    then. After `stuck_seconds` without a new word the service is asked to end the turn, and has
    `force_seconds` to do so. Silence of `longest_silence_ms` ends any turn.
    From the `end_of_turn_confidence` `sure_from` on, the service ends it sooner; None: it goes by
    the punctuation.
    """

    wait_for_formatted_seconds: float = 0.0
    keep_reply: bool = True
    by_confidence: bool = False
    preflight_confidence: float = 0.0
    pause_seconds: float = math.inf
    eager_ms: int | None = None
    stuck_seconds: float = math.inf
    force_seconds: float = 1.5
    longest_silence_ms: int = _LONGEST_DEFAULT_SILENCE_MS
    sure_from: float | None = None


def endpointing_for(options: SessionOptions, choices: TurnChoices) -> Endpointing:
    """The endpointing for a session's options; call it again when they change."""
    sent = options.effective()
    silence_ms = sent.get("max_turn_silence") or _LONGEST_DEFAULT_SILENCE_MS
    is_formatted_later = bool(sent.get("format_turns")) and options.family is not U3
    wait_ms = choices.wait_for_formatted_ms if is_formatted_later else 0
    return Endpointing(
        wait_for_formatted_seconds=wait_ms / 1000,
        keep_reply=choices.replies,
        by_confidence=options.family is U3,
        preflight_confidence=_confidence(options, choices),
        pause_seconds=max(silence_ms - _REPLY_MS, _SHORTEST_PAUSE_MS) / 1000
        if choices.replies
        else math.inf,
        eager_ms=choices.eager_ms if choices.replies else None,
        stuck_seconds=(silence_ms + _unheard_ms(options)) / 1000,
        longest_silence_ms=silence_ms,
        sure_from=_threshold(options) if options.family is US else None,
    )


def _confidence(options: SessionOptions, choices: TurnChoices) -> float:
    if not choices.replies:
        return math.inf
    if choices.preflight_confidence is not None:
        return choices.preflight_confidence
    if options.family is U3:
        return _U3_CONFIDENCE
    return _threshold(options) if options.family is US else 0.0


def _threshold(options: SessionOptions) -> float:
    sent = options.effective().get(_THRESHOLD)
    return float(SERVICE_THRESHOLDS[_THRESHOLD] if sent is None else sent)


def _unheard_ms(options: SessionOptions) -> int:
    """How long somebody may speak before the service reports a new word."""
    if options.family is US:
        return RECOGNITION_MS
    steady = options.continuous_partials is not False and not options.speaker_labels
    return RECOGNITION_MS + (_CADENCE_MS if steady else _LONGEST_TURN_MS)
