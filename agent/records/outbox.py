"""Calls on their way from the folder of records to the store.

A call that is over is moved below `outgoing`, into a folder of its own, and removed when the store
has it. Whatever dies in between, the files stay, and the next worker in this folder goes on.
"""

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from agent.records.claims import alone
from agent.records.kept_calls import KeptCall, has_ended, kept_calls, name_in_store

OUTGOING = "outgoing"

LOST_SECONDS = 900
"""A record without an end, to which nobody has written for this long, belongs to a call whose agent
died and that no other agent took over."""


SETTLED_SECONDS = 5.0
"""After the record of a call, its process may write more beside it."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A call to be sent: its name in the store, and its files, the record last."""

    name: str
    call: KeptCall


def pack(folder: Path, now: float, settled_seconds: float = SETTLED_SECONDS) -> None:
    """Move the calls that are over (wall time `now`, seconds) to those that go out. Raises
    OSError."""
    for call in kept_calls(folder):
        if call.record and now - call.changed_at >= (
            settled_seconds if has_ended(call.record) else LOST_SECONDS
        ):
            with alone(call.record) as is_over:
                if is_over:
                    _move(call, folder / OUTGOING / name_in_store(call.record))


def _move(call: KeptCall, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in call.files:  # the record last: without it, the next attempt finds the rest
        path.rename(to / path.name)


def parcels(folder: Path) -> list[Parcel]:
    """What is to be sent, the oldest first."""
    outgoing = folder / OUTGOING
    places = sorted(each for each in outgoing.glob("*/*") if each.is_dir())
    found = [(place, call) for place in places for call in kept_calls(place) if call.record]
    return [Parcel(str(place.relative_to(outgoing)), call) for place, call in found]


def sent(folder: Path, parcel: Parcel) -> None:
    """The store has it: remove it here."""
    place = folder / OUTGOING / parcel.name
    shutil.rmtree(place, ignore_errors=True)
    with contextlib.suppress(OSError):  # others of the same day are still there
        place.parent.rmdir()
