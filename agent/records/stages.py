"""Where a turn's time went: the stages from the end of the caller's voice to the reply's sound."""

import itertools
from dataclasses import dataclass
from typing import Literal

from agent.records.schema import Turn

Key = Literal[
    "stt", "end_of_turn", "hold", "commit", "llm", "clause", "tts", "playout", "tool", "between"
]
NAMES: dict[Key, str] = {
    "stt": "STT, last word final",
    "end_of_turn": "End of turn (endpointing)",
    "hold": "Held back (second opinion)",
    "commit": "Taken over by the session (commit)",
    "llm": "LLM, first token",
    "clause": "LLM, first clause",
    "tts": "TTS, first byte",
    "playout": "Playout",
    "tool": "Tool",
    "between": "In between",
}
USUAL_MS: dict[Key, int] = {
    "stt": 300,
    "end_of_turn": 400,
    "hold": 0,
    "commit": 300,
    "llm": 700,
    "clause": 250,
    "tts": 500,
    "playout": 150,
    "tool": 300,
    "between": 100,
}
"""What each stage takes where nothing is wrong, and no more: what exceeds it is the cause of a long
wait. From docs/latency.md, with room for real providers, whose first token and first byte come
later than those of stand-ins; `commit` may wait for the formatted text (300 ms by default)."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a turn, in milliseconds of the call."""

    key: Key
    begins_ms: int
    ends_ms: int
    name: str = ""
    """A tool's name."""

    @property
    def lasts_ms(self) -> int:
        """How long it took."""
        return self.ends_ms - self.begins_ms


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a caller's wait was spent in a stage and in no earlier one."""

    key: Key
    ms: int
    name: str = ""
    """A tool's name."""

    @property
    def excess_ms(self) -> int:
        """By how much it exceeds the usual."""
        return self.ms - USUAL_MS[self.key]


def voice_ended_ms(turn: Turn) -> int | None:
    """When the caller's wait began: the end of the voice, or of the typing."""
    part = turn.caller_part
    if part.end_reason == "typed":
        return part.committed_ms
    for known in (part.ended_ms, part.last_word_final_ms, part.decided_ms, part.committed_ms):
        if known is not None:
            return known
    return None


def wait_ms(turn: Turn) -> int | None:
    """How long the caller waited for the first sound of the reply. None for what the agent says by
    itself, and where there was no sound."""
    begins, reply = voice_ended_ms(turn), turn.reply
    if turn.origin != "caller" or begins is None or reply is None or reply.first_sound_ms is None:
        return None
    return max(reply.first_sound_ms - begins, 0)


def stages(turn: Turn) -> list[Stage]:
    """What is known of a turn, in the order of the pipeline. A preemptive reply overlaps with the
    stages before it."""
    part, found = turn.caller_part, list[Stage]()

    def add(key: Key, begins: int | None, ends: int | None, name: str = "") -> None:
        if begins is not None and ends is not None and ends > begins:
            found.append(Stage(key, begins, ends, name))

    heard = latest(part.ended_ms, part.last_word_final_ms)
    released = None if part.decided_ms is None else part.decided_ms + (part.held_for_ms or 0)
    add("stt", part.ended_ms, part.last_word_final_ms)
    add("end_of_turn", heard, part.decided_ms)
    add("hold", part.decided_ms, released)
    add("commit", released, part.committed_ms)
    for tool in turn.tools:
        add("tool", tool.started_ms, tool.ended_ms, tool.tool)
    if reply := turn.reply:
        add("llm", reply.asked_ms, reply.first_token_ms)
        add("clause", reply.first_token_ms, reply.first_clause_ms)
        add("tts", latest(reply.first_token_ms, reply.first_clause_ms), reply.first_audio_ms)
        add("playout", reply.first_audio_ms, reply.first_sound_ms)
    return found


def latest(*moments: int | None) -> int | None:
    """The latest of those that are known."""
    return max((each for each in moments if each is not None), default=None)


def shares(turn: Turn) -> list[Share]:
    """The caller's wait, divided among the stages: each millisecond belongs to the first stage of
    the pipeline that had not ended then. Empty without a wait."""
    wait, begins = wait_ms(turn), voice_ended_ms(turn)
    if wait is None or begins is None:
        return []
    known, ends = stages(turn), begins + wait
    edges = {begins, ends, *(each.begins_ms for each in known), *(each.ends_ms for each in known)}
    marks = sorted(each for each in edges if begins <= each <= ends)
    spent: dict[tuple[Key, str], int] = {}
    for start, stop in itertools.pairwise(marks):
        stage = next((each for each in known if each.begins_ms <= start < each.ends_ms), None)
        key: tuple[Key, str] = (stage.key, stage.name) if stage else ("between", "")
        spent[key] = spent.get(key, 0) + stop - start
    return [Share(key, ms, name) for (key, name), ms in spent.items()]
