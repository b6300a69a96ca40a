"""Judges Redis, which several workers share: address, version, what it does when full, clock."""

import re
from dataclasses import dataclass

from agent.doctor.answers import Failure, Trouble, is_encrypted, place, unreachable
from agent.doctor.check import Check, Name, ok, skipped, warning
from agent.doctor.livekit import SET_CLOCK

SETTING = "AGENT_REDIS_URL"
OLDEST = (6, 2)
CLOCK_SECONDS = 0.5
"""By so much machines that share a budget may differ (`agent.fleet.budget`)."""
KEEPS = "noeviction"

_LATER = (Name.REDIS_VERSION, Name.REDIS_MEMORY, Name.REDIS_CLOCK)
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class RedisSeen:
    """What a Redis says of itself."""

    version: str
    used_bytes: int
    most_bytes: int
    """0: whatever the machine has."""
    policy: str
    """What it does when it is full."""
    clock_ahead_seconds: float
    """How far this machine's clock is ahead of Redis'."""
    refusal: str = ""
    """Why it takes no data, in its words; empty if it does."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It answers, and lets us do nothing; `words` are its own."""

    words: str


RedisResult = RedisSeen | Refused | Failure


def judge(url: str | None, result: RedisResult | None) -> list[Check]:
    """The four checks; `url` is that of the setting."""
    if url is None or result is None:
        return _skipped(skipped(Name.REDIS_ADDRESS, f"{SETTING} is not set"), "no Redis is set")
    at = place(url)
    if isinstance(result, Failure):
        return _skipped(_unreachable(url, result), "Redis does not answer")
    if isinstance(result, Refused):
        said = f"{at} lets this worker do nothing: {result.words}"
        mend = f"correct the user and the password in {SETTING}, or what Redis allows them"
        return _skipped(warning(Name.REDIS_ADDRESS, said, mend), "Redis refuses this worker")
    return [
        ok(Name.REDIS_ADDRESS, f"Redis answers at {at}"),
        _version(result.version),
        _memory(result),
        _clock(result.clock_ahead_seconds),
    ]


def _unreachable(url: str, failed: Failure) -> Check:
    """A warning: calls go on. A Redis without TLS waits for more when it is asked for it."""
    found = unreachable(Name.REDIS_ADDRESS, url, SETTING, failed)
    mend = found.mend
    if failed.trouble is Trouble.SILENT and is_encrypted(url):
        mend += ", or write redis:// instead of rediss:// if it has no TLS"
    return warning(found.name, found.seen, mend)


def _skipped(address: Check, why: str) -> list[Check]:
    return [address, *(skipped(name, why) for name in _LATER)]


def _version(text: str) -> Check:
    found = re.match(r"(\d+)\.(\d+)", text)
    if not found:
        return skipped(Name.REDIS_VERSION, "Redis does not tell its version")
    if (int(found[1]), int(found[2])) < OLDEST:
        mend = f"run Redis {OLDEST[0]}.{OLDEST[1]} or newer: older ones were not tried"
        return warning(Name.REDIS_VERSION, f"Redis is of version {text}", mend)
    return ok(Name.REDIS_VERSION, f"Redis {text}")


def _memory(seen: RedisSeen) -> Check:
    name = Name.REDIS_MEMORY
    if seen.refusal:
        mend = "give Redis more memory, or mend what its own log says"
        return warning(name, f"Redis takes no data: {seen.refusal}", mend)
    used = f"{seen.used_bytes / _MEGABYTE:.0f} MB"
    if not seen.most_bytes:
        return ok(name, f"{used} used, and no limit is set")
    used += f" of {seen.most_bytes / _MEGABYTE:.0f} MB used"
    if seen.policy == KEEPS:
        return ok(name, f"{used}; when it is full it refuses, and forgets nothing")
    return warning(
        name,
        f"{used}; when it is full it forgets what it has ({seen.policy}), the budget as well",
        f"set maxmemory-policy {KEEPS} there, or give the agent a Redis of its own",
    )


def _clock(ahead_seconds: float) -> Check:
    if abs(ahead_seconds) <= CLOCK_SECONDS:
        return ok(Name.REDIS_CLOCK, f"within {CLOCK_SECONDS} s of Redis'")
    which = "ahead of" if ahead_seconds > 0 else "behind"
    return warning(
        Name.REDIS_CLOCK,
        f"this machine's clock is {abs(ahead_seconds):.1f} s {which} Redis'",
        SET_CLOCK,
    )
