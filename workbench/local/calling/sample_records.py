"""Records of calls that nobody held, for tests and pictures: made of the schema's own models."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.records.schema import (
    Attempt,
    Call,
    CallersPart,
    Cost,
    End,
    Filler,
    Formatted,
    Interruption,
    Line,
    Overlap,
    PresetChanged,
    ProviderFailed,
    Reply,
    Said,
    SttSession,
    Tool,
    Turn,
    Usage,
    Word,
)

BEGAN = 1_790_000_000.0
"""When a sample call began, in unix seconds."""
SPOKEN_MS = 280
"""How long a word takes."""
TOOK_MS = {
    "stt": 110,
    "end": 170,
    "commit": 20,
    "llm": 310,
    "clause": 60,
    "tts": 160,
    "playout": 20,
}
"""How long each stage of a turn takes, in their order."""
MOMENTS = ("ended", "final", "decided", "asked", "token", "clause", "audio", "sound")
"""What they lie between."""


def words(text: str, begins_ms: int) -> list[Word]:
    """A text as words at an even pace."""
    return [
        Word(text=each, start_ms=at, end_ms=at + SPOKEN_MS - 40)
        for index, each in enumerate(text.split())
        for at in [begins_ms + SPOKEN_MS * index]
    ]


def call(**given: Any) -> Call:
    """The first line of a call."""
    usual = {
        "at": BEGAN,
        "room": "support-17",
        "room_sid": "RM_7yq3nd",
        "caller": "+15550100",
        "job_id": "AJ_4f2a",
        "worker": "worker-1",
        "agent_name": "receptionist",
        "waited_for_ms": 640,
        "settings": {
            "AGENT_BARGE_IN": "balanced",
            "AGENT_DICTATION_PAUSE_MS": 1600,
            "AGENT_TURN_PRESET": "seed",
            "OPENAI_FALLBACK_LLM_MODEL": "gpt-4o-mini",
            "OPENAI_LLM_MODEL": "gpt-4.1-mini",
        },
    }
    return Call.model_validate({**usual, **given})


def turn(index: int, begins_ms: int, said: str, answer: str, **delays: Any) -> Turn:
    """A turn whose voice begins then. `delays` are milliseconds of a stage (`stt`, `end`, `commit`,
    `llm`, `clause`, `tts`, `playout`), or fields of the turn, its `part` and its `reply`."""
    took = {key: delays.pop(key, usual) for key, usual in TOOK_MS.items()}
    heard = words(said, begins_ms)
    ended = heard[-1].end_ms if heard else begins_ms
    # Each moment follows the one before.
    moments = itertools.accumulate(took.values(), initial=ended)
    at = dict(zip(MOMENTS, moments, strict=True))
    spoken = words(answer, at["sound"])
    part = _part(begins_ms, at) | {"words": heard} | delays.pop("part", {})
    reply = {
        **_reply(at, took),
        "ended_ms": spoken[-1].end_ms if spoken else at["sound"],
        "prompt_tokens": 640 + 40 * index,
        "tts_characters": len(answer),
        "words": spoken,
    } | delays.pop("reply", {})
    return Turn(
        at=BEGAN + (spoken[-1].end_ms if spoken else at["sound"]) / 1000,
        index=index,
        origin=delays.pop("origin", "caller"),
        preset=delays.pop("preset", "seed"),
        caller_part=CallersPart.model_validate(part),
        reply=Reply.model_validate(reply),
        **delays,
    )


def _part(begins_ms: int, at: dict[str, int]) -> dict[str, Any]:
    return {
        "started_ms": begins_ms,
        "ended_ms": at["ended"],
        "last_word_final_ms": at["final"],
        "decided_ms": at["decided"],
        "end_reason": "confidence",
        "end_confidence": 0.86,
        "formatted_ms": at["decided"] + 150,
        "committed_ms": at["asked"],
    }


def _reply(at: dict[str, int], took: dict[str, int]) -> dict[str, Any]:
    return {
        "asked_ms": at["asked"],
        "first_token_ms": at["token"],
        "first_clause_ms": at["clause"],
        "first_audio_ms": at["audio"],
        "first_sound_ms": at["sound"],
        "llm": [Attempt(provider="api.openai.com/gpt-4.1-mini", took_for_ms=took["llm"])],
        "tts": [Attempt(provider="api.openai.com/gpt-4o-mini-tts", took_for_ms=took["tts"])],
        "cached_tokens": 512,
        "completion_tokens": 24,
    }


def greeting(text: str = "Hello, this is Alex. How can I help you?") -> Turn:
    """The first turn of a call."""
    spoken = words(text, 420)
    return Turn(
        at=BEGAN + spoken[-1].end_ms / 1000,
        index=1,
        origin="greeting",
        reply=Reply(first_sound_ms=420, ended_ms=spoken[-1].end_ms, words=spoken),
    )


def said_in(each: Turn) -> list[Line]:
    """What both sides said in a turn, as lines."""
    parts = [
        ("user", each.caller_part.words),
        ("assistant", each.reply.words if each.reply else []),
    ]
    return [
        Said.model_validate(
            {
                "at": each.at,
                "role": role,
                "text": " ".join(word.text for word in spoken),
                "turn": each.index,
            }
        )
        for role, spoken in parts
        if spoken
    ]


def end(seconds: float, ending: str = "caller_left") -> End:
    """The last line."""
    usage = Usage(
        stt_billed_seconds=seconds,
        prompt_tokens=4200,
        cached_tokens=3100,
        completion_tokens=160,
        tts_characters=620,
    )
    cost = Cost(stt=0.0025, llm=0.0019, tts=0.0074)
    return End(at=BEGAN + seconds, ending=ending, seconds=seconds, usage=usage, cost=cost)


def healthy(turns: int = 6) -> list[Line]:
    """A call without anything odd."""
    lines: list[Line] = [call(), greeting(), *said_in(greeting())]
    at = 4500
    for index in range(2, turns + 1):
        one = turn(index, at, "Could you tell me when you open", "We open at nine every morning.")
        lines += [*said_in(one), one]
        at += 6000
    return [*lines, SttSession(at=BEGAN, reason="start", billed_seconds=at / 1000), end(at / 1000)]


def _slow() -> Turn:
    """The language model is limited in its rate, and the fallback is slow."""
    return turn(
        3,
        11_200,
        "and can I bring my dog with me",
        "Dogs are welcome on the terrace, and there is water for them.",
        llm=2620,
        reply={
            "llm": [
                Attempt(
                    provider="api.openai.com/gpt-4.1-mini", took_for_ms=240, error="rate_limit"
                ),
                Attempt(provider="api.openai.com/gpt-4o-mini", took_for_ms=2090),
            ]
        },
    )


def _noise() -> Turn:
    """A noise interrupts the agent."""
    return turn(
        4,
        21_000,
        "what is on the menu tonight",
        "Tonight there is roast salmon, a risotto with peas, and a lentil curry.",
        reply={
            "interruptions": [
                Interruption(at_ms=24_900, by="voice", outcome="false", resumed_ms=25_800)
            ]
        },
    )


def _tool() -> Turn:
    """A tool takes long."""
    return turn(
        5,
        33_000,
        "book a table for two at eight please",
        "Your table for two is booked for eight o'clock.",
        llm=4900,
        tools=[Tool(tool="book_table", started_ms=36_000, ended_ms=39_900)],
        fillers=[Filler(at_ms=38_560)],
    )


def _number() -> Turn:
    """The caller gives a number, and is cut off."""
    return turn(
        6,
        47_000,
        "my number is five five five zero one",
        "Thank you, five five five",
        cut_off_for_ms=640,
        part={"end_confidence": 0.71},
        reply={
            "interruptions": [
                Interruption(
                    at_ms=50_800, by="words", outcome="true", words=words("two seven", 50_600)
                )
            ]
        },
    )


def eventful() -> list[Line]:
    """A call in which much is odd, for the picture of the page."""
    rest = turn(7, 51_600, "zero two seven", "Thank you. I have your number. See you tonight!")
    second = turn(2, 4600, "do you have a table tonight", "Yes, we have tables from six o'clock.")
    lines: list[Line] = [call(), *said_in(greeting()), greeting()]
    for one in (second, _slow(), _noise(), _tool(), _number(), rest):
        lines += [*said_in(one), one]
    return [
        *lines,
        Formatted(at=BEGAN, replaces="zero two seven", text="027."),
        Said(at=BEGAN + 26, role="user", text="mhm", mark="backchannel"),
        Overlap(at=BEGAN + 26, at_ms=26_000, taken_for="backchannel", is_right=True),
        PresetChanged(at=BEGAN + 46, at_ms=46_000, preset="seed", is_dictated=True),
        ProviderFailed(
            at=BEGAN + 34, at_ms=34_000, provider="stt", error="NetworkError", wait_for_ms=250
        ),
        SttSession(at=BEGAN + 34, reason="start", billed_seconds=34.0),
        SttSession(
            at=BEGAN + 56,
            reason="NetworkError",
            billed_seconds=22.0,
            audio_sent_seconds=22.6,
            audio_resent_seconds=0.8,
        ),
        end(56.4),
    ]


def write(path: Path, lines: Sequence[Line]) -> Path:
    """A record with these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line.model_dump_json(exclude_none=True) + "\n" for line in lines))
    return path
