"""A turn is read as its messages say, whatever was read before, and its old words are read once."""

import json
import random
from typing import Any

import pytest

from stt_assemblyai import long_turns, messages
from stt_assemblyai.long_turns import TurnReader
from stt_assemblyai.messages import Turn, Unknown, decode


def word(number: int, *, final: bool = True, text: str | None = None) -> dict[str, Any]:
    said = f'w{number} "}},{{' if text is None else text  # what could be taken for the list's end
    return {
        "start": 400 * number,
        "end": 400 * number + 300,
        "text": said,
        "confidence": 0.9,
        "word_is_final": final,
    }


def frame(words: list[dict[str, Any]], order: int = 0, **fields: Any) -> str:
    said = " ".join(each["text"] for each in words if each["word_is_final"])
    turn = {"turn_order": order, "transcript": said, "words": words, "end_of_turn": False}
    return json.dumps(turn | fields | {"type": "Turn"}, separators=fields.pop("separators", None))


def growing(count: int) -> list[str]:
    """A turn that grows by a word a message; the newest one may still change."""
    return [
        frame([word(n) for n in range(size)] + [word(size, final=False)]) for size in range(count)
    ]


def read_all(frames: list[str]) -> list[Any]:
    reader = TurnReader()
    return [reader.read(each, []) for each in frames]


def test_every_message_is_read_as_it_is_alone() -> None:
    frames = [*growing(60), frame([word(n) for n in range(60)], end_of_turn=True)]
    frames += [each.replace('"turn_order": 0', '"turn_order": 1') for each in growing(30)]
    assert read_all(frames) == [decode(each) for each in frames]


@pytest.mark.parametrize("seed", range(20))
def test_so_it_is_if_messages_change_in_any_way(seed: int) -> None:
    draw = random.Random(seed)
    frames = []
    for each in growing(50):
        fields = json.loads(each)
        if draw.random() < 0.2:
            fields["words"][draw.randrange(len(fields["words"]))]["text"] = draw.choice(["", "x"])
        if draw.random() < 0.1:
            fields["words"] = fields["words"][draw.randrange(3) :]
        if draw.random() < 0.1:
            fields["words"].append(word(99) | {"start": "soon"})
        if draw.random() < 0.1:
            fields["later"] = {"words": fields["words"]}
        if draw.random() < 0.1:
            fields = {"type": "SpeakerRevision", "revisions": [fields | {"type": None}]}
        frames.append(draw.choice([each, json.dumps(fields), "{", '{"words": [], "type": 3}']))
    reader = TurnReader()
    for each in frames:
        faults: list[Unknown] = []
        expected: list[Unknown] = []
        assert reader.read(each, faults) == decode(each, expected)
        assert faults == expected


def test_a_frame_of_bytes_is_read_too() -> None:
    text = growing(3)[2]
    assert TurnReader().read(text.encode(), []) == decode(text)


def test_an_old_message_with_the_same_words_and_a_broken_rest_is_read_as_far_as_it_can_be() -> None:
    frames = growing(40)
    broken = frames[30].replace('"turn_order": 0', '"turn_order": "none"')
    assert read_all([*frames, broken])[-1] == decode(broken)
    other = frames[30].replace('"type": "Turn"', '"type": "Silence"')
    assert read_all([*frames, other])[-1] == decode(other)


def test_the_old_words_of_a_long_turn_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    def count(text: str) -> Any:
        nonlocal read
        message = messages.decode_exactly(text)
        read += len(message.words) if isinstance(message, Turn) else 0
        return message

    monkeypatch.setattr(long_turns, "decode_exactly", count)
    frames = growing(400)
    turns = read_all(frames)
    assert len(turns[-1].words) == 400
    assert read < 400 * 12, "of 80200 words in all messages"
    kept = turns[-2].words
    assert all(one is other for one, other in zip(kept[:380], turns[-1].words, strict=False))
