"""Writes the page of a call to the disk, for its owner alone: it holds what people said."""

import os
from pathlib import Path

from agent.records.read import RecordedCall
from agent.viewer.page import page
from agent.viewer.sound import shown, sounds_of

EMBED_BYTES = 8_000_000
"""A larger sound stays beside the page: browsers read a page whole before they show anything."""


def page_in(folder: Path, call: RecordedCall) -> tuple[str, bool]:
    """The page of a call for this folder, and whether its sound is in files beside it. Raises
    OSError."""
    sounds = sounds_of(call)
    is_inside = sum(each.path.stat().st_size for each in sounds) <= EMBED_BYTES
    kept = [each.path.read_bytes() for each in sounds] if is_inside else []
    return page(call, [shown(each, folder) for each in sounds], kept), not is_inside


def write_page(call: RecordedCall, out: Path) -> bool:
    """Write the page. Returns whether the sound stayed beside it, in its own file. Raises OSError.

    A link in the place of the page is replaced, and not followed.
    """
    text, is_beside = page_in(out.resolve().parent, call)
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    return is_beside
