"""Writes the page of a call to the disk, for its owner alone: it holds what people said."""

import os
from pathlib import Path

from agent.records.read import RecordedCall
from agent.viewer.page import page
from agent.viewer.sound import shown, sound_of

EMBED_BYTES = 8_000_000
"""A larger sound stays beside the page: browsers read a page whole before they show anything."""


def write_page(call: RecordedCall, out: Path) -> bool:
    """Write the page. Returns whether the sound stayed beside it, in its own file. Raises OSError.

    A link in the place of the page is replaced, and not followed.
    """
    sound = sound_of(call)
    is_inside = sound is not None and sound.path.stat().st_size <= EMBED_BYTES
    kept = sound.path.read_bytes() if sound and is_inside else None
    text = page(call, shown(sound, out.resolve().parent) if sound else None, kept)
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    return sound is not None and not is_inside
