"""Mixes several voices into one sound, for a session's one voice detector.

It adds them up and does not pick the loudest: the detector finds a voice in a sum as in any sound,
while a change of microphones makes a click and needs a rule for when.
"""

from collections import deque
from collections.abc import Hashable

import numpy as np
from livekit import rtc

# The mixer does not wait for a voice that is this many frames behind the others.
MOST_BEHIND = 3


class Mixer:
    """Adds up frames of one length and rate, 16 bit mono; each voice brings one at a time."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[rtc.AudioFrame]] = {}  # by voice

    def push(self, voice: Hashable, frame: rtc.AudioFrame) -> list[rtc.AudioFrame]:
        """Take a frame of one voice. Returns the mix once every voice has its frame or is late."""
        self._waiting.setdefault(voice, deque()).append(frame)
        if len(self._waiting[voice]) >= MOST_BEHIND:  # a late voice may come in again
            self._waiting = {each: frames for each, frames in self._waiting.items() if frames}
        mixed = []
        while all(self._waiting.values()):
            mixed.append(_sum([frames.popleft() for frames in self._waiting.values()]))
        return mixed

    def leave(self, voice: Hashable) -> bool:
        """Take this voice out for now. Returns whether it was the last one."""
        was_there = self._waiting.pop(voice, None) is not None
        return was_there and not self._waiting


def _sum(frames: list[rtc.AudioFrame]) -> rtc.AudioFrame:
    if len(frames) == 1:
        return frames[0]
    first = frames[0]
    total = sum(np.frombuffer(frame.data, np.int16).astype(np.int32) for frame in frames)
    data = np.clip(total, -32768, 32767).astype(np.int16).tobytes()
    return rtc.AudioFrame(data, first.sample_rate, 1, first.samples_per_channel)
