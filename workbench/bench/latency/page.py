"""docs/latency.md as a whole: what the figures mean, and a section for each part of the run."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from workbench.bench.latency.contestants import STOCK
from workbench.bench.latency.dialogue import Line
from workbench.bench.latency.measurement import Marks
from workbench.bench.latency.parts import PARTS, SWEEP, Fault, Figures, Part
from workbench.bench.latency.providers import Delays
from workbench.bench.latency.report import EAGERNESS_HEADS, eagerness_rows, rows, sweep_rows
from workbench.bench.latency.waterfall import captions, waterfall
from workbench.bench.pages import markdown_table
from workbench.standins.assemblyai_v3.immutable_turns import UTTERANCE_SILENCE_MS

__all__ = ["page", "pictures", "write"]

_INTRODUCTION = """# How soon the caller hears an answer

Written by `make bench-latency`; do not edit. From the end of the caller's speech to the first sound
of the reply, ours and the stock plugin, in one run and in rotation, so that whatever else the
machine does falls on all of them. Ours has its default settings; "some" and "full" are
`AGENT_EAGERNESS` (see [turns.md](turns.md)). "Stock" is put together as its guide shows it, "stock,
tuned" has LiveKit's delay off and speech synthesis before the turn is committed. All have the same
thresholds (0.7, 160 ms, 2400 ms), the same LLM and the same voice.

**What is measured.** The end of speech is the last sample of the line that is a sound. Inside one
process it is the moment at which that sample has been spoken, in real time, and the reply begins
when its first frame reaches the loudspeaker. In a room it is the moment at which the caller's
client has sent that sample, and the reply begins with the first sound that the client hears: so the
room's own delay in both directions is in it.

**What is a stand-in.** The providers are scripted, behind real sockets: a transcript comes
{delays.transcript_ms} ms after its sound arrived, the utterance and the turn end after
{silence_ms} ms of silence, the formatted twin comes {twin}; the LLM's first token takes
{delays.first_token_ms} ms, the first byte of speech {delays.first_sound_ms} ms. Added up:
{delays.sum_of_parts_ms} ms, and on average 25 ms more, as audio travels in frames of 50 ms. A
service that tells late has the same delays, but until it ends a turn its confidence stays low and
its last word open, and cut while it is being said: nothing that it says tells of an end before the
end. The caller says, in a synthetic voice:

{said}

In brackets: the pause, and AssemblyAI's confidence in it that the turn is over; at the end of a
line that is 0.9. The breath of 0.09 s is there to mislead. Our worker's "one moment", said when a
reply is slow, is switched off.

**How to read the tables.** "Of stock's" is the ratio of the medians, and "with 90 %" where it lies
in nine of ten draws from these turns (a bootstrap, turn by turn). "Half of the turns" lie between
the quartiles. "Tokens wasted" are those of requests whose answer nobody heard, whole prompts
included. A turn with a pause costs stock an LLM request for each part and one more for the whole.
Some of stock's turns keep the reply that was begun early, the others throw it away; its median lies
between the two groups, and moves more from run to run than any of ours.
"""

Results = Mapping[str, Figures | Fault]
"""By the part's name."""


def page(
    results: Results,
    cases: Mapping[str, Figures] | Fault | None,
    lines: Sequence[Line],
    delays: Delays,
    made: str,
) -> str:
    """The page's text. `made` tells of the machine and the versions; `cases` are the sweep's."""
    pieces = [_introduction(delays, lines), *_eagerness(results, made)]
    for part in PARTS:
        if part.name in results:
            pieces += [f"## {part.heading}", *_section(part, results[part.name])]
    if cases is not None:
        pieces += [f"## {SWEEP.heading}", *_sweep(cases)]
    return "\n\n".join(piece.strip() for piece in pieces) + "\n"


def pictures(results: Results) -> Iterator[tuple[str, str]]:
    """Each file's name, and the SVG's text; none for a part without a reply."""
    for part in PARTS:
        found = results.get(part.name)
        if isinstance(found, Mapping) and (medians := _medians(found)):
            yield part.picture, waterfall(_title(part), medians)


def write(folder: Path, text: str, drawings: Iterator[tuple[str, str]]) -> None:
    """Write the page and its pictures; a picture that this run did not draw is removed."""
    drawn = dict(drawings)
    for part in PARTS:
        if part.picture in drawn:
            (folder / part.picture).write_text(drawn[part.picture], encoding="utf-8")
        else:
            (folder / part.picture).unlink(missing_ok=True)
    (folder / "latency.md").write_text(text, encoding="utf-8")


def _introduction(delays: Delays, lines: Sequence[Line]) -> str:
    twin = "not at all" if delays.twin_ms is None else f"{delays.twin_ms} ms later"
    said = "\n".join(f"- {_spoken(line)}" for line in lines)
    return _INTRODUCTION.format(
        delays=delays, twin=twin, silence_ms=UTTERANCE_SILENCE_MS, said=said
    )


def _spoken(line: Line) -> str:
    pause = f" *({line.pause_seconds:g} s, confidence {line.confidence:g})* "
    return pause.join(line.parts)


def _eagerness(results: Results, made: str) -> Iterator[str]:
    """The table of all parts; those without figures say so below."""
    figures: list[tuple[str, ...]] = []
    for part in PARTS:
        found = results.get(part.name)
        if isinstance(found, Mapping):
            figures += eagerness_rows(part.where.split(",")[0], part.service, found, STOCK.name)
    yield "## All parts, by `AGENT_EAGERNESS`"
    yield (
        f"{made} The aim, in a room: `some` at most 0.60 of stock's and 15% wasted, `full` 0.55"
        " and 25%."
    )
    yield "\n".join(markdown_table(EAGERNESS_HEADS, figures))


def _section(part: Part, found: Figures | Fault) -> Iterator[str]:
    if isinstance(found, Fault):
        yield f"This part has no figures: {found.text}."
        return
    yield "\n".join(markdown_table(["", *found], rows(found, STOCK.name)))
    silent = [name for name, summary in found.items() if not summary.latencies_ms]
    if silent:
        yield f"No reply was heard in this part from: {'; '.join(silent)}."
    if medians := _medians(found):
        yield f"![{_title(part)}]({part.picture})"
        yield "The median turns in figures, in milliseconds from the end of speech:"
        yield "\n".join(captions(medians))


def _sweep(cases: Mapping[str, Figures] | Fault) -> Iterator[str]:
    if isinstance(cases, Fault):
        yield f"This part has no figures: {cases.text}."
        return
    yield (
        "Inside one process, the first five turns of the dialogue: the median, and its share of"
        " stock's."
    )
    names = list(next(iter(cases.values())))
    yield "\n".join(markdown_table(["", *names], sweep_rows(cases, STOCK.name)))


def _title(part: Part) -> str:
    return f"{part.heading}: where a median turn's time goes, from the end of speech"


def _medians(found: Figures) -> dict[str, Marks]:
    return {name: marks for name, each in found.items() if (marks := each.median_marks)}
