"""Speech to text: Moonshine base where it can be had, tiny elsewhere, and no text from noise."""

import numpy as np

from workbench.engines.activity import FRAME_MS, FRAME_SAMPLES, ActivityDetector
from workbench.engines.moonshine import SAMPLE_RATE_HZ, Moonshine, Samples
from workbench.engines.weights import has_base, tiny_directory

LONGEST_PASS_SECONDS = 12.0
VOICED = 0.5
LEAST_VOICED_MS = 128
QUIET_MS = 200
MARGIN_FRAMES = 8


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
            from workbench.engines.conversion import converted_base

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

    A stretch ends where nobody spoke for 200 ms and the next words would make it too long, or at
    the limit; too short ones are noise.
    """
    longest = int(LONGEST_PASS_SECONDS * 1000 / FRAME_MS) - 2 * MARGIN_FRAMES
    runs = _runs([each >= VOICED for each in probabilities])
    spans: list[tuple[int, int]] = []
    for start, end in runs:
        if spans and end - spans[-1][0] <= longest and (start - spans[-1][1]) * FRAME_MS < 1000:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.extend((cut, min(cut + longest, end)) for cut in range(start, end, longest))
    return [
        (max(0, start - MARGIN_FRAMES), min(len(probabilities), end + MARGIN_FRAMES))
        for start, end in spans
        if sum(each >= VOICED for each in probabilities[start:end]) * FRAME_MS >= LEAST_VOICED_MS
    ]


def _runs(voiced: list[bool]) -> list[tuple[int, int]]:
    """Runs of voiced frames; a gap shorter than 200 ms does not end one."""
    runs: list[tuple[int, int]] = []
    for index, speaking in enumerate(voiced):
        if not speaking:
            continue
        if runs and (index - runs[-1][1]) * FRAME_MS < QUIET_MS:
            runs[-1] = (runs[-1][0], index + 1)
        else:
            runs.append((index, index + 1))
    return runs
