"""What the worker and a process with several calls tell each other, one datagram each.

The worker opens seats and cuts them off; closing its end ends the process once it is empty.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

LONGEST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Open:
    """Open this seat; the datagram brings its two sockets: for messages, for the log."""

    kind: ClassVar[str] = "open"
    seat: int


@dataclass(frozen=True, slots=True)
class CutOff:
    """End this seat's job without asking it."""

    kind: ClassVar[str] = "cut_off"
    seat: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The process is prepared."""

    kind: ClassVar[str] = "ready"


@dataclass(frozen=True, slots=True)
class Ended:
    """This seat's job is over. `is_clean`: and has left nothing behind."""

    kind: ClassVar[str] = "ended"
    seat: int
    exitcode: int
    is_clean: bool = True


@dataclass(frozen=True, slots=True)
class Late:
    """The event loop has stood still for this long by now; 0 once it runs again."""

    kind: ClassVar[str] = "late"
    seconds: float


Message = Open | CutOff | Ready | Ended | Late

_KINDS: dict[str, type[Message]] = {each.kind: each for each in (Open, CutOff, Ready, Ended, Late)}


def packed(message: Message) -> bytes:
    """The datagram."""
    return json.dumps({"kind": message.kind, **asdict(message)}).encode()


def unpacked(datagram: bytes) -> Message:
    """The message of a datagram that `packed` made."""
    fields: dict[str, Any] = json.loads(datagram)
    return _KINDS[fields.pop("kind")](**fields)
