"""What some parameters add to finals: the language, and who spoke (protocol notes, 4 and 7.9)."""

from collections import Counter
from collections.abc import Sequence

from workbench.standins.assemblyai_v3 import messages
from workbench.standins.assemblyai_v3.hearing import Word
from workbench.standins.assemblyai_v3.messages import Message

PENDING = "PENDING"
SHORT_TURN_MS = 1000
UNKNOWN_SPEAKER = "A"


class Annotations:
    """Short turns get their speaker only when the session ends."""

    def __init__(self, *, language_detection: bool, speaker_labels: bool) -> None:
        self._language_detection = language_detection
        self._speaker_labels = speaker_labels
        self._pending: list[tuple[int, Sequence[Word]]] = []

    def of_final(self, turn_order: int, words: Sequence[Word]) -> Message:
        """The fields to add to this final."""
        return {**self._language(), **self._speaker(turn_order, words)}

    def revision(self) -> Message | None:
        """The SpeakerRevision that comes before Termination, if a label was pending."""
        if not self._pending:
            return None
        revisions = [
            {
                "turn_order": turn_order,
                "speaker_label": _main_speaker(words),
                "words": messages.word_list(words),
            }
            for turn_order, words in self._pending
        ]
        self._pending = []
        return {"type": "SpeakerRevision", "revisions": revisions}

    def _language(self) -> Message:
        if not self._language_detection:
            return {}
        return {"language_code": "en", "language_confidence": 0.99}

    def _speaker(self, turn_order: int, words: Sequence[Word]) -> Message:
        if not self._speaker_labels:
            return {}
        if words[-1].end_ms - words[0].start_ms < SHORT_TURN_MS:
            self._pending.append((turn_order, words))
            return {"speaker_label": PENDING, "speaker_confidence": 0.0}
        return {"speaker_label": _main_speaker(words), "speaker_confidence": 0.9}


def empty_final(turn_order: int) -> Message:
    """The extra final that can follow on Terminate (notes 8.1): no words, language null."""
    extra = {"language_code": None, "language_confidence": None}
    return messages.turn(turn_order, (), "", is_end=True, extra=extra)


def _main_speaker(words: Sequence[Word]) -> str:
    speakers = Counter(word.speaker or UNKNOWN_SPEAKER for word in words)
    return speakers.most_common(1)[0][0]
