"""Which providers are known to be down, by what calls have told of their tries."""

from dataclasses import dataclass
from typing import get_args

from agent.call.reports import Outcome
from agent.records.schema import Provider

TRIES = 3
SPAN_SECONDS = 3.0
"""So many tries in a row have failed over at least this time. Shorter hiccups are bridged by the
call itself, and many calls notice the same one at the same moment."""

KNOWN_SECONDS = 60.0
"""Older news is no knowledge: without calls nobody tries, and the next call may well succeed."""

PROVIDERS: tuple[Provider, ...] = get_args(Provider)

_FAILED = frozenset({Outcome.BUSY, Outcome.REFUSED})


@dataclass(slots=True)
class _Failing:
    since: float
    latest: float
    tries: int = 1


class Outages:
    """The providers of one worker. `now` is in seconds, on any one clock that does not go back."""

    def __init__(self) -> None:
        self._failing: dict[Provider, _Failing] = {}

    def note(self, provider: Provider, outcome: Outcome, now: float) -> None:
        """One try went like this. A text that is refused, or an empty answer, is an answer."""
        if outcome not in _FAILED:
            self._failing.pop(provider, None)
            return
        failing = self._failing.get(provider)
        if failing is None or now - failing.latest > KNOWN_SECONDS:
            self._failing[provider] = _Failing(now, now)
            return
        failing.latest = now
        failing.tries += 1

    def down(self, now: float) -> tuple[Provider, ...]:
        """The providers that are known to be down, STT, LLM, TTS."""
        return tuple(each for each in PROVIDERS if self._is_down(each, now))

    def _is_down(self, provider: Provider, now: float) -> bool:
        failing = self._failing.get(provider)
        return (
            failing is not None
            and failing.tries >= TRIES
            and failing.latest - failing.since >= SPAN_SECONDS
            and now - failing.latest <= KNOWN_SECONDS
        )
