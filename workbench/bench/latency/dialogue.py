"""What the caller says: a stated mix of turns with and without pauses, with known words and ends.

The voice is synthetic, so that every machine has it; the pauses are silence. Where each word lies
is measured: a part's words share the time between its first and its last sound by their lengths.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from agent.caller.microphone import SAMPLE_RATE
from agent.caller.speech_energy import speech_spans
from agent.caller.timeline import Samples
from workbench.local.calling.corpus import synthesised, with_pause
from workbench.standins.assemblyai_v3.cued import Cue
from workbench.standins.assemblyai_v3.scripted import ScriptedWord

__all__ = ["DIALOGUE", "Line", "Said", "say"]

_OVER = 0.9
"""AssemblyAI's confidence that a turn is over, at the end of a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that a caller says in one turn, with a pause between its parts.

    `confidence` is AssemblyAI's, in the pause, that the turn is over. `written` tells how the
    formatted transcript writes words, by their place.
    """

    parts: tuple[str, ...]
    pause_seconds: float = 0.0
    confidence: float = 0.0
    written: tuple[tuple[int, str], ...] = ()

    @property
    def text(self) -> str:
        return " ".join(self.parts)

    @property
    def pauses(self) -> bool:
        """Whether somebody might take a pause in it for its end; a breath is none."""
        return self.pause_seconds >= 0.2


DIALOGUE = (
    Line(("What time do you open?",)),
    Line(("I would like to book a table", "for two people tomorrow evening."), 0.7, 0.2),
    Line(("Can you help me with my order?",)),
    Line(("It was twenty five dollars.",), written=((2, "$25."), (3, ""), (4, ""))),
    Line(("My name is Clara,", "and I am calling about a parcel."), 0.5, 0.45),
    Line(("Yes, please.",)),
    Line(("Could you tell me", "when the last train leaves?"), 1.0, 0.1),
    Line(("I want to cancel my appointment.",)),
    Line(("Send it to forty two Baker Street.",), written=((3, "42"), (4, ""))),
    Line(("Yes, that is right,", "thank you very much."), 0.09, 0.8),
)
"""Ten turns: three with a pause in mid-sentence, two whose numbers the formatted twin rewrites, and
one with a breath that sounds like the end of the turn."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line as sound (mono, 48 kHz), and what the scripted AssemblyAI makes of it."""

    line: Line
    samples: Samples
    cue: Cue
    end_seconds: float
    """When its last sound is over, from its first sample on."""


@cache
def say(line: Line) -> Said:
    """Speak a line. Raises EngineUnavailableError where the embedded voice is missing."""
    whole = synthesised(line.parts[0])
    for text in line.parts[1:]:
        whole = with_pause(whole, synthesised(text), line.pause_seconds)
    onset = speech_spans(whole.samples, SAMPLE_RATE, pause_seconds=9)[0].start_seconds
    words: list[ScriptedWord] = []
    begin = 0.0
    for number, text in enumerate(line.parts, 1):
        part = synthesised(text)
        span = speech_spans(part.samples, SAMPLE_RATE, pause_seconds=9)[0]
        first_ms = round((begin + span.start_seconds - onset) * 1000)
        last_ms = round((begin + span.end_seconds - onset) * 1000)
        is_last = number == len(line.parts)
        words += _words(text, first_ms, last_ms, _OVER if is_last else line.confidence)
        begin += part.seconds + line.pause_seconds
    for place, text in line.written:
        words[place] = replace(words[place], written=text)
    return Said(line, whole.samples, Cue(tuple(words)), onset + words[-1].end_ms / 1000)


def _words(text: str, first_ms: int, last_ms: int, confidence: float) -> Sequence[ScriptedWord]:
    """In the middle of speech nobody thinks that the turn is over."""
    texts = text.split()
    total, begun, words = sum(map(len, texts)), 0, []
    for each in texts:
        start_ms = first_ms + (last_ms - first_ms) * begun // total
        begun += len(each)
        end_ms = first_ms + (last_ms - first_ms) * begun // total
        words.append(ScriptedWord(each, start_ms, end_ms, 0.05))
    words[-1] = replace(words[-1], end_of_turn_confidence=confidence)
    return words
