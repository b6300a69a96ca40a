"""The scorecard: ours and stock beside each other, in the field's own names."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

from workbench.pages import markdown_table
from workbench.talk.eva import turn_taking
from workbench.talk.kept import KeptCall
from workbench.talk.lost_words import Lost, lost_words
from workbench.talk.rates import Rate
from workbench.talk.spans import Kind
from workbench.talk.tau_voice import panel

__all__ = ["page", "rows"]

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
200 ms as there; the two latencies are measured to 10 ms. EVA's score is that of EVA-Bench
(`docs/metrics/turn_taking.md`). A word is lost if nothing stands in its place in the conversation
that the room shows; misheard words are not lost.
"""


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    aim: str
    value: str
    """How many events it stands on, too."""


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
    ]
    for line in sorted({call.line for call in calls}, reverse=True):
        mine = {
            name: [call for call in each if call.line == line] for name, each in by_name.items()
        }
        text += ["", f"## Over the {line} line alone", "", *_table(mine, pause_ms)]
    return "\n".join([*text, "", *_how_it_ran(by_name), ""])


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
    columns = [rows(each, pause_ms) for each in by_name.values()]
    lines = [
        (same[0].name, same[0].aim, *(each.value for each in same))
        for same in zip(*columns, strict=True)
    ]
    return markdown_table(("", "aim", *by_name), lines)


def rows(calls: Calls, pause_ms: float) -> list[_Row]:
    """A contestant's column, line by line."""
    conversations = [call.conversation(pause_ms) for call in calls]
    ticks, exact = panel(conversations), panel(conversations, tick_ms=_EXACT_MS)
    softer = [
        each.softer_after_ms / 1000
        for call in calls
        for each in call.stimuli
        if each.is_over_reply and each.kind is Kind.TURN and each.softer_after_ms is not None
    ]
    return [
        _Row("R_R, turns that were answered", ">= .99", _share(ticks.r_r)),
        _Row("L_R, from the turn's end to the answer", "<= 1.0 s", _seconds(exact.l_r)),
        _Row("L_R, median", "", _median(exact.response_s)),
        _Row("R_Y, interruptions that were yielded to", ">= .98", _share(ticks.r_y)),
        _Row("L_Y, from an interruption's begin to silence", "<= 0.4 s", _seconds(exact.l_y)),
        _Row("L_Y, median", "", _median(exact.yield_s)),
        _Row("until the agent is softer, or silent, median", "", _median(softer)),
        _Row("I_A, cuts in a turn", "<= .05", _share(ticks.i_a)),
        _Row("S_BC, backchannels talked through", "", _share(ticks.s_bc)),
        _Row("S_VT, coughs and the like ignored", "", _share(ticks.s_vt)),
        _Row("S_ND, speech to others ignored", "", _share(ticks.s_nd)),
        _Row("mean selectivity of these three", ">= .85", _share(ticks.selectivity)),
        _Row("noises ignored (our own row)", "", _share(ticks.s_noise)),
        _Row("EVA-Bench, turn-taking", ">= .95", _share(turn_taking(conversations))),
        _Row("words lost in overlaps", "0", _lost(lost_words(calls, over_reply=True))),
        _Row("words lost elsewhere", "", _lost(lost_words(calls, over_reply=False))),
    ]


def _share(rate: Rate) -> str:
    return "none" if rate.value is None else f"{rate.value:.3f} of {rate.events}"


def _seconds(rate: Rate) -> str:
    return "none" if rate.value is None else f"{rate.value:.2f} s"


def _median(values: Sequence[float]) -> str:
    return f"{median(values):.2f} s" if values else "none"


def _lost(lost: Lost) -> str:
    turns = f", {lost.whole_turns} whole turns" if lost.whole_turns else ""
    return f"{lost.lost} of {lost.said}{turns}"


def _how_it_ran(by_name: Mapping[str, Calls]) -> list[str]:
    calls = [call for each in by_name.values() for call in each]
    agents, stock = version("livekit-agents"), version("livekit-plugins-assemblyai")
    ended = [
        f"- {call.contestant}, {call.name}: not to its end, {call.fault}"
        for call in calls
        if call.fault
    ]
    return [
        f"livekit-agents {agents}, livekit-plugins-assemblyai {stock}, Python"
        f" {platform.python_version()}, {os.cpu_count()} cores, of which"
        f" {max(call.cpu_percent for call in calls):.0f} % were busy in the busiest call; the"
        f" caller's own loop was late by {max(call.longest_stall_ms for call in calls):.0f} ms at"
        " worst.",
        *(["", *ended] if ended else []),
    ]
