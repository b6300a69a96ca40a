"""Writes both sides of a call into one file, as time goes on. It blocks: call it from a thread."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from livekit import rtc

from agent.call.recording.opus_file import RATE, Descriptor, OpusFile
from agent.call.recording.timeline import Samples, Side
from agent.records.private_files import open_private

CALLER_RATE = 16_000
"""Of what is heard of the caller: `agent.call.voices.voice_feed`."""
CALLER = 0
"""The number of the caller's voice; all others are the agent's."""
MOST_FILES = 100
"""Of one room: each agent that answers in it writes one of its own."""


@dataclass(frozen=True, slots=True)
class Sounded:
    """A frame of a voice, and when it began, in seconds since the recording did."""

    voice: int
    start: float
    frame: rtc.AudioFrame


@dataclass(frozen=True, slots=True)
class Cut:
    """From this time on a voice is not heard, though its frames were passed on."""

    voice: int
    at: float


Change = Sounded | Cut


def new_file(record: Path) -> tuple[Path, int]:
    """Make a file for sound beside a record; its name is the record's, with a number from the
    second on. Returns it with its descriptor. Raises OSError.

    An agent on another machine may have made files that the record names: the store has them too.
    """
    named = record.read_bytes() if record.exists() else b""
    for number in range(1, MOST_FILES + 1):
        suffix = f".{number}.ogg" if number > 1 else ".ogg"
        path = record.with_name(record.stem + suffix)
        if f'"{path.name}"'.encode() in named:
            continue
        try:
            return path, open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            continue
    raise FileExistsError(f"there are {MOST_FILES} files of this room already")


class SoundFile:
    """The caller is left, the agent is right. Every method may raise OSError."""

    def __init__(self, descriptor: int) -> None:
        self._file = Descriptor(descriptor)
        self._opus: OpusFile | None = None
        self._caller, self._agent = Side(CALLER_RATE), Side(RATE)
        self._resampler = av.AudioResampler("s16", "mono", RATE)
        self._left = self._right = np.zeros(0, np.int16)

    def write(self, changes: Iterable[Change], until: float) -> None:
        """Take in these changes, and write all sound up to this time."""
        for change in changes:
            side = self._caller if change.voice == CALLER else self._agent
            if isinstance(change, Cut):
                side.cut(change.voice, change.at)
            else:
                rate = CALLER_RATE if change.voice == CALLER else RATE
                side.add(change.voice, change.start, _mono(change.frame, rate))
        heard = self._at_our_rate(self._caller.take(until))
        self._left = np.concatenate([self._left, *heard])
        self._right = np.concatenate([self._right, self._agent.take(until)])
        self._encode(min(self._left.size, self._right.size))

    def close(self) -> None:
        """Write the rest, and close the file, whatever fails."""
        try:
            self._left = np.concatenate([self._left, *self._resampled(None)])
            self._encode(min(self._left.size, self._right.size))
            if self._opus:
                self._opus.close()
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def _encode(self, size: int) -> None:
        if self._opus is None:  # it takes some milliseconds: not in the constructor
            self._opus = OpusFile(self._file)
        self._opus.write(self._left[:size], self._right[:size])
        self._left, self._right = self._left[size:], self._right[size:]

    def _at_our_rate(self, heard: Samples) -> Sequence[Samples]:
        if not heard.size:
            return []
        frame = av.AudioFrame.from_ndarray(heard.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = CALLER_RATE
        return self._resampled(frame)

    def _resampled(self, frame: av.AudioFrame | None) -> Sequence[Samples]:
        return [each.to_ndarray()[0] for each in self._resampler.resample(frame)]


def _mono(frame: rtc.AudioFrame, rate: int) -> Samples:
    """A frame in mono and at this rate. Only soft sounds beside the voice come at another one."""
    samples: Samples = np.frombuffer(frame.data, np.int16)
    if frame.num_channels > 1:
        samples = samples.reshape(-1, frame.num_channels).mean(axis=1).astype(np.int16)
    if frame.sample_rate == rate:
        return samples
    wanted = np.arange(round(samples.size * rate / frame.sample_rate)) * frame.sample_rate / rate
    return np.interp(wanted, np.arange(samples.size), samples).astype(np.int16)
