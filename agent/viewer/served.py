"""The page of a call for a browser on this machine, straight from the call's record."""

from pathlib import Path

from agent.records.find import NotFoundError, call_named
from agent.viewer.page import page


def page_of_room(folder: Path, room: str) -> str | None:
    """The page of the newest call in this room, with its sound inside unless that is long.

    None without a record in the folder. Raises OSError if its sound cannot be read.
    """
    # What reads sound takes a moment to load: only who asks for a record waits for it.
    from agent.viewer.write import page_in

    try:
        call = call_named(room, folder)
    except NotFoundError:
        return None
    text, is_beside = page_in(folder, call)
    return page(call) if is_beside else text  # a browser could not load it from the disk
