"""Where each side speaks in the sound that was kept of a call."""

from pathlib import Path

import av
import numpy as np

from agent.caller.speech_energy import Span, speech_spans

_RATE = 48_000


def sides(path: Path) -> tuple[list[Span], list[Span]]:
    """The stretches of the caller's speech and of the agent's, in seconds of the file, which may be
    broken off."""
    with av.open(path) as container:
        frames = [each.to_ndarray() for each in container.decode(audio=0)]
    both = (np.concatenate(frames, axis=1) * 32767).astype(np.int16)
    caller, agent = (speech_spans(side, _RATE, pause_seconds=0.3) for side in both)
    return caller, agent
