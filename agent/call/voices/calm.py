"""Whether sound has to be judged at once, or can wait for more: judging three pieces together costs
half, since the model is in the processor's cache then.

Sound can wait after a while without a voice, and while it is no louder than the line's noise. A
voice makes it louder, and is judged at once, with all that waited: no onset comes later.
"""

import math

_CALM_SECONDS = 1.5
"""Without a voice: longer than any pause that ends a turn or decides a reply."""
_VOICE = 0.1
"""A probability that may be a voice, 0 to 1."""
_LOUDER_DB = 6.0
"""More than the noise's own ups and downs."""
_FORGETS_DB = 0.05
"""How much the noise may grow from one piece to the next and still be the noise: 1 dB a second."""


class Calm:
    """One stream's calm, told of each piece of sound and each probability."""

    def __init__(self) -> None:
        self._quiet_seconds = 0.0
        self._noise_db = math.inf

    def judged(self, probability: float, seconds: float) -> None:
        """So probable is a voice in the newest sound that was judged, 0 to 1."""
        self._quiet_seconds = 0.0 if probability > _VOICE else self._quiet_seconds + seconds

    def may_wait(self, level_db: float) -> bool:
        """Whether a new piece of sound with this loudness can wait."""
        self._noise_db = min(level_db, self._noise_db + _FORGETS_DB)
        is_louder = level_db > self._noise_db + _LOUDER_DB
        return self._quiet_seconds >= _CALM_SECONDS and not is_louder
