"""What a caller says has a length."""

import numpy as np

from agent.caller.utterance import Utterance


def test_an_utterance_is_as_long_as_its_sound() -> None:
    assert Utterance("", np.zeros(24_000, np.int16), "recorded").seconds == 0.5
