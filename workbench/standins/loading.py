"""Connects the stand-ins to the embedded speech engines."""

from collections.abc import Callable, Iterator

import numpy as np

from workbench.standins.assemblyai_v3.heard import Engines
from workbench.standins.engines.activity import ActivityDetector
from workbench.standins.engines.recognizer import Recognizer
from workbench.standins.engines.synthesizer import Synthesizer
from workbench.standins.openai_v1.sound import SAMPLE_RATE_HZ, Samples
from workbench.standins.openai_v1.speech import Voice

_WINDOW_SAMPLES = SAMPLE_RATE_HZ // 100
_SILENT = 0.006
"""Root mean square of a window, of 1: about -45 dBFS."""


def load_engines() -> Callable[[], Engines]:
    """One engine for all sessions, one voice detector for each."""
    recognizer = Recognizer.load()
    return lambda: Engines(recognizer.decode, ActivityDetector.load().probability)


def load_voice(longest_pause_ms: int | None = None) -> Voice:
    """The embedded voice; its pauses within a sentence can be cut to `longest_pause_ms`."""
    synthesizer = Synthesizer.load()

    def speak(text: str, speed: float) -> Iterator[Samples]:
        for sentence in synthesizer.stream(text, speed=speed):
            yield (
                sentence
                if longest_pause_ms is None
                else without_pauses(sentence, longest_pause_ms // 10)
            )

    return speak


def without_pauses(sound: Samples, longest: int) -> Samples:
    """The same 24 kHz sound with at most `longest` silent windows of 10 ms in a row."""
    whole = sound.size // _WINDOW_SAMPLES
    windows = sound[: whole * _WINDOW_SAMPLES].reshape(whole, _WINDOW_SAMPLES)
    kept, silent = [], 0
    for index, level in enumerate(np.sqrt(np.mean(windows * windows, axis=1)).tolist()):
        silent = 0 if level > _SILENT else silent + 1
        if silent <= longest:
            kept.append(index)
    return np.concatenate([windows[kept].ravel(), sound[whole * _WINDOW_SAMPLES :]])
