"""A turn as one line of a terminal, to be read at a glance. Pure."""

from collections.abc import Iterator

from agent.records.schema import CallersPart, Reply, Tool, Turn
from agent.records.stages import voice_ended_ms

_BY_ITSELF = {"greeting": "greeting", "prompt": "spoken by itself"}


def glance(turn: Turn) -> str:
    """How long the caller waited for the reply, and what took the time; without words."""
    parts = [*_parts(turn)]
    return "  ".join((f"turn {turn.index}", _wait(turn), " · ".join(parts))).rstrip()


def _wait(turn: Turn) -> str:
    if turn.origin != "caller":
        return _BY_ITSELF[turn.origin]
    if turn.reply is None:
        return "no reply"
    began_ms, ended_ms = turn.reply.first_sound_ms, voice_ended_ms(turn)
    if began_ms is None:
        return "reply not heard"
    return "answered" if ended_ms is None else f"{_seconds(ended_ms, began_ms)} s"


def _parts(turn: Turn) -> Iterator[str]:
    yield from _ended(turn.caller_part)
    if turn.is_dictated:
        yield "dictated"
    if turn.fillers:
        yield "filler"
    if turn.reply:
        yield from _replied(turn.reply)
    yield from map(_tool, turn.tools)
    if turn.reply:
        yield from _interrupted(turn.reply)
    if turn.cut_off_for_ms is not None:
        yield f"caller cut off after {turn.cut_off_for_ms / 1000:.2f}"


def _ended(part: CallersPart) -> Iterator[str]:
    if part.end_reason == "typed":
        yield "typed"
    elif part.end_reason:
        is_graded = part.end_reason == "confidence" and part.end_confidence is not None
        sure = f" {part.end_confidence:.2f}" if is_graded else ""
        known = part.ended_ms is not None and part.decided_ms is not None
        after = f" after {_seconds(part.ended_ms, part.decided_ms)}" if known else ""
        yield f"ended by {part.end_reason.replace('_', ' ')}{sure}{after}"
    if part.held_for_ms:
        yield f"held back for {part.held_for_ms / 1000:.2f}"


def _replied(reply: Reply) -> Iterator[str]:
    for name, attempts in (("model", reply.llm), ("voice", reply.tts)):
        failed = [each.error for each in attempts if each.error]
        if failed:
            yield f"{name} failed: {', '.join(failed)}"
    if reply.asked_ms is not None and reply.first_token_ms is not None:
        yield f"model {_seconds(reply.asked_ms, reply.first_token_ms)} (first token)"
    begun_ms = reply.first_token_ms if reply.first_clause_ms is None else reply.first_clause_ms
    if begun_ms is not None and reply.first_audio_ms is not None:
        yield f"voice {_seconds(begun_ms, reply.first_audio_ms)}"
    if reply.preemptive == "used":
        yield "preemptive used"
    if reply.preemptive_wasted:
        yield f"preemptive thrown away: {reply.preemptive_wasted}"


def _tool(tool: Tool) -> str:
    took = "" if tool.ended_ms is None else f" {_seconds(tool.started_ms, tool.ended_ms)}"
    return f"tool {tool.tool}{took}" + ("" if tool.outcome == "ok" else f" ({tool.outcome})")


def _interrupted(reply: Reply) -> Iterator[str]:
    for each in reply.interruptions:
        if each.outcome == "true":
            yield f"interrupted by {each.by}"
        elif each.resumed_ms is not None:
            yield f"false barge-in, went on after {_seconds(each.at_ms, each.resumed_ms)}"


def _seconds(from_ms: int | None, until_ms: int | None) -> str:
    return f"{((until_ms or 0) - (from_ms or 0)) / 1000:.2f}"
