"""Judges LiveKit: its address, our key and secret, the clocks, agents that are there, and media."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.doctor.answers import Answer, Failure, Result, expected_tls, place, unreachable
from agent.doctor.check import Check, Name, fault, ok, skipped, warning
from config.services import LiveKitSettings

CLOCK_SECONDS = 30
"""A difference of the clocks from which tokens are refused, and times mislead."""
REFUSED = (401, 403)

_SWAP = (
    "exchange the values of LIVEKIT_API_KEY and LIVEKIT_API_SECRET: the key is the shorter one, "
    "and on LiveKit Cloud it starts with API"
)
_NO_ANSWER = "LiveKit does not answer"


@dataclass(frozen=True, slots=True)
class AgentSeen:
    """An agent in a room at this moment, and the name under which it was asked for."""

    room: str
    agent_name: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A room was joined, sound included; `seconds` is how long that took."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NotJoined:
    """A room could not be joined. `signalled` is whether the server let us in before that."""

    signalled: bool


def judge(livekit: LiveKitSettings, result: Result) -> list[Check]:
    """The checks of address, key and clock, from the answer to a request for the list of rooms."""
    if isinstance(result, Failure):
        return [
            unreachable(Name.LIVEKIT_ADDRESS, livekit.url, "LIVEKIT_URL", result),
            _unasked(livekit),
            skipped(Name.LIVEKIT_CLOCK, _NO_ANSWER),
        ]
    if result.status not in REFUSED and not _is_list(result):
        return [
            _stranger(livekit, result),
            _unasked(livekit),
            skipped(Name.LIVEKIT_CLOCK, "no LiveKit server answers"),
        ]
    address = ok(Name.LIVEKIT_ADDRESS, f"a LiveKit server answers at {livekit.url}")
    return [address, _key(livekit, result), _clock(result)]


def accepts_key(result: Result) -> bool:
    """Whether a LiveKit server answers and takes our key."""
    return isinstance(result, Answer) and _is_list(result)


def looks_swapped(livekit: LiveKitSettings) -> bool:
    """Whether the secret stands where the key should, and the key where the secret should."""
    key, secret = livekit.api_key.get_secret_value(), livekit.api_secret.get_secret_value()
    return secret.startswith("API") or (len(key) > len(secret) and not key.startswith("API"))


def worker(agent_name: str, agents: Sequence[AgentSeen] | None) -> Check:
    """Whether somebody else's worker of this name takes calls, as far as LiveKit tells.

    `agents` None: the rooms could not be listed.
    """
    if agents is None:
        return skipped(Name.LIVEKIT_WORKER, "the rooms could not be listed")
    same = [each for each in agents if each.agent_name == agent_name]
    named = f"named {agent_name!r}" if agent_name else "without a name"
    untold = "LiveKit does not tell which workers wait for calls"
    if not same:
        return ok(Name.LIVEKIT_WORKER, f"no agent {named} is in a call now; {untold}")
    rooms = sorted({each.room for each in same})
    more = f" and {len(rooms) - 3} more" if len(rooms) > 3 else ""
    return warning(
        Name.LIVEKIT_WORKER,
        f"agents {named} are in calls now (in {', '.join(rooms[:3])}{more}): a worker of this name "
        "runs already",
        "nothing, if it is one of yours: they share the calls. While you develop, set another "
        "AGENT_NAME, or that worker answers in place of yours",
    )


def media(url: str, joining: Joined | NotJoined) -> Check:
    """Whether sound can pass, from an attempt to join a room."""
    match joining:
        case Joined(seconds):
            return ok(Name.LIVEKIT_MEDIA, f"a room was joined in {seconds:.1f} s")
        case NotJoined(signalled=False):
            return fault(
                Name.LIVEKIT_MEDIA,
                f"{place(url)} answers requests, but lets nobody into a room",
                "let the proxy before LiveKit pass WebSockets (path /rtc)",
            )
        case _:
            return fault(
                Name.LIVEKIT_MEDIA,
                "LiveKit lets us into a room, but no connection for sound comes about",
                "let this machine send UDP to LiveKit's media ports (50000 to 60000 by default, "
                "or 7882) or TCP to 7881; on a server of your own, check rtc.node_ip or "
                "rtc.use_external_ip",
            )


def _is_list(answer: Answer) -> bool:
    return answer.status == 200 and isinstance(answer.json, dict) and "rooms" in answer.json


def _unasked(livekit: LiveKitSettings) -> Check:
    if looks_swapped(livekit):
        return fault(Name.LIVEKIT_KEY, "key and secret look swapped", _SWAP)
    return skipped(Name.LIVEKIT_KEY, "no LiveKit server answers")


def _stranger(livekit: LiveKitSettings, answer: Answer) -> Check:
    if expected_tls(answer):
        seen = f"{place(livekit.url)} wants TLS"
        return fault(Name.LIVEKIT_ADDRESS, seen, "write wss:// instead of ws:// in LIVEKIT_URL")
    if answer.status >= 500:
        return fault(
            Name.LIVEKIT_ADDRESS,
            f"{place(livekit.url)} answers with HTTP {answer.status}",
            "the server or the proxy before it is in trouble: look at its log",
        )
    return fault(
        Name.LIVEKIT_ADDRESS,
        f"{place(livekit.url)} answers, but not as a LiveKit server (HTTP {answer.status})",
        "correct LIVEKIT_URL: for LiveKit Cloud it is wss://PROJECT.livekit.cloud, not the page "
        "of the project; behind a proxy, let the path /twirp pass",
    )


def _key(livekit: LiveKitSettings, answer: Answer) -> Check:
    said = answer.text.lower()
    if answer.status not in REFUSED:
        return ok(Name.LIVEKIT_KEY, "key and secret are accepted")
    if looks_swapped(livekit):
        return fault(Name.LIVEKIT_KEY, "refused: key and secret look swapped", _SWAP)
    if _is_off(answer):
        why = "with a wrong clock no key can be told from a right one"
        return skipped(Name.LIVEKIT_KEY, why, "set the clock first")
    if "invalid api key" in said:
        return fault(
            Name.LIVEKIT_KEY,
            f"refused: the server at {place(livekit.url)} does not know LIVEKIT_API_KEY",
            "take the key and the secret of the project that LIVEKIT_URL names: this key is "
            "another project's, or was deleted",
        )
    if "signature" in said or "cryptographic" in said:
        return fault(
            Name.LIVEKIT_KEY,
            "refused: the server knows LIVEKIT_API_KEY, and LIVEKIT_API_SECRET is not its secret",
            "copy the secret that belongs to this key, or make a new key: a secret is shown once",
        )
    return fault(
        Name.LIVEKIT_KEY,
        f"refused (HTTP {answer.status})",
        "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET: they belong together, and to the project "
        "that LIVEKIT_URL names",
    )


def _clock(answer: Answer) -> Check:
    ahead_seconds = answer.clock_ahead_seconds
    if ahead_seconds is None:
        return skipped(Name.LIVEKIT_CLOCK, "the server's answers have no date")
    if not _is_off(answer):
        return ok(Name.LIVEKIT_CLOCK, f"within {CLOCK_SECONDS} s of LiveKit's")
    found = fault if answer.status in REFUSED else warning
    return found(Name.LIVEKIT_CLOCK, skew(ahead_seconds, "LiveKit's"), SET_CLOCK)


def _is_off(answer: Answer) -> bool:
    return abs(answer.clock_ahead_seconds or 0.0) > CLOCK_SECONDS


SET_CLOCK = "set this machine's clock, and keep it right with NTP (`timedatectl set-ntp true`)"


def skew(ahead_seconds: float, whose: str) -> str:
    """How far this machine's clock is off, in words."""
    direction = "ahead of" if ahead_seconds > 0 else "behind"
    return f"this machine's clock is {abs(ahead_seconds):.0f} s {direction} {whose}"
