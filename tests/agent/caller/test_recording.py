"""Recordings of any kind become a caller's sound, and what cannot is said in a sentence."""

import wave
from pathlib import Path

import numpy as np
import pytest

from agent.caller import recording
from agent.caller.microphone import SAMPLE_RATE
from agent.caller.recording import (
    EDGE_SECONDS,
    QUESTION_TEXT,
    RecordingError,
    question,
    read,
    write,
)


def stereo(path: Path, rate: int, seconds: float = 0.5) -> Path:
    """A tone on the left, silence on the right."""
    times = np.arange(round(rate * seconds)) / rate
    both = np.zeros((times.size, 2), "<i2")
    both[:, 0] = 8000 * np.sin(2 * np.pi * 440 * times)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(both.tobytes())
    return path


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
def test_a_file_of_any_rate_becomes_mono_at_48_khz(tmp_path: Path, rate: int) -> None:
    said = read(stereo(tmp_path / "a.wav", rate))
    assert said.seconds == pytest.approx(0.5, abs=0.01)
    assert 2000 < np.abs(said.samples).max() < 8000
    assert (said.text, said.source) == ("", "a.wav")


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.wav"
    sound = np.arange(-1000, 1000, dtype=np.int16)
    write(path, sound)
    assert (read(path).samples == sound).all()


def test_the_question_is_there_and_its_text_is_known() -> None:
    asked = question()
    assert asked.text == QUESTION_TEXT
    assert 1 < asked.seconds < 4


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.wav", None, "cannot be read"),
        ("text.wav", b"hello", "holds no sound that can be read"),
        ("empty.wav", b"", "holds no sound that can be read"),
    ],
)
def test_a_file_without_sound_is_said_in_a_sentence(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecordingError, match=f"{name} {said}"):
        read(path)


def test_a_file_that_has_a_head_and_no_sound_is_none(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="holds no s"):
        read(stereo(tmp_path / "a.wav", 8000, seconds=0))


def test_silence_about_a_voice_is_left_out_and_silence_alone_is_refused(tmp_path: Path) -> None:
    voice = read(stereo(tmp_path / "voice.wav", SAMPLE_RATE)).samples
    silence = np.zeros(SAMPLE_RATE, np.int16)
    write(tmp_path / "long.wav", np.concatenate([silence, voice, silence]))
    edges = 2 * EDGE_SECONDS
    assert read(tmp_path / "long.wav").seconds == pytest.approx(0.5 + edges, abs=0.02)
    write(tmp_path / "silent.wav", silence)
    with pytest.raises(RecordingError, match="it is silent"):
        read(tmp_path / "silent.wav")


def test_a_folder_and_a_file_that_is_too_long_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        read(tmp_path)
    monkeypatch.setattr(recording, "LONGEST_SECONDS", 0.1)
    with pytest.raises(RecordingError, match=r"longer than 0\.1 s"):
        read(stereo(tmp_path / "a.wav", SAMPLE_RATE))


def test_a_place_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot be written"):
        write(tmp_path / "file" / "a.wav", np.zeros(1, np.int16))
