"""`make bench-turns`: cut-offs, merged and stuck turns, and the wait, at each preset."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from livekit.local_inference import EOT
from rich.console import Console
from rich.progress import track

from agent.call.end_of_turn.detector import LiveKitDetector
from agent.call.patience import early_seconds, min_delay, thresholds
from config.load import load_settings
from stt_assemblyai.models import PRESETS, Preset
from workbench.engines.activity import ActivityDetector
from workbench.engines.weights import EngineUnavailableError
from workbench.loopback.assemblyai_v3.heard import Ears
from workbench.loopback.engines import load_ears
from workbench.pages import markdown_table, write_section
from workbench.running import CACHE, PROJECT
from workbench.talk.eot_bench import Silence, silence_only
from workbench.turns import silences
from workbench.turns.corpus import (
    GAP_SECONDS,
    SAMPLE_RATE,
    Call,
    calls,
    people,
    scripts,
    write_wavs,
)
from workbench.turns.hearing import Opinionated, Setting, remembering, take_turns
from workbench.turns.judgement import Judgement, judge
from workbench.turns.pauses import Moment, moments
from workbench.turns.plot import plot
from workbench.turns.report import HEADS, rows, table

_INTRODUCTION = """# Cut-offs against wait

Written by `make bench-turns`; do not edit. {calls} calls with {turns} turns, {seconds:.0f} s of
sound, made anew from `workbench/turns/corpus.json`, so that the end of every turn is known to
10 ms. Each preset hears the same sound, on its own clock. A cut-off is a turn that the agent took
while the caller had not finished; merged is one that was taken only together with the next, which
began {gap} s later; stuck is a last turn that was never taken. The wait is from the caller's last
sound until the agent may answer: the 100 ms that a transcript takes, the service's silence, the
150 ms for its formatting, and LiveKit's own delay are in it, the reply's making is not.

AssemblyAI is a stand-in here, whose ears are a small open model. It takes the text's own
punctuation and last word for its confidence that a turn is over, and is easier to mislead than
AssemblyAI's model: what the presets do to one another is to be read here, not what they would come
to in production. Half of these turns have a pause in the middle, far more than callers make.
"""


_PEOPLE = """AssemblyAI is a stand-in here as well, and its confidence a stand-in's. The voice
detector (Silero) and the second opinion (LiveKit's `turn-detector-v1-mini`, English threshold) are
the real ones, and hear human speech: {turns} utterances of {speakers} people who read, with {holds}
silences in mid-turn of 0.2 s and more. Most of these were put in where somebody might stop to
think. The words are eot-bench's: the cutoff rate is the share of those silences in which the agent
took the turn; latency is the dead air behind a turn's true end, 3.5 s at most; the last four
columns are the best that its policies make of that within a budget. Its own data is not used: no
figure here stands beside those of its leaderboard.
"""

_DETECTOR = LiveKitDetector(lambda _: 0.0)  # what is known of it without its weights


@dataclass(slots=True)
class _Outcome:
    whole: Judgement = field(default_factory=Judgement)
    by_call: dict[str, Judgement] = field(default_factory=dict)


@dataclass(slots=True)
class _Human:
    """What came of human speech: by setting, and of the detector alone."""

    by_setting: dict[str, list[Silence]] = field(default_factory=dict)
    detector: list[Silence] = field(default_factory=list)


def settings(hold_ms: int | None = None) -> list[Setting]:
    """Every preset, both sides of it; and the first while a number or the like is being given. With
    `hold_ms`, each with a second opinion that holds an end back for so long."""
    nobody = {"api_key": "none"}
    usual = load_settings(
        None,
        given={
            "livekit": {"url": "ws://127.0.0.1", "api_secret": "none", **nobody},
            "assemblyai": nobody,
            "openai": nobody,
        },
    )

    def setting(name: str, preset: Preset, pause_ms: int = 0) -> Setting:
        values = thresholds(usual, preset, pause_ms)
        options = usual.assemblyai.session.revised(**values)
        min_delay_ms = round(min_delay(usual, preset, pause_ms) * 1000)
        if hold_ms is None:
            return Setting(name, options, min_delay_ms)
        early_ms = round(early_seconds(usual, preset, pause_ms) * 1000)
        opinion = Opinionated(hold_ms, early_ms, _DETECTOR.threshold("en"))
        return Setting(f"{name}, second opinion {hold_ms} ms", options, min_delay_ms, opinion)

    return [
        *(setting(name, name) for name in PRESETS),
        setting("seed, in dictation", "seed", usual.agent.dictation_pause_ms),
    ]


def measure(spoken: list[Call], ears: Ears) -> Mapping[str, _Outcome]:
    """Every setting hears every call."""
    found: dict[str, _Outcome] = {}
    steps = [(setting, call) for setting in settings() for call in spoken]
    for setting, call in track(steps, "Listening", transient=True):
        taken = take_turns(call.samples, setting, _fresh(ears))
        outcome = found.setdefault(setting.name, _Outcome())
        judge(call.turns, taken, outcome.whole)
        judge(call.turns, taken, outcome.by_call.setdefault(call.name, Judgement()))
    return found


def measure_people(spoken: list[Call], ears: Ears, holds_ms: Sequence[int]) -> _Human:
    """Every preset hears people, without a second opinion and with one for each of `holds_ms`."""
    predict, threshold = EOT().predict, 0.4
    window_seconds = _DETECTOR.window_seconds
    found = _Human()
    heard: dict[str, list[Moment]] = {}
    for call in track(spoken, "Asking the detector", transient=True):
        heard[call.name] = moments(
            call.samples, predict, window_seconds=window_seconds, voice_threshold=threshold
        )
        found.detector += silences.judged_silences(call, heard[call.name])
    tried = [each for hold_ms in (None, *holds_ms) for each in settings(hold_ms)[:-1]]
    steps = [(setting, call) for setting in tried for call in spoken]
    for setting, call in track(steps, "Listening to people", transient=True):
        taken = take_turns(call.samples, setting, _fresh(ears), heard[call.name])
        found.by_setting.setdefault(setting.name, []).extend(silences.taken_silences(call, taken))
    return found


def _fresh(ears: Ears) -> Ears:
    """A voice detector remembers what it heard: each call gets one of its own."""
    return replace(ears, voice_probability=ActivityDetector.load().probability)


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m workbench.turns", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="write no page")
    parser.add_argument(
        "--hold-ms", type=int, nargs="*", default=[800, 1500, 2500], help="of a second opinion"
    )
    parser.add_argument(
        "--people", action="store_true", help="only human speech; leave the rest of the page"
    )
    options = parser.parse_args()
    try:
        ears, humans = remembering(load_ears()()), people()
        human = measure_people(humans, ears, options.hold_ms)
        Console().print(table("Human speech", _human_rows(human), silences.HEADS))
        if not options.dry:
            _write_people(PROJECT / "docs", humans, human)
        if options.people:
            return 0
        spoken = calls(scripts())
    except EngineUnavailableError as missing:
        print(missing, file=sys.stderr)
        return 1
    write_wavs(spoken, CACHE / "turns")
    found = measure(spoken, ears)
    whole = {name: outcome.whole for name, outcome in found.items()}
    Console().print(table(f"{_count(spoken)} turns", rows(whole)))
    if not options.dry:
        _write(PROJECT / "docs", spoken, found, whole)
    return 0


def _human_rows(human: _Human) -> list[tuple[str, ...]]:
    lines = [silences.row(name, heard) for name, heard in human.by_setting.items()]
    alone = silences.row("the detector alone", human.detector, as_it_is=False)
    return [*lines, alone, silences.row_of("silence alone", silence_only(human.detector))]


def _count(spoken: list[Call]) -> int:
    return sum(len(call.turns) for call in spoken)


def _write_people(docs: Path, spoken: list[Call], human: _Human) -> None:
    holds = sum(each.is_judged and not each.is_end for each in human.detector)
    words = _PEOPLE.format(turns=_count(spoken), speakers=len(spoken), holds=holds)
    lines = [words, *markdown_table(silences.HEADS, _human_rows(human))]
    page = docs / "presets.md"
    introduction = page.read_text(encoding="utf-8").partition("\n## ")[0]
    write_section(page, "With a second opinion", lines, introduction=introduction)


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
