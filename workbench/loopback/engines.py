"""Connects the stand-ins to the embedded speech engines."""

from collections.abc import Callable

from workbench.engines.activity import ActivityDetector
from workbench.engines.recognizer import Recognizer
from workbench.engines.synthesizer import Synthesizer
from workbench.loopback.assemblyai_v3.heard import Ears
from workbench.loopback.openai_v1.speech import Voice


def load_ears() -> Callable[[], Ears]:
    """One engine for all sessions, one voice detector for each."""
    recognizer = Recognizer.load()
    return lambda: Ears(recognizer.decode, ActivityDetector.load().probability)


def load_voice() -> Voice:
    """The embedded voice."""
    synthesizer = Synthesizer.load()
    return lambda text, speed: synthesizer.stream(text, speed=speed)
