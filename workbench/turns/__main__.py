"""`make bench-turns`: cut-offs, merged and stuck turns, and the wait, at each preset."""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.progress import track

from agent.call.turn_taking import min_delay, thresholds
from config.load import load_settings
from stt_assemblyai.models import PRESETS, Preset
from workbench.engines.activity import ActivityDetector
from workbench.engines.weights import EngineUnavailableError
from workbench.loopback.assemblyai_v3.heard import Ears
from workbench.loopback.engines import load_ears
from workbench.pages import markdown_table
from workbench.running import CACHE, PROJECT
from workbench.turns.corpus import GAP_SECONDS, SAMPLE_RATE, Call, calls, scripts, write_wavs
from workbench.turns.hearing import Setting, remembering, take_turns
from workbench.turns.judgement import Judgement, judge
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


@dataclass(slots=True)
class _Outcome:
    whole: Judgement = field(default_factory=Judgement)
    by_call: dict[str, Judgement] = field(default_factory=dict)


def settings() -> list[Setting]:
    """Every preset, both sides of it; and the first while a number or the like is being given."""
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
        return Setting(name, options, round(min_delay(usual, preset, pause_ms) * 1000))

    return [
        *(setting(name, name) for name in PRESETS),
        setting("seed, in dictation", "seed", usual.agent.dictation_pause_ms),
    ]


def measure(spoken: list[Call], ears: Ears) -> Mapping[str, _Outcome]:
    """Every setting hears every call."""
    found: dict[str, _Outcome] = {}
    steps = [(setting, call) for setting in settings() for call in spoken]
    for setting, call in track(steps, "Listening", transient=True):
        # A voice detector remembers what it heard: each call gets one of its own.
        fresh = replace(ears, voice_probability=ActivityDetector.load().probability)
        taken = take_turns(call.samples, setting, fresh)
        outcome = found.setdefault(setting.name, _Outcome())
        judge(call.turns, taken, outcome.whole)
        judge(call.turns, taken, outcome.by_call.setdefault(call.name, Judgement()))
    return found


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m workbench.turns", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="write no page")
    options = parser.parse_args()
    try:
        spoken, ears = calls(scripts()), remembering(load_ears()())
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


def _count(spoken: list[Call]) -> int:
    return sum(len(call.turns) for call in spoken)


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
    page = [
        _INTRODUCTION.format(
            calls=len(spoken), turns=_count(spoken), seconds=seconds, gap=GAP_SECONDS
        ),
        *markdown_table(HEADS, rows(whole)),
        "",
        f"![{title}](presets.svg)",
        "",
        "## Cut-offs by kind of call",
        "",
        *markdown_table(("", "turns", *found), by_call),
        "",
    ]
    (docs / "presets.md").write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
