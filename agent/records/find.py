"""The records in a folder: all of them, or the one that somebody means."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from agent.records.read import RecordedCall, files_in, read_calls

LAST = "last"


class NotFoundError(Exception):
    """No such call. The message says so in a sentence."""


def calls_of(
    folder: Path, *, since: float = 0.0, with_words: bool = True
) -> Iterator[RecordedCall]:
    """The calls of the records in a folder that were written to since then, in unix seconds; the
    newest record first. A file that cannot be read counts as empty."""
    for path in reversed(files_in(folder, since=since)):
        try:
            yield from reversed(read_calls(path, with_words=with_words))
        except OSError:
            continue


def call_named(name: str, folder: Path) -> RecordedCall:
    """The call that a person means: by the path of its record, its room, the room's SID, or `last`;
    the newest, if it may be several. `NAME#2` means the second call of a file.

    Raises NotFoundError.
    """
    stem, _, number = name.rpartition("#")
    if stem and number.isdecimal() and len(number) < 10:
        of_file = [call for call in _in_file(stem, folder) if call.number == int(number)]
        if of_file:
            return of_file[0]
    if calls := _in_file(name, folder):
        return calls[-1]
    if not folder.is_dir():
        raise NotFoundError(f"There is no record {name}, and no folder {folder} to look in.")
    for call in calls_of(folder):
        if name == LAST or name in (call.first.room, call.first.room_sid):
            return call
    told = "no record that can be read" if name == LAST else f"no record of a room {name}"
    raise NotFoundError(f"There is {told} in {folder}; `python agent.py calls` lists all.")


def _in_file(name: str, folder: Path) -> list[RecordedCall]:
    """The calls of a file with this path, or of the record in the folder with this name or SID."""
    quoted = quote(name, safe="", errors="surrogatepass")
    for path in (Path(name), folder / name, folder / f"{quoted}.jsonl"):
        try:
            if path.is_file() and (calls := read_calls(path)):
                return calls
        except (OSError, ValueError):  # a name that no file can have
            continue
    return []
