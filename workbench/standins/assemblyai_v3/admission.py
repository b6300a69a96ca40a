"""Who may open a session: the key or token first, then the rate of new sessions (notes 2, 12.5)."""

import hmac
from collections import deque

from workbench.standins.assemblyai_v3.outputs import Fail
from workbench.standins.assemblyai_v3.tokens import Tokens

UNAUTHORIZED = "Unauthorized Connection: "


class Admission:
    """Times are seconds on the caller's clock."""

    def __init__(self, api_key: str, sessions_per_minute: int | None) -> None:
        self.tokens = Tokens()
        self._api_key = api_key
        self._sessions_per_minute = sessions_per_minute
        self._starts: deque[float] = deque()

    def has_key(self, key: str) -> bool:
        """Whether this is the account's key."""
        return hmac.compare_digest(key.encode(), self._api_key.encode())

    def judge(self, key: str | None, now_seconds: float, cap_seconds: float) -> Fail | float:
        """The longest duration of the session in seconds, or why there is none."""
        if not key:
            return Fail(1008, UNAUTHORIZED + "Missing Authorization header")
        token = self.tokens.find(key)
        if token is not None and now_seconds > token.redeemable_until:
            return Fail(1008, UNAUTHORIZED + "Signature has expired")
        if token is None and not self.has_key(key):
            return Fail(1008, UNAUTHORIZED + "Invalid API key")
        if self._is_full(now_seconds):
            return Fail(1008, UNAUTHORIZED + "Too many concurrent sessions")
        self._starts.append(now_seconds)
        return cap_seconds if token is None else min(cap_seconds, token.session_cap_seconds)

    def _is_full(self, now_seconds: float) -> bool:
        while self._starts and self._starts[0] <= now_seconds - 60:
            self._starts.popleft()
        limit = self._sessions_per_minute
        return limit is not None and len(self._starts) >= limit
