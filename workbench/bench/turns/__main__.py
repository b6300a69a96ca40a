"""`make bench-turns`: cut-offs, merged and stuck turns, and the wait, at each preset."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import track

from workbench.arguments import command
from workbench.bench.pages import markdown_table, terminal_table, write_section
from workbench.bench.turns import opinions, opinions_page
from workbench.bench.turns.corpus import GAP_SECONDS, SAMPLE_RATE, Call, calls, scripts, write_wavs
from workbench.bench.turns.hearing import remembering, replayed, take_turns
from workbench.bench.turns.judgement import Judgement, judge
from workbench.bench.turns.pauses import voices
from workbench.bench.turns.people import MOST, people
from workbench.bench.turns.plot import curves, plot
from workbench.bench.turns.report import HEADS, rows
from workbench.bench.turns.settings import default_hold_ms, settings
from workbench.local.running import CACHE, PROJECT
from workbench.standins.assemblyai_v3.heard import Engines
from workbench.standins.engines.weights import EngineUnavailableError
from workbench.standins.loading import load_engines

_INTRODUCTION = """# Cut-offs against wait

Written by `make bench-turns`; do not edit. {calls} calls with {turns} turns, {seconds:.0f} s of
sound, made from `workbench/bench/turns/corpus.json`, so that the end of every turn is known to
10 ms. Each preset hears the same sound, on its own clock. A cut-off is a turn that the agent took
while the caller had not finished; merged is one that was taken only together with the next, which
began {gap} s later; stuck is a last turn that was never taken. The wait is from the caller's last
sound until the agent may answer: the 100 ms that a transcript takes, the service's silence, the
150 ms for its formatting, and LiveKit's own delay are in it, the reply's making is not.

AssemblyAI is a stand-in here, which hears with a small open model. It takes the text's own
punctuation and last word for its confidence that a turn is over, and is easier to mislead than
AssemblyAI's model: what the presets do to one another is to be read here, not what they would come
to in production. Half of these turns have a pause in the middle, far more than callers make.
"""


@dataclass(slots=True)
class _Outcome:
    whole: Judgement = field(default_factory=Judgement)
    by_call: dict[str, Judgement] = field(default_factory=dict)


def measure(spoken: list[Call], engines: Engines) -> Mapping[str, _Outcome]:
    """Every setting hears every call."""
    found: dict[str, _Outcome] = {}
    heard = {call.name: voices(call.samples) for call in spoken}
    steps = [(setting, call) for setting in settings() for call in spoken]
    for setting, call in track(steps, "Listening", transient=True):
        taken = take_turns(call.samples, setting, replayed(engines, heard[call.name]))
        outcome = found.setdefault(setting.name, _Outcome())
        judge(call.turns, taken, outcome.whole)
        judge(call.turns, taken, outcome.by_call.setdefault(call.name, Judgement()))
    return found


def main() -> int:
    """The exit status."""
    parser = command("workbench.bench.turns", __doc__)
    parser.add_argument("--dry", action="store_true", help="write no page")
    parser.add_argument(
        "--hold-ms", type=int, nargs="*", default=[600, 1000, 2500], help="of a second opinion"
    )
    parser.add_argument(
        "--people", action="store_true", help="only human speech; leave the rest of the page"
    )
    parser.add_argument("--most", type=int, default=MOST, help="turns of one person's")
    options = parser.parse_args()
    try:
        engines = remembering(load_engines()())
        holds_ms = sorted({*options.hold_ms, default_hold_ms()})
        _hear_people(engines, people(most=options.most), holds_ms, dry=options.dry)
        if options.people:
            return 0
        spoken = calls(scripts())
    except EngineUnavailableError as missing:
        print(missing, file=sys.stderr)
        return 1
    write_wavs(spoken, CACHE / "turns")
    found = measure(spoken, engines)
    whole = {name: outcome.whole for name, outcome in found.items()}
    Console().print(terminal_table(f"{_count(spoken)} turns", HEADS, rows(whole)))
    if not options.dry:
        _write(PROJECT / "docs", spoken, found, whole)
    return 0


def _count(spoken: list[Call]) -> int:
    return sum(len(call.turns) for call in spoken)


def _hear_people(engines: Engines, spoken: list[Call], holds_ms: list[int], *, dry: bool) -> None:
    found, hold_ms = opinions.measure(spoken, engines, holds_ms), default_hold_ms()
    title = f"Human speech, an end held back for {hold_ms} ms"
    compared = opinions_page.compared(found, hold_ms)
    Console().print(terminal_table(title, opinions_page.COMPARED, compared))
    if dry:
        return
    docs, picture = PROJECT / "docs", "Cut-offs against wait, by hold"
    drawn = curves(picture, opinions_page.curves(found))
    (docs / "second-opinion.svg").write_text(drawn, encoding="utf-8")
    lines = opinions_page.section(
        found, hold_ms, turns=_count(spoken), speakers=len(spoken), picture=picture
    )
    page = docs / "presets.md"
    introduction = page.read_text(encoding="utf-8").partition("\n## ")[0]
    write_section(page, opinions_page.HEADING, lines, introduction=introduction)


def _write(
    docs: Path, spoken: list[Call], found: Mapping[str, _Outcome], whole: Mapping[str, Judgement]
) -> None:
    title = "Cut-offs against wait, one point for each preset"
    (docs / "presets.svg").write_text(plot(title, whole), encoding="utf-8")
    by_call = [
        (
            call.name,
            str(len(call.turns)),
            *(str(outcome.by_call[call.name].cut_offs) for outcome in found.values()),
        )
        for call in spoken
    ]
    seconds = sum(call.samples.size for call in spoken) / SAMPLE_RATE
    introduction = [
        _INTRODUCTION.format(
            calls=len(spoken), turns=_count(spoken), seconds=seconds, gap=GAP_SECONDS
        ),
        *markdown_table(HEADS, rows(whole)),
        "",
        f"![{title}](presets.svg)",
    ]
    write_section(
        docs / "presets.md",
        "Cut-offs by kind of call",
        markdown_table(("", "turns", *found), by_call),
        introduction="\n".join(introduction),
    )


if __name__ == "__main__":
    sys.exit(main())
