"""`make rollout`: a new version takes the calls of an old one while callers talk."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from workbench.arguments import command, positive, writable
from workbench.bench.capacity.load_program import build
from workbench.bench.capacity.script import write as write_script
from workbench.bench.figures import add_json_option, write
from workbench.bench.latency.providers import Delays
from workbench.bench.pages import terminal_table
from workbench.bench.rollout import page
from workbench.bench.rollout.conversation import LINES
from workbench.bench.rollout.judgement import Verdict, judge
from workbench.bench.rollout.report import HEADS, losses, rows, summary
from workbench.bench.rollout.rounds import Rollout, Version, at_commit, roll_out
from workbench.local.running import CACHE, PROJECT


def main() -> int:
    """The exit status: 1 where anything was lost, or a call stayed with its worker."""
    options = _options()
    logs = options.logs or Path(tempfile.mkdtemp(prefix="rollout-"))
    logs.mkdir(parents=True, exist_ok=True)
    print(f"Seed {options.seed}; the logs are in {logs}")
    verdict = asyncio.run(_run(options, logs))
    if options.add_to:
        verdict = page.add(verdict, options.add_to)
        page.write(PROJECT / "docs", verdict, _between(options))
    Console().print(terminal_table("turns", HEADS, rows(verdict)))
    print("\n".join([*summary(verdict), *losses(verdict)]))
    write(options.json, page.figures(verdict))
    return int(bool(losses(verdict)) or bool(verdict.broken))


def _between(options: argparse.Namespace) -> str:
    versions = f"{options.from_commit[:12]} and this one" if options.from_commit else "one version"
    return f"{options.calls} talking calls at once, workers of {versions}"


async def _run(options: argparse.Namespace, logs: Path) -> Verdict:
    here = Version("here", PROJECT / "agent.py")
    script = logs / "script.json"
    program = await build(CACHE, print)
    write_script(script, Delays(), LINES, counts=True)
    async with AsyncExitStack() as stack:
        versions: Sequence[Version] = [here]
        if commit := options.from_commit:
            versions = [await stack.enter_async_context(at_commit(commit, logs)), here]
        rollout = Rollout(
            versions, options.calls, options.rounds, options.hand_over_seconds, options.seed
        )
        calls, stops = await roll_out(rollout, program, script, logs, _say)
    return judge(calls.values(), stops)


def _say(line: str) -> None:
    print(line, flush=True)


def _options() -> argparse.Namespace:
    parser = command("make rollout", __doc__)
    add = parser.add_argument
    usual = Rollout(())
    add("--from", dest="from_commit", metavar="COMMIT", help="the old version; else this checkout")
    add("--calls", type=positive, default=usual.calls, help="at once, throughout")
    add("--rounds", type=positive, default=usual.rounds, help="workers that are told to stop")
    add("--hand-over-seconds", type=float, default=usual.hand_over_seconds)
    add("--seed", type=int, default=usual.seed)
    add("--logs", type=Path, help="keep the logs here")
    what = "add this run to those in this file, and write docs/rollout.md from all of them"
    add("--add-to", type=writable, metavar="FILE", help=what)
    add_json_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
