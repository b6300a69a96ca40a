"""One table of all figures, in the field's own names, beside the aims and what is published.

The published figures are the best of any system on the same measure, not of one system: no system
has several of them. They were measured with other callers and over other lines.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import jiwer

from agent.caller.transcript import words
from workbench.bench.pages import markdown_table
from workbench.bench.talk import eva, tau_voice
from workbench.bench.talk.eva import Timing
from workbench.bench.talk.rates import FEWEST_EVENTS, Rate
from workbench.bench.talk.spans import Conversation
from workbench.bench.talk.tau_voice import Panel

__all__ = ["NOTES", "scorecard", "words_lost"]

_EXACT_MS = 10

NOTES = f"""In brackets: how many events a figure stands on; figures of fewer than {FEWEST_EVENTS}
are hidden. The best published figures of tau-voice are those of its leaderboard
(sierra-research/tau2-bench at a2c0247), of EVA-Bench those of its site (ServiceNow/eva at 997ae97),
each with other callers and other lines than here; of the rows marked "ours" there are none."""
_NONE = "none"


@dataclass(frozen=True, slots=True)
class _Seen:
    """One contestant's conversations, judged once."""

    conversations: Sequence[Conversation]
    ticked: Panel
    exact: Panel


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    figure: Callable[[_Seen], Rate]
    aim: str = ""
    published: str = ""
    unit: str = ""


def scorecard(found: Mapping[str, Iterable[Conversation]]) -> list[str]:
    """Lines of a table: a row for each measure, a column for each contestant."""
    seen = {name: _see(tuple(conversations)) for name, conversations in found.items()}
    heads = ("", *seen, "aim", "best published")
    return markdown_table(
        heads,
        [
            (row.name, *(_cell(row, each) for each in seen.values()), row.aim, row.published)
            for row in _ROWS
        ],
    )


def words_lost(conversations: Iterable[Conversation]) -> Rate:
    """Share of the words said over the agent that are nowhere in the conversation afterwards.

    All of a conversation's turns are laid beside all that was heard in it, in order, so that the
    fewest words differ: a word that has none beside it is lost, one beside another is misheard.
    """
    lost = said = 0
    for conversation in conversations:
        gone = _lost_by_turn(conversation)
        for turn, missing in zip(conversation.turns, gone, strict=True):
            if any(turn.span.overlap_ms(each) for each in conversation.agent_speech):
                lost += missing
                said += len(words(turn.text).split())
    return Rate.of(lost, said - lost)


def _see(conversations: Sequence[Conversation]) -> _Seen:
    return _Seen(
        conversations,
        tau_voice.panel(conversations),
        tau_voice.panel(conversations, tick_ms=_EXACT_MS),
    )


def _cell(row: _Row, seen: _Seen) -> str:
    rate = row.figure(seen)
    if rate.value is None:
        return f"{_NONE} ({rate.events})"
    if rate.shown is None:
        return f"hidden ({rate.events})"
    return f"{rate.value:.2f}{row.unit} ({rate.events})"


def _lost_by_turn(conversation: Conversation) -> list[int]:
    """How many words of each turn have nothing beside them in what was heard."""
    turns = [words(each.text).split() for each in conversation.turns]
    said = [word for turn in turns for word in turn]
    heard = " ".join(map(words, conversation.heard)).split()
    missing = set(range(len(said)))
    if said and heard:
        aligned = jiwer.process_words(" ".join(said), " ".join(heard)).alignments[0]
        missing = {
            at
            for chunk in aligned
            if chunk.type == "delete"
            for at in range(chunk.ref_start_idx, chunk.ref_end_idx)
        }
    gone, first = [], 0
    for turn in turns:
        gone.append(len(missing.intersection(range(first, first + len(turn)))))
        first += len(turn)
    return gone


def _timing(named: Timing) -> Callable[[_Seen], Rate]:
    def share(seen: _Seen) -> Rate:
        shares = [eva.judge(each).share(named) for each in seen.conversations]
        turns = sum(each.events for each in shares)
        named_turns = sum(round((each.value or 0) * each.events) for each in shares)
        return Rate.of(named_turns, turns - named_turns)

    return share


_ROWS = (
    _Row("R_R, turns answered", lambda seen: seen.ticked.r_r, ">= 0.99", "1.00, gpt-realtime-1.5"),
    _Row("L_R, until the answer", lambda seen: seen.ticked.l_r, "<= 1.0 s", "1.15 s, xAI", " s"),
    _Row("the same, exact (ours)", lambda seen: seen.exact.l_r, unit=" s"),
    _Row(
        "R_Y, interruptions yielded to",
        lambda seen: seen.ticked.r_y,
        ">= 0.98",
        "1.00, gpt-realtime-1.5",
    ),
    _Row(
        "L_Y, until silence",
        lambda seen: seen.ticked.l_y,
        "<= 0.4 s",
        "0.41 s, gpt-realtime-1.0",
        " s",
    ),
    _Row("the same, exact (ours)", lambda seen: seen.exact.l_y, unit=" s"),
    _Row(
        "I_A, cutting in, for each turn",
        lambda seen: seen.ticked.i_a,
        "<= 0.05",
        "0.10, Gemini 3.1 Flash Live",
    ),
    _Row("S_BC, backchannels ignored", lambda seen: seen.ticked.s_bc, "", "0.97, Pine"),
    _Row(
        "S_VT, vocal tics ignored", lambda seen: seen.ticked.s_vt, "", "0.62, Gemini 3.1 Flash Live"
    ),
    _Row(
        "S_ND, speech to others ignored", lambda seen: seen.ticked.s_nd, "", "0.58, LiveKit cascade"
    ),
    _Row("their mean, selectivity", lambda seen: seen.ticked.selectivity, ">= 0.85", "0.67, Pine"),
    _Row("noises ignored (ours)", lambda seen: seen.ticked.s_noise),
    _Row(
        "of stops for none of these, soon went on (ours)",
        lambda seen: seen.ticked.went_on_after_all,
    ),
    _Row(
        "EVA-Bench turn-taking",
        lambda seen: eva.turn_taking(seen.conversations),
        ">= 0.95",
        "0.88, Scribe v2.2 + Haiku 4.5 + Flash v2",
    ),
    *(_Row(f"EVA-Bench, answers {each.value}", _timing(each)) for each in Timing),
    _Row("words lost in overlaps (ours)", lambda seen: words_lost(seen.conversations), "0"),
)
