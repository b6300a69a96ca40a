"""A call's sound as it is taken and written, on a virtual clock."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livekit import rtc

from agent.call.recording.recorder import EVERY_SECONDS, Recorder, open_recorder
from agent.call.recording.sound_file import SoundFile, new_file
from workbench.local.calling.kept_sound import sides

pytestmark = pytest.mark.looptime

BLUR = 0.06


class AtOnce(Executor):
    """A thread that takes no time."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args, **options))
        except OSError as error:
            done.set_exception(error)
        return done


class Never(Executor):
    """A disk that hangs."""

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        return Future()


def recorder_in(folder: Path, thread: Executor | None = None) -> Recorder:
    path, descriptor = new_file(folder / "RM_1.jsonl")
    return Recorder(path, SoundFile(descriptor), thread or AtOnce())


def names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def frame(seconds: float, rate: int = 24_000) -> rtc.AudioFrame:
    size = round(seconds * rate)
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(size) / rate)
    return rtc.AudioFrame(tone.astype(np.int16).tobytes(), rate, 1, size)


async def test_both_sides_are_kept_at_their_times(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    voice = recorder.tap()
    await asyncio.sleep(1)
    for _ in range(20):
        await asyncio.sleep(0.05)
        recorder.hear(frame(0.05, 16_000))
    await asyncio.sleep(1)
    for _ in range(4):
        voice.play(frame(0.5))
    await asyncio.sleep(0.75)
    voice.cut()
    await asyncio.sleep(1)
    await recorder.aclose()
    caller, agent = sides(recorder.path)
    assert [caller[0].start_seconds, caller[-1].end_seconds] == pytest.approx([1, 2], abs=BLUR)
    assert [agent[0].start_seconds, agent[-1].end_seconds] == pytest.approx([3, 3.75], abs=BLUR)


async def test_what_has_sounded_is_in_the_file_a_second_later(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.tap().play(frame(20))
    await asyncio.sleep(20)
    assert sides(recorder.path)[1][-1].end_seconds > 18.7
    await recorder.aclose()
    assert sides(recorder.path)[1][-1].end_seconds == pytest.approx(20, abs=BLUR)


async def test_voices_that_sound_at_once_are_both_heard(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    voice, filler = recorder.tap(), recorder.tap()
    voice.play(frame(3))
    filler.play(frame(1))
    filler.cut()
    await asyncio.sleep(4)
    await recorder.aclose()
    assert [each.end_seconds for each in sides(recorder.path)[1]] == pytest.approx([3], abs=BLUR)


async def test_a_full_disk_ends_the_recording_with_one_line(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    file = SoundFile(os.open("/dev/full", os.O_WRONLY))
    recorder = Recorder(tmp_path / "none", file, AtOnce())
    voice = recorder.tap()
    for _ in range(20):
        voice.play(frame(1))
        recorder.hear(frame(1, 16_000))
        await asyncio.sleep(1)
    await recorder.aclose()
    assert [each.message for each in caplog.records] == ["the call's sound is no longer recorded"]
    assert vars(caplog.records[0])["error"] == "No space left on device"


async def test_a_disk_that_hangs_ends_the_recording_and_keeps_nobody(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    recorder = recorder_in(tmp_path, Never())
    await asyncio.sleep(60)
    await recorder.aclose()
    assert len(caplog.records) == 1
    hanging = recorder_in(tmp_path, Never())
    await asyncio.sleep(EVERY_SECONDS / 2)
    await asyncio.wait_for(hanging.aclose(), 6)


async def test_a_recording_that_is_not_wanted_is_removed(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.tap().play(frame(1))
    await asyncio.sleep(3)
    assert recorder.path.stat().st_size
    await recorder.discard()
    await recorder.aclose()
    assert names(tmp_path) == []


async def test_a_file_that_cannot_be_made_costs_only_the_recording(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    assert open_recorder(tmp_path / "no" / "such" / "folder.jsonl") is None
    assert [each.message for each in caplog.records] == ["the call's sound is no longer recorded"]


async def test_a_real_thread_writes_it(tmp_path: Path) -> None:
    recorder = open_recorder(tmp_path / "RM_1.jsonl")
    assert recorder
    recorder.tap().play(frame(1))
    await recorder.discard()
    assert names(tmp_path) == []
