"""`show`: one page a call, from its record."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.calls import Folder, records_folder
from agent.cli.faults import USAGE, give_up


def show(
    call: Annotated[
        str,
        typer.Argument(help="File of a record, a room's name or SID, or last."),
    ],
    *,
    out: Annotated[
        Path | None, typer.Option(help="File for the page; none: beside the record.")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    folder: Folder = None,
) -> None:
    """Make a page of a call: what was odd, and where each turn's time went.

    The page is one file, which opens from the disk. It holds what was said: personal data.
    """
    from agent.records.find import NotFoundError, call_named
    from agent.viewer.write import write_page

    try:
        found = call_named(call, folder or records_folder())
    except NotFoundError as error:
        give_up(str(error), code=USAGE)
    path = out or found.path.with_name(f"{found.name.replace('#', '-')}.html")
    try:
        stays_beside = write_page(found, path)
    except OSError as error:
        give_up(f"{path} cannot be written ({error.strerror}).", code=USAGE)
    print(path)
    if stays_beside:
        print("Its sound is long, and stays in its own file: move both together.")
    if open_it:
        webbrowser.open(path.resolve().as_uri())
