"""The sound of a call for its page: where it is, and how loud each side was."""

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import av
import numpy as np
import numpy.typing as npt

from agent.records.read import RecordedCall
from agent.records.schema import Audio

PEAKS_PER_SECOND = 20
"""As fine as a syllable."""
MOST_PEAKS = 30_000
"""Of a call longer than 25 minutes the page draws only the waves of these; it plays all of it."""
TYPES = {".ogg": "audio/ogg", ".opus": "audio/ogg", ".flac": "audio/flac", ".wav": "audio/wav"}
_RATE = 8000
_EACH = _RATE // PEAKS_PER_SECOND

_Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Sound:
    """A file of a call's sound: two channels, the caller left, the agent right."""

    path: Path
    starts_ms: int
    """When it starts in the call."""


def sounds_of(call: RecordedCall) -> list[Sound]:
    """The sound of a call, in order: a second agent keeps a file of its own. Without those that
    are no longer beside the record."""
    found = [
        Sound(call.path.parent / Path(line.file).name, line.starts_ms) for line in call.every(Audio)
    ]
    return sorted((each for each in found if _is_there(each)), key=lambda each: each.starts_ms)


def _is_there(sound: Sound) -> bool:
    try:
        return sound.path.is_file()
    except OSError:  # a name that no file can have
        return False


def shown(sound: Sound, folder: Path) -> dict[str, Any]:
    """What a page in this folder needs of a sound. Without peaks, where no file can be decoded, it
    draws words in place of waves."""
    return {
        "link": quote(os.path.relpath(sound.path, folder)),
        "type": TYPES.get(sound.path.suffix, "audio/ogg"),
        "startsMs": sound.starts_ms,
        "perSecond": PEAKS_PER_SECOND,
        "peaks": [base64.b64encode(side).decode() for side in peaks(sound.path)],
    }


def peaks(path: Path) -> list[bytes]:
    """How loud each side was, 0 to 255, PEAKS_PER_SECOND; empty if the file cannot be decoded."""
    found: list[_Samples] = []
    count = 0
    try:
        with av.open(str(path)) as container:
            resampler = av.AudioResampler(format="s16p", layout="stereo", rate=_RATE)
            rest = np.zeros((2, 0), np.int16)
            for frame in container.decode(audio=0):
                heard = [each.to_ndarray() for each in resampler.resample(frame)]
                rest = np.concatenate([rest, *heard], axis=1)
                whole = rest.shape[1] // _EACH
                blocks = rest[:, : whole * _EACH].reshape(2, whole, _EACH)
                rest = rest[:, whole * _EACH :]
                found.append(np.abs(blocks.astype(np.int32)).max(axis=2).astype(np.int32))
                count += whole
                if count >= MOST_PEAKS:
                    break
    except (OSError, ValueError, IndexError, av.FFmpegError):
        return []
    if not count:
        return []
    loudness = np.concatenate(found, axis=1)[:, :MOST_PEAKS]
    loudest = max(int(loudness.max()), 1)
    return [(side * 255 // loudest).astype(np.uint8).tobytes() for side in loudness]
