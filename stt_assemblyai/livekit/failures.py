"""What the streams of an STT tell each other of their failures."""

from __future__ import annotations

from stt_assemblyai.errors import AssemblyAIError, ConfigurationError

__all__ = ["Failures"]


class Failures:
    """A fatal error, such as a wrong key, costs one connection: later streams fail at once.

    An outage that lasts costs one stream its patience: a stream that begins in it has one attempt.
    It is over once a session opens, or `forgotten_after_seconds` after a stream gave up. Times are
    seconds on the event loop's clock.
    """

    def __init__(self, forgotten_after_seconds: float) -> None:
        self.fatal: AssemblyAIError | None = None
        self._forgotten_after_seconds = forgotten_after_seconds
        self._outage: tuple[float, float] | None = None  # when it began; when a stream gave up

    def gave_up(self, error: AssemblyAIError, outage_since: float | None, now: float) -> None:
        """A stream ended with this error."""
        if not error.retryable:
            self.fatal = error
        elif outage_since is not None:
            self._outage = outage_since, now

    def connected(self) -> None:
        """The service accepted a session."""
        self._outage = None

    def options_changed(self) -> None:
        """Other options may be accepted: later streams find out."""
        if isinstance(self.fatal, ConfigurationError):
            self.fatal = None

    def outage_since(self, now: float) -> float | None:
        """When the outage began in which an earlier stream gave up; None if it is over."""
        if self._outage is None:
            return None
        since, gave_up_at = self._outage
        return None if now - gave_up_at > self._forgotten_after_seconds else since
