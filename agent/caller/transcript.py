"""What the room's transcription streams say about a call."""

import re
from dataclasses import dataclass

from livekit import rtc

TOPIC = "lk.transcription"
_SEGMENT_ID = "lk.segment_id"
_FINAL = "lk.transcription_final"
_NUMBERS = dict(
    zip(
        map(str, range(13)),
        "zero one two three four five six seven eight nine ten eleven twelve".split(),  # noqa: SIM905  read as a sentence
        strict=True,
    )
)


@dataclass(slots=True)
class Segment:
    """One stretch of somebody's words; `text` grows or is replaced until it is final."""

    speaker: str
    segment_id: str
    opened_seconds: float
    text: str = ""
    final: bool = False


class Transcript:
    """Segments in the order in which they were opened, on the call's clock.

    A stream with the id of a known segment replaces its text: that is how the caller's words are
    revised. Within one stream the text grows: that is how the agent's words come.
    """

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    async def read(self, reader: rtc.TextStreamReader, speaker: str, opened_seconds: float) -> None:
        """Take one stream to its end; a room that closes ends it early."""
        attributes = reader.info.attributes or {}
        segment = self._segment(speaker, attributes.get(_SEGMENT_ID, ""), opened_seconds)
        is_final = attributes.get(_FINAL) == "true"  # and may come a second time, mended
        text = ""
        try:
            async for piece in reader:
                text += piece
                if not segment.final or is_final:
                    segment.text = text
        except rtc.StreamError:
            return
        # The final flag may come with the stream's end.
        segment.final = segment.final or (reader.info.attributes or {}).get(_FINAL) == "true"

    def said_by(self, speaker: str, *, since_seconds: float = 0.0) -> str:
        """All the words of a speaker whose segments were opened since then."""
        return " ".join(
            segment.text.strip()
            for segment in self.segments
            if segment.speaker == speaker and segment.opened_seconds >= since_seconds
        ).strip()

    def _segment(self, speaker: str, segment_id: str, opened_seconds: float) -> Segment:
        for segment in self.segments:
            if (segment.speaker, segment.segment_id) == (speaker, segment_id):
                return segment
        segment = Segment(speaker, segment_id, opened_seconds)
        self.segments.append(segment)
        return segment


def words(text: str) -> str:
    """Text reduced to its words: lower case, no punctuation, small numbers spelt out."""
    plain = re.sub(r"[^a-z0-9' ]", "", text.lower().replace("-", " ").replace("mister", "mr"))
    return " ".join(_NUMBERS.get(word, word) for word in plain.split())
