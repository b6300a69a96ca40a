"""Why a caller waited: a sentence with the cause, its figure, and the setting to turn."""

from collections.abc import Sequence
from statistics import median

from agent.records.schema import Attempt, Call, Reply, Turn
from agent.records.stages import Key, Share, shares, wait_ms
from agent.records.words import END_REASONS, attempts_in_words, duration, moment

SLOW_REPLY_MS = 2000
"""From here on a wait is odd: over twice the 0.9 s that healthy providers take (docs/latency.md),
and people who hear nothing for so long begin to speak again."""
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
    "stt": "AssemblyAI's last word was final {took} after the voice's end",
    "end_of_turn": "the end of the turn took {took}",
    "hold": "the second opinion held the end of the turn back for {took}",
    "commit": "the session took {took} to commit the turn",
    "llm": "the language model's first token took {took}",
    "clause": "the language model took {took} from its first token to the first clause",
    "tts": "the first byte of the voice (TTS) took {took}",
    "playout": "the first sound took {took} from the voice (TTS) to the room",
    "tool": "the tool {name} took {took}",
    "between": "for {took} the record shows no stage at work",
}
_HINTS: dict[Key, str] = {
    "stt": "ASSEMBLYAI_BASE_URL chooses a nearer region; the network between them may be slow.",
    "hold": "AGENT_TURN_HOLD_MS limits how long the second opinion may hold a turn's end back.",
    "commit": "ASSEMBLYAI_WAIT_FOR_FORMATTED_MS limits the wait for the formatted text.",
    "llm": "OPENAI_LLM_PATIENCE_SECONDS says when the next attempt begins, "
    "OPENAI_FALLBACK_LLM_MODEL who takes over.",
    "clause": "AGENT_FIRST_CLAUSE_CHARS makes the first clause shorter.",
    "tts": "OPENAI_TTS_PATIENCE_SECONDS says when the next attempt begins, "
    "OPENAI_FALLBACK_TTS_MODEL who takes over.",
    "playout": "The worker may have been short of CPU: AGENT_MAX_CALLS, AGENT_MAX_CPU_PERCENT.",
    "tool": "AGENT_TOOL_TIMEOUT_SECONDS limits how long a tool may keep a caller waiting.",
    "between": "The worker may have been short of CPU: AGENT_MAX_CALLS, AGENT_MAX_CPU_PERCENT.",
}


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


def slow_reply(turn: Turn, found: Sequence[Share], call: Call) -> tuple[str, str]:
    """A sentence about a turn whose caller waited long, for these causes, and a hint."""
    parts = [_part(each, turn) for each in found]
    heard = _filler(turn)
    said = f"waited {duration(wait_ms(turn) or 0)}: {', and '.join(parts)}{heard}."
    return said, _hint(found[0], turn, call)


def _part(share: Share, turn: Turn) -> str:
    """One cause, as a clause."""
    clause = _CLAUSES[share.key].format(took=duration(share.ms), name=share.name)
    reply = turn.reply or Reply()
    match share.key:
        case "end_of_turn":
            return f"{clause} ({_ended_by(turn)})"
        case "llm":
            return clause + _tries(reply.llm, share)
        case "tts":
            return clause + _tries(reply.tts, share)
        case "tool":
            return clause + _outcome(share.name, turn)
        case _:
            return clause


def _ended_by(turn: Turn) -> str:
    part = turn.caller_part
    if part.end_reason is None:
        return "the record does not say why"
    sure = "" if part.end_confidence is None else f", confidence {part.end_confidence:.2f}"
    dictated = ", while the caller dictated" if turn.is_dictated else ""
    return f"{END_REASONS[part.end_reason]}{sure}{dictated}"


def _tries(attempts: list[Attempt], share: Share) -> str:
    if told := attempts_in_words(attempts, share.ms):
        return f" ({told})"
    return f" at {attempts[0].provider}" if attempts else ""


def _outcome(name: str, turn: Turn) -> str:
    """What became of a tool, if it is not a result."""
    last = next(each for each in reversed(turn.tools) if each.tool == name)
    return {
        "ok": "",
        "error": f" and failed ({last.error or 'error'})",
        "timeout": " and was cancelled, since it had no result in time",
        "cancelled": " and was cancelled",
    }[last.outcome]


def _filler(turn: Turn) -> str:
    if not turn.fillers:
        return ""
    return f"; the caller heard a filler at {moment(turn.fillers[0].at_ms)}"


def _hint(share: Share, turn: Turn, call: Call) -> str:
    """The setting to turn for a cause."""
    if share.key != "end_of_turn":
        return _HINTS[share.key]
    if turn.is_dictated:
        return "AGENT_DICTATION_PAUSE_MS is how long a caller may pause while dictating."
    preset = turn.preset or call.settings.get("AGENT_TURN_PRESET")
    now = f" ({preset} was in force)" if preset else ""
    return (
        f"AGENT_TURN_PRESET{now} sets how sure AssemblyAI has to be; ASSEMBLYAI_MAX_TURN_SILENCE "
        "is its longest silence."
    )
