"""Why a caller waited: a sentence with the cause, its figure, and the setting to turn."""

from collections.abc import Sequence
from statistics import median

from agent.records import attempts
from agent.records.in_force import setting, value
from agent.records.read import RecordedCall
from agent.records.schema import Call, Turn
from agent.records.stages import Key, Share, shares, wait_ms
from agent.records.words import END_REASONS, duration, moment

SLOW_REPLY_MS = 2000
"""From here on a wait is odd: over twice the 0.9 s that healthy providers take (docs/latency.md),
and people who hear nothing for that time begin to speak again."""
SLOWER_THAN_USUAL, SLOWER_LEAST_MS = 2.0, 1200
"""So is a wait of 1.2 s or longer that is twice the call's median: something was different."""
DICTATION_PAUSE_MS = 1600
"""The default of AGENT_DICTATION_PAUSE_MS: how long callers may pause while dictating."""
SECOND_CAUSE = 0.4
"""Another stage is named, too, if it exceeds its usual time by this share of what the first one
does."""
LEAST_REPLIES = 3
"""With fewer there is no usual wait."""
LEAST_EXCESS_MS = 300
"""No stage that exceeds its usual time by less is a cause."""

_CLAUSES: dict[Key, str] = {
    "stt": "AssemblyAI's last word was final {took} after the caller stopped speaking",
    "end_of_turn": "the end of the turn took {took}",
    "hold": "the second opinion held the end of the turn back for {took}",
    "commit": "the session took {took} to commit the turn",
    "llm": "the language model's first token took {took}",
    "clause": "the language model took {took} from its first token to the first clause",
    "tts": "the first byte of the voice (TTS) took {took}",
    "playout": "the first sound took {took} from the voice (TTS) to the room",
    "between": "for {took} the record shows no stage at work",
}
_CPU = (
    ("AGENT_MAX_CALLS", "fewer calls at once leave more CPU to each"),
    ("AGENT_MAX_CPU_PERCENT", "above that the worker takes no call"),
)
_HINTS: dict[Key, tuple[tuple[str, str], ...]] = {
    "stt": (("ASSEMBLYAI_BASE_URL", "it chooses the region; a nearer one answers sooner"),),
    "hold": (("AGENT_TURN_HOLD_MS", "it is the time the second opinion may hold an end back"),),
    "commit": (
        ("ASSEMBLYAI_WAIT_FOR_FORMATTED_MS", "it is the time a turn may wait for its text"),
    ),
    "clause": (("AGENT_FIRST_CLAUSE_CHARS", "with fewer the first clause is shorter"),),
    "playout": _CPU,
    "between": _CPU,
}
"""Settings with their advice. Of the model, the voice, tools and ends of turns see `_hint`."""


def slow_from_ms(turns: Sequence[Turn]) -> float:
    """From which wait on a reply of this call is odd."""
    waits = [wait for turn in turns if (wait := wait_ms(turn)) is not None]
    if len(waits) < LEAST_REPLIES:
        return SLOW_REPLY_MS
    return min(SLOW_REPLY_MS, max(SLOWER_LEAST_MS, SLOWER_THAN_USUAL * median(waits)))


def causes(turn: Turn, slow_ms: float = SLOW_REPLY_MS) -> list[Share]:
    """The stages that made a caller wait, worst first. Empty if the wait was shorter than this; who
    dictates is waited for on purpose."""
    if (wait_ms(turn) or 0) < slow_ms + (DICTATION_PAUSE_MS if turn.is_dictated else 0):
        return []
    found = sorted(shares(turn), key=lambda each: each.excess_ms, reverse=True)
    least = max(LEAST_EXCESS_MS, SECOND_CAUSE * found[0].excess_ms)
    return [each for each in found if each.excess_ms >= least] or found[:1]


def slow_reply(turn: Turn, found: Sequence[Share], call: RecordedCall) -> tuple[str, str]:
    """A sentence about a turn whose caller waited long, for these causes, and a hint."""
    parts = [_part(each, turn, call) for each in found]
    heard = _filler(turn)
    said = f"waited {duration(wait_ms(turn) or 0)}: {', and '.join(parts)}{heard}."
    return said, _hint(found[0], turn, call.first)


def _part(share: Share, turn: Turn, call: RecordedCall) -> str:
    """One cause, as a clause."""
    clause = _CLAUSES.get(share.key, "").format(took=duration(share.ms))
    match share.key:
        case "end_of_turn":
            return f"{clause} ({_ended_by(turn)})"
        case "llm" | "tts" if attempts.have_failed(turn, share.key):
            said = attempts.failures_first(turn, share.key, share.ms, call)
            first = "token" if share.key == "llm" else "byte"
            return f"{said}, and the first {first} came after {duration(share.ms)}"
        case "llm" | "tts":
            tries = attempts.tries(turn, share.key)
            return clause + (f" at {tries[0].provider}" if tries else "")
        case "tool":
            return _tool(share, turn, call.first)
        case _:
            return clause


def _ended_by(turn: Turn) -> str:
    part = turn.caller_part
    if part.end_reason is None:
        return "the record does not say why"
    sure = "" if part.end_confidence is None else f", confidence {part.end_confidence:.2f}"
    dictated = ", while the caller dictated" if turn.is_dictated else ""
    return f"{END_REASONS[part.end_reason]}{sure}{dictated}"


def _tool(share: Share, turn: Turn, call: Call) -> str:
    """What became of a tool, and when."""
    last = next(each for each in reversed(turn.tools) if each.tool == share.name)
    took, limit = duration(share.ms), value(call, "AGENT_TOOL_TIMEOUT_SECONDS")
    within = f"within its limit of {limit}" if limit else "within its limit"
    return (
        f"the tool {share.name} "
        + {
            "ok": f"took {took}",
            "error": f"took {took} and failed ({last.error or 'error'})",
            "timeout": f"gave no answer {within}, and was cancelled after {took}",
            "cancelled": f"took {took} and was cancelled",
        }[last.outcome]
    )


def _filler(turn: Turn) -> str:
    if not turn.fillers:
        return ""
    return f"; the caller heard a filler at {moment(turn.fillers[0].at_ms)}"


def _hint(share: Share, turn: Turn, call: Call) -> str:
    """The setting to turn for a cause, with its value in the call."""
    if share.key in ("llm", "tts"):
        return attempts.advice(turn, share.key, call)
    if share.key == "tool":
        return tool_hint(share.name, turn, call)
    if share.key != "end_of_turn":
        return " ".join(setting(call, name, advice) for name, advice in _HINTS[share.key])
    if turn.is_dictated:
        return setting(
            call, "AGENT_DICTATION_PAUSE_MS", "it is the time a caller may pause while dictating"
        )
    return end_of_turn_hint(turn, call)


def tool_hint(name: str, turn: Turn, call: Call) -> str:
    """Where to look when a tool was slow. Its limit bears only on what reached it."""
    said = f"Look at the tool {name}."
    if not any(each.tool == name and each.outcome == "timeout" for each in turn.tools):
        return said
    limit = "it is the time a tool may keep a caller waiting"
    return f"{said} {setting(call, 'AGENT_TOOL_TIMEOUT_SECONDS', limit)}"


def end_of_turn_hint(turn: Turn, call: Call) -> str:
    """What decides how soon a turn ends."""
    preset = turn.preset or value(call, "AGENT_TURN_PRESET")
    sure = "it sets how sure AssemblyAI has to be"
    said = f"AGENT_TURN_PRESET was {preset}; {sure}." if preset else f"AGENT_TURN_PRESET: {sure}."
    if turn.caller_part.end_reason not in ("silence", "forced"):
        return said
    longest = setting(call, "ASSEMBLYAI_MAX_TURN_SILENCE", "that is the longest silence")
    return f"{said} {longest}"
