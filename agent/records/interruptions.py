"""What was odd about who spoke over whom: false barge-ins, cut-offs, the agent's own echo."""

import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher

from agent.records.alike import listed
from agent.records.in_force import setting, value
from agent.records.oddity import Oddity
from agent.records.read import RecordedCall
from agent.records.schema import Call, CallersPart, Interruption, Overlap, Turn, Word
from agent.records.words import END_REASONS, duration, moment

ECHO_WORDS, ECHO_SHARE = 3, 0.6
"""Words that are said over the agent are its own voice if so many, and this share of them, are the
agent's in its order; two may be chance."""
MISJUDGED_WITHIN_MS = 3000
"""An overlap and the interruption that it was are told at most so far apart."""
_NOISE = "a sound without words (noise)"
_DIGITS = re.compile(r"\d|^(zero|oh|one|two|three|four|five|six|seven|eight|nine|double)$")


def found(call: RecordedCall) -> list[Oddity]:
    """All of them, in any order."""
    turns = call.turns
    echoes = list(_echoes(call))
    echoed = {each.turn for each in echoes}
    every = list(_misjudged(call))
    for index, turn in enumerate(turns):
        if turn.cut_off_for_ms is not None and turn.index not in echoed:
            following = turns[index + 1] if index + 1 < len(turns) else None
            every.append(_cut_off(turn, following, call.first))
        every += _false_barge_ins(turn, call.first, is_echoed=bool(echoes))
    if echoes:
        echoes[0] = _with_its_noises(echoes[0], turns)
    return [*echoes, *every]


def _with_its_noises(echo: Oddity, turns: list[Turn]) -> Oddity:
    """An echo, with the false barge-ins without words that it caused, too."""
    false = [
        (turn.index, each) for turn in turns for each in _of(turn) if _is_wordless_and_false(each)
    ]
    if not false:
        return echo
    where = [f"turn {index} at {moment(each.at_ms)}" for index, each in false[:4]]
    more = f", and {len(false) - 4} times more" if len(false) > 4 else ""
    silent_ms = sum((each.resumed_ms or each.at_ms) - each.at_ms for _, each in false)
    said = (
        f" It probably also interrupted {listed(where)}{more}, without words: a false barge-in, "
        f"for which the agent fell silent for {duration(silent_ms)}."
    )
    also = sorted({index for index, _ in false} - {echo.turn})
    first = also.pop(0) if echo.turn is None else echo.turn
    return replace(echo, sentence=echo.sentence + said, turn=first, also=tuple(also))


def _is_wordless_and_false(each: Interruption) -> bool:
    return each.outcome == "false" and not each.words


def _false_barge_ins(turn: Turn, call: Call, *, is_echoed: bool) -> Iterator[Oddity]:
    false = [each for each in _of(turn) if each.outcome == "false"]
    if is_echoed:  # those without words are told with the echo
        false = [each for each in false if each.words]
    if not false:
        return
    silent_ms = sum((each.resumed_ms or each.at_ms) - each.at_ms for each in false)
    times = "once" if len(false) == 1 else f"{len(false)} times"
    where = ", ".join(moment(each.at_ms) for each in false[:4])
    said = {text for each in false if (text := _text(each.words))}
    by = f"by the words “{'”, “'.join(sorted(said))}”" if said else f"by {_NOISE}"
    went_on = (
        f"fell silent for {duration(silent_ms)} and went on"
        if all(each.resumed_ms is not None for each in false)
        else "fell silent"
    )
    yield Oddity(
        "false_barge_in",
        f"Turn {turn.index} was interrupted {times} {by} at {where}: a false barge-in; the agent "
        f"{went_on}.",
        turn.index,
        _yields_later(call),
    )


def _yields_later(call: Call) -> str:
    """The settings that make the agent yield later; calm is the last of them already."""
    louder = setting(call, "ASSEMBLYAI_VAD_THRESHOLD", "a higher one takes less for a voice")
    if value(call, "AGENT_BARGE_IN") == "calm":
        return louder
    calmer = {"eager": "balanced and calm yield later"}.get(
        value(call, "AGENT_BARGE_IN"), "calm yields later"
    )
    return f"{setting(call, 'AGENT_BARGE_IN', calmer)} {louder}"


def _cut_off(turn: Turn, following: Turn | None, call: Call) -> Oddity:
    part = turn.caller_part
    is_dictated = turn.is_dictated or _is_number(part.words)
    if following is not None:
        is_dictated = is_dictated or following.is_dictated
    what = "a dictation" if is_dictated else "the caller"
    after = duration(turn.cut_off_for_ms or 0)
    why = ""
    if part.end_reason:
        why = f" The turn ended{_silence(part)} because {END_REASONS[part.end_reason]}"
    if why and part.end_confidence is not None:
        why += f" (confidence {part.end_confidence:.2f})"
    preset = f", with the preset {turn.preset}" if why and turn.preset else ""
    if preset and turn.is_dictated:
        preset += ", with patience for dictation"
    return Oddity(
        "dictation_cut" if is_dictated else "cut_off",
        f"Turn {turn.index} cut {what} off: the caller went on speaking {after} after the reply "
        f"began.{why}{preset}{'.' if why else ''}",
        turn.index,
        _dictation_hint(turn, call) if is_dictated else _preset_hint(turn, call),
    )


def _dictation_hint(turn: Turn, call: Call) -> str:
    """How long the caller paused and how long it was allowed; where the agent did not know that
    something was dictated, how it could."""
    if not turn.is_dictated:
        return (
            "The agent did not know that this was dictated: the list dictation in the phrases says "
            "which questions are answered by dictating."
        )
    reply, ended = turn.reply, turn.caller_part.ended_ms
    name = "AGENT_DICTATION_PAUSE_MS"
    allowed = value(call, name)
    if reply is None or reply.first_sound_ms is None or ended is None:
        return setting(call, name, "it is the time a caller may pause while dictating")
    paused = duration(reply.first_sound_ms + (turn.cut_off_for_ms or 0) - ended)
    allows = f"{name} allows {allowed}" if allowed else f"{name} says how long that may be"
    return f"The caller paused for {paused}; {allows}."


def _preset_hint(turn: Turn, call: Call) -> str:
    """Which presets wait longer than the one in force."""
    preset = turn.preset or value(call, "AGENT_TURN_PRESET")
    if preset == "conservative":
        name = "ASSEMBLYAI_MIN_TURN_SILENCE"
        return setting(call, name, "a longer one waits longer, and so does every reply")
    was = f" was {preset}; " if preset else ": "
    longer = "conservative waits" if preset == "balanced" else "balanced and conservative wait"
    return f"AGENT_TURN_PRESET{was}{longer} longer."


def _silence(part: CallersPart) -> str:
    """How long the caller had been silent when the turn was taken as over."""
    if part.ended_ms is None or part.decided_ms is None or part.decided_ms <= part.ended_ms:
        return ""
    return f" {duration(part.decided_ms - part.ended_ms)} after the caller stopped speaking,"


def _echoes(call: RecordedCall) -> Iterator[Oddity]:
    """Words of the caller's that are the agent's own."""
    told = [each for each in call.every(Overlap) if each.taken_for == "echo" and each.is_right]
    if told:
        times = "once" if len(told) == 1 else f"{len(told)} times"
        yield Oddity(
            "echo",
            f"The agent's own voice came back over the caller's line {times} (first at "
            f"{moment(told[0].at_ms)}), and was kept out of the conversation.",
            hint="The caller's client does not cancel echo.",
        )
    hint = _echo_hint(call.first)
    before: Turn | None = None
    for turn in call.turns:
        own = [each for each in _of(turn) if _is_echo(each.words, turn)]
        if own:
            yield Oddity(
                "echo",
                f"Turn {turn.index} was interrupted by the agent's own words “"
                f"{_text(own[0].words)}”: an echo was taken for the caller.",
                turn.index,
                hint,
            )
        elif before is not None and _is_echo(turn.caller_part.words, before):
            yield Oddity(
                "echo",
                f"Turn {turn.index} answers the agent's own words “"
                f"{_text(turn.caller_part.words)}”: an echo was taken for the caller.",
                turn.index,
                hint,
            )
        before = turn


def _echo_hint(call: Call) -> str:
    said = "The caller's line sends the agent's voice back."
    if value(call, "AGENT_ECHO") == "auto":
        return f"{said} AGENT_ECHO was auto, and missed it: let the caller's client cancel echo."
    return f"{said} {setting(call, 'AGENT_ECHO', 'auto keeps it out')}"


def _misjudged(call: RecordedCall) -> Iterator[Oddity]:
    """Overlaps that were taken for the wrong thing, where no turn tells it."""
    false = [each.at_ms for turn in call.turns for each in _of(turn) if each.outcome == "false"]
    for each in call.every(Overlap):
        if each.is_right:
            continue
        if each.taken_for != "interruption":
            yield Oddity(
                "misjudged",
                f"At {moment(each.at_ms)} words of the caller were taken for "
                f"{_A.get(each.taken_for, each.taken_for)} and not answered, although they were "
                "meant as a turn.",
                hint="The phrases file (AGENT_PHRASES_DIR) lists what does not interrupt.",
            )
        elif not any(abs(each.at_ms - at) <= MISJUDGED_WITHIN_MS for at in false):
            yield Oddity(
                "false_barge_in",
                f"At {moment(each.at_ms)} the agent stopped for a barge-in that was none.",
                hint=_yields_later(call.first),
            )


_A = {
    "backchannel": "a backchannel",
    "echo": "an echo",
    "aside": "an aside to somebody else",
    "hold": "a request to wait",
    "unanswered": "words that need no answer",
}


def _of(turn: Turn) -> list[Interruption]:
    return turn.reply.interruptions if turn.reply else []


def _text(words: list[Word]) -> str:
    """At most a dozen words."""
    text = " ".join(each.text for each in words[:12])
    return f"{text} ..." if len(words) > 12 else text


def _plain(words: list[Word]) -> list[str]:
    return [re.sub(r"\W", "", each.text).lower() for each in words]


def _is_echo(words: list[Word], turn: Turn) -> bool:
    """Whether these words, which began while the agent spoke in this turn, are mostly its own, in
    its order: of an echo the recogniser mishears some."""
    reply = turn.reply
    if not words or reply is None or reply.first_sound_ms is None or reply.ended_ms is None:
        return False
    if not reply.first_sound_ms <= words[0].start_ms <= reply.ended_ms:
        return False
    heard, own = _plain(words), _plain(reply.words)
    pairs = SequenceMatcher(None, own, heard, autojunk=False).get_matching_blocks()
    same = sum(each.size for each in pairs)
    return same >= ECHO_WORDS and same >= ECHO_SHARE * len(heard)


def _is_number(words: list[Word]) -> bool:
    """Whether at least half of what was said are digits."""
    plain = _plain(words)
    return bool(plain) and 2 * sum(bool(_DIGITS.search(each)) for each in plain) >= len(plain)
