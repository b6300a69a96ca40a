"""The parts of docs/capacity.md that are measured; what is written by hand there stays."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.bench.capacity.picture import picture
from workbench.bench.capacity.report import HEADS, rows
from workbench.bench.capacity.step import SLOWER, Step
from workbench.bench.figures import Figure
from workbench.bench.pages import markdown_table, write_section

__all__ = ["carried", "figures", "write"]

_INTRODUCTION = """# Capacity: how many talking calls a machine carries

`make capacity` raises the number of calls at once, through a real LiveKit server, until replies
become slow or something is lost: first for our worker, then for the stock one, then for a floor, a
worker whose jobs only subscribe and publish. `make capacity ARGS=--help` lists its options;
`ARGS="--ours calls_per_process=1 --ours calls_per_process=8"` compares settings of ours. Twelve
minutes; the first time two more, for it builds its callers.

![replies, CPU and memory over the number of calls](capacity.svg)
"""
_HOW = f"""\
- **A call** talks all the time: the caller asks a question of one to three seconds, gets an answer
  of five, and asks the next one about a second later. Its line has the noise of a quiet room, so
  that a packet of sound comes every 20 ms.
- **Callers** are one Go program (`workbench/bench/capacity/load`), and so are the stand-ins for
  AssemblyAI and OpenAI. The callers' sound was encoded beforehand, and they decode nothing: they
  tell the agent's voice by the size of its packets, and its words by the room's transcript. The
  stand-ins take 100 ms for a transcript, 300 ms for a first token and 150 ms for a first sound.
- **Reply**: from the question's last sound to the answer's first, at the caller. **Greeting**: from
  the moment at which the caller is in the room to the agent's first sound; callers come every half
  second.
- **Lost**: greetings that did not come, questions without an answer, words of a question that its
  answer does not say back (the model is told to say all of them), answers that came twice, calls
  that broke off.
- **Carried**: the most calls at which nothing is lost, and the 95th percentile of replies is within
  {SLOWER:g} times that of a single call.
- **CPU** is user and system time of all the worker's processes, its main process and those that
  wait for calls included, over 25 s in which no call comes or goes, divided by the calls; in per
  cent of one core. So are the CPU of LiveKit's server, of callers and of stand-ins. "Elsewhere" is
  whatever else this machine did meanwhile, altogether.
- **Memory** is the PSS of the processes with calls, divided by the calls: memory that processes
  share counts once. Behind it stands all the worker holds, its processes without calls included.
- **Waits**: how long the main threads of the worker's processes were ready to run and had no core,
  per call and second. **Loop lag**: how late the event loops of our calls ran, the worst of each
  second; 95 % of seconds are within it. The stock worker does not tell.
- Every call is taken: the worker's brake (docs/operations.md, Overload) is off.
"""


def carried(steps: Sequence[Step]) -> Step | None:
    """The largest step that holds; None: not even the first one does, or there is none."""
    return next((each for each in reversed(steps) if each.holds(steps[0])), None)


def figures(mine: Sequence[Step], stock: Sequence[Step], floor: Sequence[Step]) -> list[Figure]:
    """What `make bench` shows, each worker at the most calls that it carries."""
    at, theirs = carried(mine), carried(stock)
    if at is None:
        return []
    least = floor[-1] if floor else None

    def figure(name: str, unit: str, read: str, **others: bool) -> Figure:
        values = {
            who: _value(step, read)
            for who, step in (("ours", at), ("stock", theirs), ("floor", least))
            if step is not None and not (who == "floor" and read == "calls")
        }
        return Figure.model_validate({"name": name, "unit": unit, **others, **values})

    return [
        figure("calls carried at once", "", "calls", more_is_better=True),
        figure("CPU per talking call", "% of a core", "cpu"),
        figure("memory per talking call", "MB", "mb"),
    ]


def _value(step: Step, what: str) -> float:
    values = {"calls": step.calls, "cpu": 100 * step.cpu_per_call, "mb": step.mb_per_call}
    return round(values[what], 2)


def write(docs: Path, held: Mapping[str, Sequence[Step]], machine: str) -> None:
    """Write the picture, and the measured sections of the page."""
    page = docs / "capacity.md"
    (docs / "capacity.svg").write_text(picture(held), encoding="utf-8")
    tables = []
    for name, steps in held.items():
        tables += [f"**{name}**", "", *markdown_table(HEADS, rows(steps)), ""]
    lines = [*(_sentence(name, steps) for name, steps in held.items()), "", *tables, machine]
    write_section(page, "Figures", lines, introduction=_INTRODUCTION)
    write_section(page, "What is measured", [_HOW], introduction=_INTRODUCTION)


def _sentence(name: str, steps: Sequence[Step]) -> str:
    """What a worker's steps come to, as an item of a list."""
    best = carried(steps)
    if not steps[0].heard.replies:
        return f"- **{name}**: {_cost(steps[-1])} at {steps[-1].calls} calls."
    if best is None:
        return f"- **{name}** does not carry a single call here."
    growth = best.cpu_per_call / steps[0].cpu_per_call
    end = "the most that was tried" if best is steps[-1] else f"{steps[-1].calls} were too many"
    cores = 100 / (100 * best.cpu_per_call)
    return (
        f"- **{name}** carries **{best.calls} calls** on this machine beside their callers and"
        f" LiveKit's server ({end}), at {_cost(best)}, {growth:.2f} times the CPU of a single"
        f" call. So a core of agents alone is full with {cores:.0f} calls."
    )


def _cost(step: Step) -> str:
    return f"{100 * step.cpu_per_call:.1f} % of a core and {step.mb_per_call:.0f} MB a call"
