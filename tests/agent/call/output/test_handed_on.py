"""What was passed on, and is taken back."""

import numpy as np
import pytest
from livekit import rtc

from agent.call.output.handed_on import KEPT_SECONDS, HandedOn, joined

RATE = 1000


def frame(*samples: int, channels: int = 1) -> rtc.AudioFrame:
    data = np.array(samples, np.int16)
    return rtc.AudioFrame(data.tobytes(), RATE, channels, data.size // channels)


def samples_of(frames: list[rtc.AudioFrame]) -> list[list[int]]:
    return [np.frombuffer(each.data, np.int16).tolist() for each in frames]


@pytest.mark.parametrize(
    ("seconds", "back"),
    [
        (0.0, []),
        (0.001, [[6]]),
        (0.002, [[5, 6]]),
        (0.003, [[4], [5, 6]]),
        (0.006, [[1, 2], [3, 4], [5, 6]]),
        (9.0, [[1, 2], [3, 4], [5, 6]]),
    ],
)
def test_the_last_seconds_come_back_in_order(seconds: float, back: list[list[int]]) -> None:
    handed = HandedOn()
    handed.add([frame(1, 2), frame(3, 4), frame(5, 6)])
    assert samples_of(handed.take_back(seconds)) == back
    kept = [1, 2, 3, 4, 5, 6][: 6 - sum(map(len, back))]
    assert [each for one in samples_of(handed.take_back(9)) for each in one] == kept


def test_both_channels_stay_together() -> None:
    handed = HandedOn()
    handed.add([frame(1, -1, 2, -2, channels=2)])
    assert samples_of(handed.take_back(0.001)) == [[2, -2]]


def test_what_is_cleared_does_not_come_back() -> None:
    handed = HandedOn()
    handed.add([frame(1, 2)])
    handed.clear()
    assert handed.take_back(1) == []


def test_only_so_much_is_kept() -> None:
    handed = HandedOn()
    for number in range(5000):
        handed.add([frame(number)])
    kept = handed.take_back(60)
    assert len(kept) == pytest.approx(KEPT_SECONDS * RATE, abs=2)
    assert samples_of(kept[-1:]) == [[4999]]


def test_frames_become_one() -> None:
    assert samples_of([joined([frame(1, 2), frame(3)])]) == [[1, 2, 3]]
    one = frame(1)
    assert joined([one]) is one
