"""The page of a call for a browser on this machine, straight from the call's record."""

from pathlib import Path

from agent.records.find import NotFoundError, call_named
from agent.viewer.page import page


def page_of_room(folder: Path, room: str) -> str | None:
    """The page of the newest call in this room, with its sound inside unless that is long.

    None without a record in the folder. Raises OSError if its sound cannot be read.
    """
    # What reads sound takes a moment to load: only who asks for a record waits for it.
    from agent.viewer.sound import shown, sound_of
    from agent.viewer.write import EMBED_BYTES

    try:
        call = call_named(room, folder)
    except NotFoundError:
        return None
    sound = sound_of(call)
    if sound is None or sound.path.stat().st_size > EMBED_BYTES:
        return page(call)
    return page(call, shown(sound, folder), sound.path.read_bytes())
