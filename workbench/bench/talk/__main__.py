"""`make bench-talk`: talking, interrupting and being ignored, ours and stock; docs/talk.md."""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from agent.caller.waiting import WaitedTooLongError
from workbench.bench import figures
from workbench.bench.programs import PROGRAMS
from workbench.bench.talk import kept
from workbench.bench.talk.arena import Arena, arena, chosen_providers
from workbench.bench.talk.calls import hold
from workbench.bench.talk.kept import KeptCall
from workbench.bench.talk.page import found_figures, page
from workbench.bench.talk.script_options import parse, script_parser
from workbench.bench.talk.stimuli import SEEDS, TalkScript, scripts
from workbench.bench.talk.story import story
from workbench.local.livekit_binary import NoLiveKitServerError
from workbench.local.processes import ProcessDiedError
from workbench.local.providers import Plan, PlanError
from workbench.local.running import PROJECT

PAUSE_MS = 200.0
"""A longer gap in the agent's sound is a stop: its stand-in's voice makes no pause of that length.
"""
_QUICK = (6, 4)
_ARTIFACTS = PROJECT / "artifacts" / "talk"


@dataclass(slots=True)
class _Run:
    """The calls of one run, kept as each of them ends."""

    path: Path
    calls: list[KeptCall]

    def keep(self, call: KeptCall) -> None:
        self.calls.append(call)
        kept.write(self.path, self.calls)
        fault = f"; not to its end: {call.fault}" if call.fault else ""
        print(
            f"{time.strftime('%H:%M:%S')}  {call.contestant}, {call.name}, {call.line}:"
            f" {len(call.stimuli)} stimuli, CPU {call.cpu_percent:.0f} %,"
            f" longest stall {call.longest_stall_ms:.0f} ms{fault}",
            flush=True,
        )


async def measure(names: list[str], chosen: Plan, written: list[TalkScript], run: _Run) -> None:
    """Each contestant holds all calls, one after the other; the contestants at the same time."""
    logs = Path(tempfile.mkdtemp(prefix="talk-"))
    print(f"The logs are in {logs}", flush=True)
    async with arena(names, chosen, logs) as made, asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(_hold_all(made, name, written, run, _stand_ins(chosen)))


async def _hold_all(
    made: Arena, name: str, written: list[TalkScript], run: _Run, stand_ins: str
) -> None:
    for script in written:
        sound = run.path.with_suffix("") / f"{name}-{script.name}.flac"
        run.keep(await hold(made.access, name, script, sound, stand_ins))


def _stand_ins(chosen: Plan) -> str:
    real = {"AssemblyAI": chosen.has_assemblyai_key, "OpenAI": chosen.has_openai_key}
    return " and ".join(name for name, is_real in real.items() if not is_real)


def main() -> int:
    """The exit status."""
    options = _options()
    if options.quick:
        options.turns, options.overlaps = _QUICK
    logging.basicConfig(level=logging.ERROR)
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    path = _ARTIFACTS / f"{'quick-' if options.quick else ''}{options.seed}.json"
    if not options.page_only:
        try:
            _measure(options, path)
        except KeyboardInterrupt:
            print("Stopped; what was held is kept.")
            return 130
        except (NoLiveKitServerError, PlanError, ProcessDiedError, WaitedTooLongError) as problem:
            print(problem, file=sys.stderr)
            return 1
    calls = kept.read(path)
    if options.story:
        for call in calls:
            print("\n".join(story(call, PAUSE_MS)))
    if not calls:
        print("Nothing was held yet.")
        return 1
    text = page(calls, options.seed, PAUSE_MS)
    print(text)
    figures.write(options.json, found_figures(calls, PAUSE_MS))
    if not (options.dry or options.quick):
        (PROJECT / "docs" / "talk.md").write_text(text, encoding="utf-8")
    return 0


def _measure(options: argparse.Namespace, path: Path) -> None:
    names = [options.only] if options.only else list(PROGRAMS)
    others = [call for call in kept.read(path) if call.contestant not in names]
    written = scripts(SEEDS[options.seed], options.turns, options.overlaps)
    asyncio.run(measure(names, chosen_providers(), written, _Run(path, others)))


def _options() -> argparse.Namespace:
    parser = script_parser("workbench.bench.talk", __doc__, turns=156, overlaps=150, seed="judged")
    add = parser.add_argument
    add("--only", choices=list(PROGRAMS), help="one contestant; the other's calls are kept")
    add("--page-only", action="store_true", help="score what is kept, and hold no call")
    add("--dry", action="store_true", help="write no page")
    add("--story", action="store_true", help="print what came of each stimulus")
    add("--quick", action="store_true", help="6 turns and 4 overlaps, 90 seconds, no page")
    figures.add_json_option(parser)
    return parse(parser)


if __name__ == "__main__":
    sys.exit(main())
