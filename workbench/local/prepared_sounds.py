"""`python -m workbench.local.prepared_sounds`: records the agent's canned prompts again.

English with the voice of the stand-ins; the other languages with SVOX Pico, for which
`pip install py-nanotts==0.1.1`.
"""

from collections.abc import Callable, Mapping

import numpy as np
import soundfile
from numpy.typing import NDArray

from agent.call.output.canned_prompts import CannedPrompt
from config.languages import LANGUAGES, Language
from workbench.arguments import expect_none
from workbench.standins.engines.synthesizer import Synthesizer

Voice = Callable[[str], tuple[NDArray[np.float32], int]]
"""From words to samples from -1 to 1, and how many of them make a second."""

PICO_RATE = 16_000
PICO: Mapping[Language, str] = {"de": "de-DE", "es": "es-ES", "fr": "fr-FR", "it": "it-IT"}
LOUDNESS = 0.045
"""Root mean square of the English recordings."""


def _voice(language: Language) -> Voice:
    if language not in PICO:
        english = Synthesizer.load()
        return lambda text: (english.speak(text), 24_000)
    import py_nanotts

    pico = py_nanotts.NanoTTS()

    def speak(text: str) -> tuple[NDArray[np.float32], int]:
        made = pico.speak(text, voice=PICO[language])
        sound = np.frombuffer(made, np.int16).astype(np.float32) / 32768
        return sound * (LOUDNESS / np.sqrt(np.mean(sound**2))), PICO_RATE

    return speak


def main() -> None:
    """Write the recording of each sentence beside its text."""
    expect_none("workbench.local.prepared_sounds", __doc__)
    for language in LANGUAGES:
        voice = _voice(language)
        for prompt in CannedPrompt:
            recorded = prompt.recorded(language)
            sound, rate = voice(recorded.text)
            path = recorded.file("ogg")
            soundfile.write(path, np.clip(sound, -1, 1), rate, format="OGG", subtype="OPUS")
            print(f"{language}/{path.name}: {len(sound) / rate:.1f} s")


if __name__ == "__main__":
    main()
