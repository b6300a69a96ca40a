"""The sound of a call: found beside its record, and drawn as loud as it was."""

import base64
import wave
from pathlib import Path

import numpy as np
import pytest

from agent.records.read import RecordedCall
from agent.records.schema import Audio, Call
from agent.viewer import sound
from agent.viewer.sound import PEAKS_PER_SECOND, Sound, peaks, shown, sounds_of

RATE = 16_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two seconds: the caller is loud in the first, the agent half as loud in the second."""
    tone = (20_000 * np.sin(np.arange(RATE) / 5)).astype("<i2")
    silence = np.zeros(RATE, "<i2")
    left, right = np.concatenate([tone, silence]), np.concatenate([silence, tone // 2])
    with wave.open(str(tmp_path / "RM_1.wav"), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(np.stack([left, right], axis=1).tobytes())
    return tmp_path / "RM_1.wav"


def call(folder: Path, name: str) -> RecordedCall:
    return RecordedCall(folder / "RM_1.jsonl", (Call(), Audio(file=name, starts_ms=40)))


def test_a_file_beside_the_record_is_its_sound(file: Path) -> None:
    assert sounds_of(call(file.parent, "RM_1.wav")) == [Sound(file, 40)]
    assert sounds_of(call(file.parent, "gone.wav")) == []
    assert sounds_of(RecordedCall(file, (Call(),))) == []


def test_a_second_agent_has_a_file_of_its_own(file: Path) -> None:
    second = file.with_name("RM_1.2.wav")
    second.write_bytes(b"RIFF")
    lines = (Call(), Audio(file=second.name, starts_ms=9000), Audio(file=file.name, starts_ms=0))
    found = sounds_of(RecordedCall(file.with_suffix(".jsonl"), lines))
    assert found == [Sound(file, 0), Sound(second, 9000)]


def test_a_record_cannot_name_a_file_elsewhere(file: Path) -> None:
    inner = file.parent / "inner"
    inner.mkdir()
    assert sounds_of(call(inner, "../RM_1.wav")) == []


def test_a_name_that_no_file_can_have_is_no_sound(file: Path) -> None:
    assert sounds_of(call(file.parent, "x" * 5000)) == []
    assert sounds_of(call(file.parent, "a\0b")) == []


def test_each_side_is_as_loud_as_it_was(file: Path) -> None:
    caller, agent = (np.frombuffer(side, np.uint8) for side in peaks(file))
    second = PEAKS_PER_SECOND
    assert len(caller) == len(agent) == pytest.approx(2 * second, abs=1)
    assert caller[1 : second - 1].min() > 230
    assert caller[second + 2 :].max() < 10
    assert agent[: second - 1].max() < 10
    assert agent[second + 2 : -1].min() == pytest.approx(127, abs=15)


def test_of_a_long_call_only_the_first_part_is_drawn(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound, "MOST_PEAKS", 10)
    assert [len(side) for side in peaks(file)] == [10, 10]


@pytest.mark.parametrize("content", [b"", b"no sound at all", b"OggS"])
def test_what_is_no_sound_is_drawn_as_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "RM_1.ogg"
    path.write_bytes(content)
    assert peaks(path) == []
    assert shown(Sound(path, 0), tmp_path)["peaks"] == []


def test_a_file_without_a_single_sample_is_drawn_as_words(tmp_path: Path) -> None:
    path = tmp_path / "RM_1.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
    assert peaks(path) == []


def test_a_page_is_told_where_its_sound_is(file: Path) -> None:
    odd = file.rename(file.with_name("a b#1.ogg"))
    told = shown(Sound(odd, 40), file.parent / "pages")
    assert told["link"] == "../a%20b%231.ogg"
    assert told["type"] == "audio/ogg"
    assert told["startsMs"] == 40
    assert len(base64.b64decode(told["peaks"][0])) == len(peaks(odd)[0])
