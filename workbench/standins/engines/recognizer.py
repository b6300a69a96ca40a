"""Speech to text: Moonshine base where it can be had, tiny elsewhere, and no text from noise."""

from collections.abc import Iterator

import numpy as np

from workbench.standins.engines.activity import FRAME_MS, FRAME_SAMPLES, ActivityDetector
from workbench.standins.engines.moonshine import SAMPLE_RATE_HZ, Moonshine, Samples
from workbench.standins.engines.weights import has_base, tiny_directory

MARGIN_FRAMES = 8
LONGEST_FRAMES = 12_000 // FRAME_MS - 2 * MARGIN_FRAMES
"""Longer passes sometimes come back empty."""
CUT_FRAMES = 1500 // FRAME_MS
GAP_FRAMES = 200 // FRAME_MS
PAUSE_FRAMES = 1000 // FRAME_MS
LEAST_VOICED_FRAMES = 4
VOICED = 0.5


class Recognizer:
    """English speech to text: 30 to 250 ms for an utterance, from any thread."""

    def __init__(self, model: Moonshine) -> None:
        self._model = model

    @classmethod
    def load(cls) -> "Recognizer":
        """About 1 s; the first time ever on Linux x86_64 about 20 s more (conversion, then cached).

        EngineUnavailableError where no wheel exists.
        """
        if has_base():
            from workbench.standins.engines.conversion import converted_base

            directory = converted_base()
        else:
            directory = tiny_directory()
        model = Moonshine(directory)
        model.text(np.zeros(SAMPLE_RATE_HZ // 2, np.float32))
        return cls(model)

    def decode(self, samples: Samples) -> str:
        """One pass over what is known to be speech: mono, 16 kHz, -1 to 1, at most 12 s."""
        return self._model.text(samples)

    def transcribe(self, samples: Samples) -> str:
        """The text of a recording of any length (mono, 16 kHz, -1 to 1); "" if nobody speaks."""
        spans = voiced_spans(ActivityDetector.load().probabilities(samples))
        texts = (
            self.decode(samples[start * FRAME_SAMPLES : end * FRAME_SAMPLES])
            for start, end in spans
        )
        return " ".join(text for text in texts if text)


def voiced_spans(probabilities: list[float]) -> list[tuple[int, int]]:
    """Stretches of speech as (first frame, frame after the last), each short enough for one pass.

    Stretches with less than a second between them are one pass as long as it is short enough; what
    is too long in itself is cut at its quietest place; what is too short is noise.
    """
    spans: list[tuple[int, int]] = []
    for start, end in _runs([each >= VOICED for each in probabilities]):
        if spans and end - spans[-1][0] <= LONGEST_FRAMES and start - spans[-1][1] < PAUSE_FRAMES:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.extend(_cut(start, end, probabilities))
    speech = [
        (start, end)
        for start, end in spans
        if sum(each >= VOICED for each in probabilities[start:end]) >= LEAST_VOICED_FRAMES
    ]
    ends = [0, *(end for _, end in speech)]
    starts = [*(start for start, _ in speech), len(probabilities)]
    return [
        (max(ends[i], start - MARGIN_FRAMES), min(starts[i + 1], end + MARGIN_FRAMES))
        for i, (start, end) in enumerate(speech)
    ]


def _runs(voiced: list[bool]) -> list[tuple[int, int]]:
    """Runs of voiced frames; a short gap does not end one."""
    runs: list[tuple[int, int]] = []
    for index, speaking in enumerate(voiced):
        if not speaking:
            continue
        if runs and index - runs[-1][1] < GAP_FRAMES:
            runs[-1] = (runs[-1][0], index + 1)
        else:
            runs.append((index, index + 1))
    return runs


def _cut(start: int, end: int, probabilities: list[float]) -> Iterator[tuple[int, int]]:
    while end - start > LONGEST_FRAMES:
        recent = range(start + LONGEST_FRAMES - CUT_FRAMES, start + LONGEST_FRAMES)
        cut = min(recent, key=probabilities.__getitem__) + 1
        yield start, cut
        start = cut
    yield start, end
