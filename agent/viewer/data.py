"""What the page of a call shows, as plain values: `page.js` has the same names."""

from dataclasses import asdict
from statistics import median
from typing import Any

from agent.records.oddities import oddities
from agent.records.read import RecordedCall
from agent.records.schema import (
    AgentChanged,
    AnyLine,
    Attempt,
    Consent,
    Formatted,
    HandedOver,
    Interruption,
    Overlap,
    PresetChanged,
    ProviderFailed,
    Reply,
    Said,
    SttSession,
    Tool,
    Turn,
    Word,
)
from agent.records.slow_replies import causes, slow_from_ms
from agent.records.stages import NAMES, Share, stages, voice_ended_ms, wait_ms
from agent.records.words import END_REASONS, ENDINGS, PROVIDERS, error_in_words
from agent.viewer.glossary import GLOSSARY

Data = dict[str, Any]


def page_data(call: RecordedCall) -> Data:
    """All that the page needs but the sound. Times are milliseconds since the call began."""
    first, end = call.first, call.end
    texts = _texts(call)
    slow_ms = slow_from_ms(call.turns)
    turns = [_turn(turn, causes(turn, slow_ms), texts) for turn in call.turns]
    waits = [(turn["wait"], turn["index"]) for turn in turns if turn["wait"] is not None]
    slowest = max(waits, default=None)
    return {
        "name": call.name,
        "room": first.room or first.room_sid,
        "caller": first.caller,
        "startedAt": call.started_at,
        "lastsMs": _length_ms(call),
        "ending": _ending(call),
        "waitedMs": first.waited_for_ms,
        "medianMs": round(median(wait for wait, _ in waits)) if waits else None,
        "slowest": slowest and {"ms": slowest[0], "turn": slowest[1]},
        "cost": end and end.cost and {**end.cost.model_dump(), "total": end.cost.total},
        "usage": end and end.usage and end.usage.model_dump(),
        "oddities": [asdict(each) for each in oddities(call)],
        "turns": [_slim(each) for each in turns],
        "names": NAMES,
        "glossary": GLOSSARY,
        "reasons": END_REASONS,
        "beside": _beside(call, {turn.index for turn in call.turns}),
        "sessions": [each.model_dump(exclude={"kind"}) for each in call.every(SttSession)],
        "events": _events(call),
        "settings": {name: str(value) for name, value in sorted(first.settings.items())},
        "about": _about(call),
    }


def _ending(call: RecordedCall) -> str:
    if call.end is None:
        return "without an end: the agent died, or the call goes on"
    return ENDINGS.get(call.end.ending, call.end.ending)


def _length_ms(call: RecordedCall) -> int:
    """The call's length; at least until the last word."""
    last = [call.seconds * 1000]
    for turn in call.turns:
        reply = turn.reply or Reply()
        last += [each for each in (voice_ended_ms(turn), reply.ended_ms) if each is not None]
        last += [word.end_ms for word in (*turn.caller_part.words, *reply.words)]
    return round(max(last))


def _about(call: RecordedCall) -> dict[str, str]:
    first = call.first
    known = {
        "Room SID": first.room_sid,
        "Job": first.job_id,
        "Worker": first.worker,
        "Agent": first.agent_name,
        "Record": call.path.name,
        "Unreadable lines": str(call.unread or ""),
    }
    return {name: value for name, value in known.items() if value}


def _texts(call: RecordedCall) -> dict[tuple[int, str], str]:
    """What was said in each turn by each side, formatted; without what has a mark."""
    said: list[tuple[Said, str]] = []
    for line in call.lines:
        if isinstance(line, Said):
            said.append((line, line.text))
        elif isinstance(line, Formatted):
            for index in reversed(range(len(said))):
                who, text = said[index]
                if who.role == "user" and f" {text}".endswith(f" {line.replaces}"):
                    said[index] = (who, text.removesuffix(line.replaces) + line.text)
                    break
    texts: dict[tuple[int, str], str] = {}
    for who, text in said:
        if who.turn is not None and not who.mark:
            before = texts.get((who.turn, who.role))
            texts[who.turn, who.role] = f"{before} {text}" if before else text
    return texts


def _beside(call: RecordedCall, known: set[int]) -> list[Data]:
    """What was said and is in no turn: kept with a mark, or of an agent that died."""
    return [
        {
            "at": round((line.at - call.started_at) * 1000),
            "role": line.role,
            "name": line.name or line.speaker,
            "text": line.text,
            "mark": line.mark,
        }
        for line in call.every(Said)
        if line.mark or line.turn is None or line.turn not in known
    ]


def _turn(turn: Turn, slow: list[Share], texts: dict[tuple[int, str], str]) -> Data:
    part, reply = turn.caller_part, turn.reply
    said, answer = part.words, reply.words if reply else []
    begins = voice_ended_ms(turn)
    return {
        "index": turn.index,
        "origin": turn.origin,
        "speaker": turn.speaker,
        "preset": turn.preset,
        "isDictated": turn.is_dictated,
        "said": texts.get((turn.index, "user")) or _joined(said),
        "answer": texts.get((turn.index, "assistant")) or _joined(answer),
        "saidWords": _words(said),
        "answerWords": _words(answer),
        "startedMs": part.started_ms,
        "endedMs": begins,
        "decidedMs": part.decided_ms,
        "formattedMs": part.formatted_ms,
        "committedMs": part.committed_ms,
        "wait": wait_ms(turn),
        "stages": [
            [each.key, each.begins_ms, each.ends_ms, *([each.name] if each.name else [])]
            for each in stages(turn)
        ],
        "blamed": [f"{each.key} {each.name}".strip() for each in slow],
        "reason": part.end_reason,
        "confidence": part.end_confidence,
        "heldMs": part.held_for_ms,
        "cutOffMs": turn.cut_off_for_ms,
        "fillers": [each.at_ms for each in turn.fillers],
        "tools": [_tool(each) for each in turn.tools],
        "reply": reply and _slim(_reply(reply)),
    }


def _reply(reply: Reply) -> Data:
    return {
        "soundMs": reply.first_sound_ms,
        "endedMs": reply.ended_ms,
        "preemptive": reply.preemptive,
        "wasted": reply.preemptive_wasted,
        "llm": [_attempt(each) for each in reply.llm],
        "tts": [_attempt(each) for each in reply.tts],
        "promptTokens": reply.prompt_tokens,
        "cachedTokens": reply.cached_tokens,
        "completionTokens": reply.completion_tokens,
        "characters": reply.tts_characters,
        "interruptions": [_interruption(each) for each in reply.interruptions],
    }


def _slim(values: Data) -> Data:
    """Only what there is: `page.js` knows what is missing. A long call needs half the bytes."""
    return {
        key: each
        for key, each in values.items()
        if each is not None and each is not False and each != []
    }


def _attempt(attempt: Attempt) -> Data:
    return {
        "provider": attempt.provider,
        "tookMs": attempt.took_for_ms,
        "error": error_in_words(attempt.error) if attempt.error else None,
    }


def _interruption(each: Interruption) -> Data:
    return {
        "at": each.at_ms,
        "by": each.by,
        "isFalse": each.outcome == "false",
        "resumedMs": each.resumed_ms,
        "words": _joined(each.words),
    }


def _tool(tool: Tool) -> Data:
    return {
        "tool": tool.tool,
        "at": tool.started_ms,
        "endedMs": tool.ended_ms,
        "outcome": tool.outcome,
        "error": tool.error,
    }


def _words(words: list[Word]) -> list[str | list[int]]:
    """All texts as one, and for each word how long after the last one it began, and how long it
    took: a long call needs a third of the bytes. Empty without words."""
    if not words:
        return []
    times: list[int] = []
    at_ms = 0
    for each in words:
        times += [each.start_ms - at_ms, each.end_ms - each.start_ms]
        at_ms = each.end_ms
    return [" ".join(each.text.replace(" ", "\u00a0") for each in words), times]


def _joined(words: list[Word]) -> str:
    return " ".join(each.text for each in words)


def _events(call: RecordedCall) -> list[Data]:
    """What happened beside the turns, with its time, in order."""
    found = [event for line in call.lines if (event := _event(line, call)) is not None]
    return sorted(found, key=lambda each: each["at"])


def _event(line: AnyLine, call: RecordedCall) -> Data | None:
    at = round((line.at - call.started_at) * 1000)
    match line:
        case ProviderFailed(provider=provider, error=error):
            text = f"{PROVIDERS[provider]}: {error_in_words(error)}"
            told = {"kind": "Provider failed", "text": text, "waitMs": line.wait_for_ms}
        case PresetChanged(preset=preset, is_dictated=is_dictated):
            told = {"kind": "Preset", "text": preset + (", dictation" if is_dictated else "")}
        case Overlap(taken_for=taken_for, is_right=is_right):
            wrong = "" if is_right else ", wrongly"
            told = {"kind": "Speech over the agent", "text": f"taken for {taken_for}{wrong}"}
        case AgentChanged(agent=agent):
            told = {"kind": "Another agent answers", "text": agent}
        case Consent(answer=answer):
            told = {"kind": "Consent to the recording", "text": answer}
        case HandedOver():
            told = {"kind": "Handed over", "text": "a person took the agent's place"}
        case _:
            return None
    return {"at": getattr(line, "at_ms", at), **told}
