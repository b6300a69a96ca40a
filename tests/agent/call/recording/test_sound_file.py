"""Both sides of a call in one file, at the times at which they sounded."""

import os
from pathlib import Path

import numpy as np
import pytest
from livekit import rtc

from agent.call.recording.opus_file import RATE
from agent.call.recording.sound_file import (
    CALLER,
    CALLER_RATE,
    MOST_FILES,
    Cut,
    Sounded,
    SoundFile,
    new_file,
)
from agent.caller.speech_energy import Span
from workbench.local.calling.kept_sound import sides

AGENT, FILLER = 1, 2
BLUR = 0.06  # seconds: the codec's, and the detector's


def frame(seconds: float, rate: int = RATE, channels: int = 1) -> rtc.AudioFrame:
    size = round(seconds * rate)
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(size) / rate)
    data = np.repeat(tone.astype(np.int16), channels).tobytes()
    return rtc.AudioFrame(data, rate, channels, size)


def near(*spans: tuple[float, float]) -> list[Span]:
    return [pytest.approx(Span(*each), abs=BLUR) for each in spans]  # type: ignore[misc]


def file_at(tmp_path: Path) -> tuple[Path, SoundFile]:
    path, descriptor = new_file(tmp_path / "RM_1.jsonl")
    return path, SoundFile(descriptor)


def times(spans: list[Span]) -> list[float]:
    return [each for span in spans for each in (span.start_seconds, span.end_seconds)]


def test_each_side_sounds_when_it_did(tmp_path: Path) -> None:
    path, file = file_at(tmp_path)
    for step in range(20):
        file.write([Sounded(CALLER, 1 + step / 20, frame(0.05, CALLER_RATE))], step / 20)
    file.write([Sounded(AGENT, 3, frame(1)), Sounded(AGENT, 6, frame(1))], 2)
    file.write([Cut(AGENT, 6.5), Sounded(FILLER, 9, frame(0.5, 22_050, 2))], 8)
    file.write([], 10)
    file.close()
    caller, agent = sides(path)
    assert times(caller) == pytest.approx([1, 2], abs=BLUR)
    assert times(agent) == pytest.approx([3, 4, 6, 6.5, 9, 9.5], abs=BLUR)


def test_a_killed_process_leaves_what_was_written(tmp_path: Path) -> None:
    path, file = file_at(tmp_path)
    for second in range(20):
        file.write([Sounded(AGENT, second, frame(1))], second)
    assert sides(path)[1][-1].end_seconds > 18
    file.abandon()


def test_only_its_owner_may_read_it_and_the_next_agent_has_another(tmp_path: Path) -> None:
    record = tmp_path / "RM_1.jsonl"
    made = [new_file(record) for _ in range(3)]
    assert [path.name for path, _ in made] == ["RM_1.ogg", "RM_1.2.ogg", "RM_1.3.ogg"]
    assert made[0][0].stat().st_mode & 0o777 == 0o600
    for _, descriptor in made:
        os.close(descriptor)


def test_a_name_that_another_machine_has_used_in_this_call_is_not_used_again(
    tmp_path: Path,
) -> None:
    record = tmp_path / "RM_1.jsonl"
    record.write_text('{"kind": "audio", "at": 1.0, "file": "RM_1.ogg", "starts_ms": 3}\n')
    path, descriptor = new_file(record)
    os.close(descriptor)
    assert path.name == "RM_1.2.ogg"


def test_a_room_has_not_any_number_of_files(tmp_path: Path) -> None:
    record = tmp_path / "RM_1.jsonl"
    for _ in range(MOST_FILES):
        os.close(new_file(record)[1])
    with pytest.raises(FileExistsError):
        new_file(record)


def test_a_full_disk_is_told_and_the_file_is_closed() -> None:
    file = SoundFile(os.open("/dev/full", os.O_WRONLY))
    with pytest.raises(OSError, match="No space left"):
        file.write([Sounded(AGENT, 0, frame(5))], 5)
    with pytest.raises(OSError, match="Invalid argument"):  # of the encoder
        file.close()
    file.abandon()
