"""What was odd in a call: a sentence each, with the cause, the figure, and the setting to turn with
its value in the call."""

from collections.abc import Iterator

from agent.records import failures, interruptions
from agent.records.alike import together
from agent.records.attempts import advice, tries
from agent.records.in_force import setting, value
from agent.records.oddity import Oddity
from agent.records.read import RecordedCall
from agent.records.schema import Provider, Reply, SettingsRefused, Tool, Turn
from agent.records.slow_replies import (
    causes,
    end_of_turn_hint,
    slow_from_ms,
    slow_reply,
    tool_hint,
)
from agent.records.stages import Share, wait_ms
from agent.records.words import (
    END_REASONS,
    ENDINGS,
    GOOD_ENDINGS,
    PROVIDERS,
    attempts_in_words,
    duration,
    moment,
)

WAITED_FOR_AGENT_MS = 3000
"""A free agent is in the room within a second; later, callers wonder whether anybody comes."""
LATE_END_MS = 1500
"""An end of turn by silence that comes so late is odd even if the reply was then quick."""
LATE_FORMATTED_MS = 1000
"""The formatted text follows the end of the turn by 150 ms as a rule. After a second the reply is
on its way, made from the plain words."""
HELD_MS = 800
"""A second opinion that holds an end back for longer is felt."""
SLOW_TOOL_MS = 2000
"""As for a reply: the caller hears nothing meanwhile."""
VOICE_GAP_MS = 1000
"""A reply that lasts so much longer than its sound stood still in between."""
WASTED_SHARE, WASTED_LEAST = 0.25, 4
"""Preemptive replies that nobody heard cost money: `AGENT_EAGERNESS=full` may waste a quarter."""
_Found = Iterator[Oddity]


def oddities(call: RecordedCall) -> list[Oddity]:
    """All that was odd: what concerns the call first, then turn by turn. One cause is one of them,
    in however many turns it showed."""
    slow_ms = slow_from_ms(call.turns)
    slow = [(turn, causes(turn, slow_ms)) for turn in call.turns]
    deaf = [turn for turn, blamed in slow if failures.is_of_a_loss(turn, blamed, call)]
    found = [*_of_call(call), *failures.found(call, deaf), *interruptions.found(call)]
    told = {turn.index for turn in deaf}
    for turn, blamed in slow:
        found += _of_turn(turn, blamed, call, is_told=turn.index in told)
    return together(sorted(found, key=lambda each: each.turn or 0))


def _of_call(call: RecordedCall) -> _Found:
    waited_ms = call.first.waited_for_ms or 0
    if waited_ms >= WAITED_FOR_AGENT_MS:
        yield Oddity(
            "waited_for_agent",
            f"The caller waited {duration(waited_ms)} in the room for an agent: no worker had a "
            "place free, or none was running.",
            hint=setting(
                call.first,
                "AGENT_MAX_CALLS",
                "a worker takes so many calls at once; more workers take more",
            ),
        )
    for agent in call.agents[1:]:
        yield Oddity(
            "agent_replaced",
            f"The agent died, and another one went on at "
            f"{moment((agent.at - call.started_at) * 1000)}.",
            hint="The worker's log of that time says what ended its process.",
        )
    for refused in call.every(SettingsRefused):
        yield Oddity(
            "settings_refused",
            f"Settings that came with the call were refused: {'; '.join(refused.faults)}.",
            hint="docs/per-call.md says what a call may set.",
        )
    yield from _of_waste(call)
    yield from _of_end(call)


def _of_end(call: RecordedCall) -> _Found:
    if call.end is None:
        yield Oddity("no_end", "The record has no end: the agent died, or the call still goes on.")
    elif call.end.ending not in GOOD_ENDINGS:
        why = ENDINGS.get(call.end.ending, call.end.ending)
        yield Oddity("bad_ending", f"The call ended because {why}.")


def _of_waste(call: RecordedCall) -> _Found:
    replies = [turn.reply for turn in call.turns if turn.reply]
    wasted = sum(reply.preemptive_wasted for reply in replies)
    if wasted >= WASTED_LEAST and wasted > WASTED_SHARE * (wasted + len(replies)):
        yield Oddity(
            "wasted_replies",
            f"{wasted} preemptive replies were thrown away, beside {len(replies)} that were used.",
            hint=setting(call.first, "AGENT_EAGERNESS", "some or off begins fewer"),
        )


def _of_turn(turn: Turn, slow: list[Share], call: RecordedCall, *, is_told: bool) -> _Found:
    if slow and not is_told:
        said, hint = slow_reply(turn, slow, call)
        if slow[0].key in ("stt", "end_of_turn") and (loss := failures.loss_before(turn, call)):
            said, hint = said + loss, ""
        yield Oddity("slow_reply", f"Turn {turn.index} {said}", turn.index, hint)
    blamed = {each.key for each in slow}
    if "end_of_turn" not in blamed:
        yield from _of_ending(turn, call)
    yield from _of_formatting(turn, call)
    of_models: tuple[Provider, ...] = ("llm", "tts")
    for provider in of_models:
        if provider not in blamed:
            yield from _of_attempts(turn, provider, call)
    for tool in turn.tools:
        if "tool" not in blamed:
            yield from _of_tool(turn, tool, call)
    yield from _of_voice(turn)
    yield from _of_no_reply(turn, call)


def _of_ending(turn: Turn, call: RecordedCall) -> _Found:
    part = turn.caller_part
    late_ms = (part.decided_ms or 0) - (part.ended_ms or part.decided_ms or 0)
    is_late = part.end_reason in ("silence", "forced") and late_ms >= LATE_END_MS
    if part.end_reason and (is_late or part.end_reason in ("watchdog", "reconnect")):
        sure = "" if part.end_confidence is None else f" (confidence {part.end_confidence:.2f})"
        yield Oddity(
            "late_end",
            f"Turn {turn.index} ended {duration(late_ms)} after the caller stopped speaking: "
            f"{END_REASONS[part.end_reason]}{sure}.",
            turn.index,
            end_of_turn_hint(turn, call.first) if is_late else "",
        )
    if (part.held_for_ms or 0) >= HELD_MS:
        yield Oddity(
            "held_back",
            f"Turn {turn.index}'s end was held back by the second opinion for "
            f"{duration(part.held_for_ms or 0)}.",
            turn.index,
            setting(call.first, "AGENT_TURN_HOLD_MS", "it is not held back for longer"),
        )


def _of_formatting(turn: Turn, call: RecordedCall) -> _Found:
    part = turn.caller_part
    if part.formatted_ms is None or part.decided_ms is None:
        return
    late_ms = part.formatted_ms - part.decided_ms
    if late_ms < LATE_FORMATTED_MS:
        return
    has_waited = part.committed_ms is not None and part.committed_ms >= part.formatted_ms
    so = (
        "the turn waited for it"
        if has_waited
        else "the caller did not wait for it; the model read the words without capitals, digits "
        "and punctuation"
    )
    yield Oddity(
        "late_formatted",
        f"Turn {turn.index}'s formatted text came {duration(late_ms)} after the end of the turn, "
        f"for AssemblyAI sent it late: {so}.",
        turn.index,
        setting(
            call.first, "ASSEMBLYAI_WAIT_FOR_FORMATTED_MS", "it is the time a turn may wait for it"
        ),
    )


def _of_attempts(turn: Turn, provider: Provider, call: RecordedCall) -> _Found:
    told = attempts_in_words(tries(turn, provider))
    if told:
        waited = wait_ms(turn)
        so = "" if waited is None else f"; the caller waited {duration(waited)}"
        yield Oddity(
            "provider_failed",
            f"Turn {turn.index}: {PROVIDERS[provider]} failed ({told}){so}.",
            turn.index,
            advice(turn, provider, call.first),
        )


def _of_tool(turn: Turn, tool: Tool, call: RecordedCall) -> _Found:
    took = "" if tool.ended_ms is None else f" after {duration(tool.ended_ms - tool.started_ms)}"
    limit = value(call.first, "AGENT_TOOL_TIMEOUT_SECONDS")
    within = f"within its limit of {limit}" if limit else "within its limit"
    said = {
        "error": f"failed{took} ({tool.error or 'error'})",
        "timeout": f"gave no answer {within}, and was cancelled{took}",
        "cancelled": f"was cancelled{took}",
        "ok": f"took {took.removeprefix(' after ')}",
    }[tool.outcome]
    if tool.ended_ms is None:
        said = "had not come back when the turn was over"
    elif tool.outcome == "ok" and tool.ended_ms - tool.started_ms < SLOW_TOOL_MS:
        return
    yield Oddity(
        "tool",
        f"Turn {turn.index}: the tool {tool.tool} {said}.",
        turn.index,
        tool_hint(tool.tool, turn, call.first),
    )


def _of_voice(turn: Turn) -> _Found:
    reply = turn.reply or Reply()
    if reply.interruptions or None in (
        reply.first_sound_ms,
        reply.ended_ms,
        reply.tts_audio_for_ms,
    ):
        return
    lasted_ms = (reply.ended_ms or 0) - (reply.first_sound_ms or 0)
    gap_ms = lasted_ms - (reply.tts_audio_for_ms or 0)
    if gap_ms >= VOICE_GAP_MS:
        yield Oddity(
            "voice_gap",
            f"Turn {turn.index}'s reply stood still for {duration(gap_ms)} in between: its sound "
            "came more slowly than it was spoken.",
            turn.index,
            "Look at the attempts of the voice (TTS) and at the language model's speed.",
        )


def _of_no_reply(turn: Turn, call: RecordedCall) -> _Found:
    reply = turn.reply
    is_last = turn is call.turns[-1]
    if turn.origin == "caller" and not is_last and (reply is None or reply.first_sound_ms is None):
        yield Oddity(
            "no_reply",
            f"Turn {turn.index} got no reply that could be heard.",
            turn.index,
            "The caller went on speaking before it came, or a model failed.",
        )
