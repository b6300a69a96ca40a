"""The scorecard: ours and stock beside each other, in the field's own names."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median, quantiles

from workbench.bench.figures import Figure
from workbench.bench.pages import made_with, markdown_table
from workbench.bench.talk.kept import KeptCall
from workbench.bench.talk.rates import Rate
from workbench.bench.talk.scorecard import NOTES, scorecard, words_lost
from workbench.bench.talk.spans import Kind
from workbench.bench.talk.tau_voice import panel

__all__ = ["found_figures", "medians", "page"]

Calls = Sequence[KeptCall]
_EXACT_MS = 10

_INTRODUCTION = """# Whose turn it is

{stand_ins}; the LiveKit server, both workers, the room and the caller's ears are real.
Written by `make bench-talk`; do not edit.

{turns} turns said into the agent's silence and {overlaps} sounds over its replies, for each of the
two, in {calls} calls; every other call comes over a telephone line (8 kHz, mu-law, 3 % of its 20 ms
packets lost, singly and in rows). Seed: `{seed}`. Thresholds were chosen on the seed `tuning`;
another seed has other pitches, orders, moments, noises and losses, of the same recordings. Turns
and interruptions are recorded human speech of up to three readers, each call at a pitch of its
own, one turn in five with a longer pause in the middle. Backchannels, hesitations and half of the
asides are synthesised, in voices of several pitches; the other asides are another reader, dull and
12 to 20 dB softer. Coughs, sneezes, sniffles, breaths, a door, a keyboard and a hum are made from
noise; a horn, a dog, an engine, a telephone, a siren, a crying child and people talking are
recordings.

All is measured on the sound that the caller receives, {pause:.0f} ms of silence being a stop of
the agent. tau-voice's windows are those of tau2-bench (`docs/interaction-metrics.md`), in ticks of
200 ms as there; what is called exact is measured to 10 ms. A word is lost if nothing stands in its
place in the conversation that the room shows; misheard words are not lost.
"""


def page(calls: Calls, seed: str, pause_ms: float) -> str:
    """The whole of docs/talk.md."""
    by_name = _by_contestant(calls)
    first = next(iter(by_name.values()))
    stimuli = [each for call in first for each in call.stimuli]
    overlaps = sum(each.is_over_reply for each in stimuli)
    text = [
        _INTRODUCTION.format(
            stand_ins=_stand_ins(first[0].stand_ins),
            turns=len(stimuli) - overlaps,
            overlaps=overlaps,
            calls=len(first),
            seed=seed,
            pause=pause_ms,
        ),
        *_table(by_name, pause_ms),
        "",
        NOTES,
        "",
        *medians(by_name, pause_ms),
    ]
    for line in sorted({call.line for call in calls}, reverse=True):
        mine = {
            name: [call for call in each if call.line == line] for name, each in by_name.items()
        }
        text += ["", f"## Over the {line} line alone", "", *_table(mine, pause_ms)]
    return "\n".join([*text, "", *_how_it_ran(by_name), ""])


def found_figures(calls: Calls, pause_ms: float) -> Iterator[Figure]:
    """For `make bench`, where both contestants have a value, on however few events."""
    both = {name: _rates(each, pause_ms) for name, each in _by_contestant(calls).items()}
    ours, stock = both.get("ours", {}), both.get("stock", {})
    for name, mine in ours.items():
        other = stock.get(name, Rate(None, 0))
        if mine.value is not None and other.value is not None:
            is_time = name.startswith("seconds")
            yield Figure(
                name=name,
                unit="s" if is_time else "",
                ours=mine.value,
                stock=other.value,
                more_is_better=not is_time and not name.startswith(("cutting in", "words lost")),
            )


def _rates(calls: Calls, pause_ms: float) -> Mapping[str, Rate]:
    conversations = [call.conversation(pause_ms) for call in calls]
    exact = panel(conversations, tick_ms=_EXACT_MS)
    return {
        "turns answered, share": exact.r_r,
        "seconds until the answer, mean": exact.l_r,
        "interruptions yielded to, share": exact.r_y,
        "seconds until silence, mean": exact.l_y,
        "cutting in, for each turn": exact.i_a,
        "what is to be ignored ignored, share": exact.selectivity,
        "words lost in overlaps, share": words_lost(conversations),
    }


def _stand_ins(names: str) -> str:
    if not names:
        return "AssemblyAI and OpenAI are the real services here, and nothing is a stand-in"
    return (
        f"{names} {'are stand-ins' if ' and ' in names else 'is a stand-in'} on this machine (a"
        " small open recogniser with AssemblyAI's protocol, scripted answers, an open voice without"
        " pauses)"
    )


def _by_contestant(calls: Calls) -> Mapping[str, list[KeptCall]]:
    names = sorted({call.contestant for call in calls})
    return {name: [call for call in calls if call.contestant == name] for name in names}


def _table(by_name: Mapping[str, Calls], pause_ms: float) -> list[str]:
    found = {
        name: [call.conversation(pause_ms) for call in calls] for name, calls in by_name.items()
    }
    return scorecard(found)


def medians(by_name: Mapping[str, Calls], pause_ms: float) -> list[str]:
    """Lines of a table: of what the means hide, the middle and the slowest tenth, exactly."""
    columns = [_times(calls, pause_ms) for calls in by_name.values()]
    lines = [(name, *(_middle_and_slow(column[name]) for column in columns)) for name in columns[0]]
    return markdown_table(("median, and 90 of 100 are sooner", *by_name), lines)


def _times(calls: Calls, pause_ms: float) -> Mapping[str, list[float]]:
    """In seconds, by what they are."""
    judged = panel([call.conversation(pause_ms) for call in calls], tick_ms=_EXACT_MS)
    over = [
        each
        for call in calls
        for each in call.stimuli
        if each.is_over_reply and each.kind is Kind.TURN and each.softer_after_ms is not None
    ]
    return {
        "from a turn's end to the answer": judged.response_s,
        "from an interruption's begin until the agent is softer, or silent": [
            (each.softer_after_ms or 0.0) / 1000 for each in over
        ],
        "from an interruption's begin until it is silent": judged.yield_s,
    }


def _middle_and_slow(seconds: list[float]) -> str:
    if len(seconds) < 2:
        return "none"
    slow = quantiles(seconds, n=10, method="inclusive")[-1]
    return f"{median(seconds):.2f} s, {slow:.2f} s"


def _how_it_ran(by_name: Mapping[str, Calls]) -> list[str]:
    calls = [call for each in by_name.values() for call in each]
    ended = [
        f"- {call.contestant}, {call.name}: not to its end, {call.fault}"
        for call in calls
        if call.fault
    ]
    return [
        f"{made_with()}, of which"
        f" {max(call.cpu_percent for call in calls):.0f} % were busy in the busiest call; the"
        f" caller's own loop was late by {max(call.longest_stall_ms for call in calls):.0f} ms at"
        " worst.",
        *(["", *ended] if ended else []),
    ]
