"""`python -m workbench.local.prepared_sounds`: records the agent's canned prompts again."""

import numpy as np
import soundfile

from agent.call.output.canned_prompts import CannedPrompt
from workbench.arguments import expect_none
from workbench.standins.engines.synthesizer import Synthesizer


def main() -> None:
    """Write the recording of each sentence beside its text."""
    expect_none("workbench.local.prepared_sounds", __doc__)
    voice = Synthesizer.load()
    for prompt in CannedPrompt:
        sound = voice.speak(prompt.text)
        path = prompt.file("ogg")
        soundfile.write(path, np.clip(sound, -1, 1), 24_000, format="OGG", subtype="OPUS")
        print(f"{path.name}: {len(sound) / 24_000:.1f} s")


if __name__ == "__main__":
    main()
