"""How fast audio may be processed: a bucket that fills a little faster than time passes."""


class Throttle:
    """Audio in milliseconds, time in seconds, given by the caller."""

    def __init__(self, factor: float | None, burst_ms: float, now_seconds: float) -> None:
        self._factor = factor
        self._burst_ms = burst_ms
        self._level_ms = burst_ms
        self._seen_seconds = now_seconds

    def wait_seconds(self, duration_ms: float, now_seconds: float) -> float:
        """Take so much audio out of the bucket; how long it must wait before it is processed."""
        if self._factor is None:
            return 0.0
        gained_ms = (now_seconds - self._seen_seconds) * 1000 * self._factor
        self._seen_seconds = now_seconds
        self._level_ms = min(self._burst_ms, self._level_ms + gained_ms) - duration_ms
        return max(0.0, -self._level_ms / 1000 / self._factor)
