"""The page's section on the second opinion: its tables, its curve, and what is a stand-in."""

from collections.abc import Mapping, Sequence

from workbench.bench.pages import markdown_table
from workbench.bench.talk.eot_bench import silence_only
from workbench.bench.turns import silences
from workbench.bench.turns.opinions import Cost, Figures, Measured
from workbench.bench.turns.pauses import PREDICTION_MS
from workbench.bench.turns.plot import Curve

__all__ = ["COMPARED", "HEADING", "compared", "curves", "section"]

HEADING = "With a second opinion"
COMPARED = (
    "",
    "pauses cut off",
    "with",
    "mean wait",
    "with",
    "90th percentile",
    "with",
)

_INTRODUCTION = """AssemblyAI is a stand-in here too, and so is its confidence, which goes by the
text; the voice detector (Silero) and the second opinion (LiveKit's `turn-detector-v1-mini`, English
threshold) are the real ones, and hear human speech. {turns} turns of {speakers} people who read
aloud or announce have {pauses} silences in mid-turn of 0.2 s and more; into every other turn one of
0.6, 0.9, 1.3 or 2 s was put where it is quietest about its middle, and the sound between turns is
silent. A pause is cut off if the agent takes the turn before the next one. The wait is the dead air
behind a turn's true end, the 100 ms that a transcript takes and the 150 ms for its
formatting included.

Predictions are computed, but their time is modelled: each is there {prediction:.0f} ms after the
sound. So the figures are the same in every run, but for these: the detector took {cpu:.0f} ms of
CPU for a prediction, and {memory:.0f} MB of memory for all of a process's calls."""

_WORDS = """In the words of eot-bench, the cutoff rate is the share of those silences in which the
agent took the turn; latency is the dead air behind a true end; the last four columns are the best
that its policies make of that within a budget. Its own data is not used: no figure here stands
beside those of its leaderboard."""


def section(found: Measured, hold_ms: int, *, turns: int, speakers: int, picture: str) -> list[str]:
    """The lines below the heading; `hold_ms`, one of those measured, is compared with none."""
    holds = [hold for hold in dict.fromkeys(hold for _, hold in found.figures) if hold]
    pauses = next(iter(found.figures.values())).pauses
    return [
        _introduction(found.cost, turns=turns, speakers=speakers, pauses=pauses),
        "",
        f"Without, and with one that holds an end back for {hold_ms} ms (`AGENT_TURN_HOLD_MS`):",
        "",
        *markdown_table(COMPARED, compared(found, hold_ms)),
        "",
        "The same for other holds: pauses cut off, and the mean wait.",
        "",
        *markdown_table(("", "off", *(f"{hold} ms" for hold in holds)), _by_hold(found)),
        "",
        f"![{picture}](second-opinion.svg)",
        "",
        _WORDS,
        "",
        *markdown_table(silences.HEADS, eot_bench(found, hold_ms)),
    ]


def compared(found: Measured, hold_ms: int) -> list[tuple[str, ...]]:
    """A row for each preset: without and with."""
    rows = []
    for preset, by_hold in _presets(found).items():
        off, on = by_hold[None], by_hold[hold_ms]
        shares = (_share(each.cut_off_share) for each in (off, on))
        waits = (_ms(each.mean_ms) for each in (off, on))
        slowest = (_ms(each.p90_ms) for each in (off, on))
        rows.append((preset, *shares, *waits, *slowest))
    return rows


def eot_bench(found: Measured, hold_ms: int) -> list[tuple[str, ...]]:
    """Its figures: each preset without and with, the detector alone, and silence alone."""
    rows = []
    for preset, by_hold in _presets(found).items():
        rows.append(silences.row(preset, by_hold[None].silences))
        name = f"{preset}, second opinion {hold_ms} ms"
        rows.append(silences.row(name, by_hold[hold_ms].silences))
    alone = silences.row("the detector alone", found.detector, as_it_is=False)
    return [*rows, alone, silences.row_of("silence alone", silence_only(found.detector))]


def curves(found: Measured) -> list[Curve]:
    """For the picture: one for each preset, from without to the longest hold."""
    return [
        Curve(
            preset,
            [(each.mean_ms, each.cut_off_share, _named(hold)) for hold, each in by_hold.items()],
        )
        for preset, by_hold in _presets(found).items()
    ]


def _introduction(cost: Cost, *, turns: int, speakers: int, pauses: int) -> str:
    return _INTRODUCTION.format(
        turns=turns,
        speakers=speakers,
        pauses=pauses,
        prediction=PREDICTION_MS,
        cpu=cost.cpu_ms,
        memory=cost.memory_mb,
    )


def _by_hold(found: Measured) -> Sequence[tuple[str, ...]]:
    return [
        (preset, *(f"{_share(each.cut_off_share)}, {_ms(each.mean_ms)}" for each in held.values()))
        for preset, held in _presets(found).items()
    ]


def _presets(found: Measured) -> Mapping[str, dict[int | None, Figures]]:
    by_preset: dict[str, dict[int | None, Figures]] = {}
    for (preset, hold), figures in found.figures.items():
        by_preset.setdefault(preset, {})[hold] = figures
    return by_preset


def _named(hold: int | None) -> str:
    return "off" if hold is None else f"{hold}"


def _share(share: float) -> str:
    return f"{share:.0%}"


def _ms(ms: float) -> str:
    return f"{ms:.0f} ms"
