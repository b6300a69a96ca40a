"""`settings`: the values that the worker would run with, and where each comes from."""

import os
import sys
from collections.abc import Iterable

from agent.cli.faults import FAILED, USAGE, give_up, in_words, told_warnings
from config.settings import Settings

NAME_WIDTH, VALUE_WIDTH = 46, 40  # with the origin, 100 columns


def settings() -> None:
    """Show every setting, its value and where it was set. Secrets are masked.

    If a setting is missing or wrong, the others are shown all the same.
    """
    from agent.needed_settings import load_needed
    from config.load import SettingsError, origins
    from config.reference import variables

    loaded: Settings | None = None
    faults: list[str] = []
    try:
        with told_warnings():
            loaded = load_needed()
    except SettingsError as error:
        faults = error.faults
    values = _of_settings(loaded) if loaded else _as_written()
    where = origins()
    rows = [("setting", "value", "from")]
    for variable in variables():
        name = variable.name
        needed = "MISSING" if variable.required else "default"
        rows.append((name, _in_a_line(values[name]), where.get(name, needed)))
    _write(f"{name:<{NAME_WIDTH}} {value:<{VALUE_WIDTH}} {origin}" for name, value, origin in rows)
    if faults:
        give_up("", *in_words(faults), code=USAGE)


def _write(lines: Iterable[str]) -> None:
    """Print the lines. A full disk costs one sentence; a reader that has gone costs none."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text stream
    try:
        print(*lines, sep="\n", flush=True)
    except OSError as error:
        # Python would write what is left in the stream once more at exit: throw it away.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise SystemExit(FAILED) from None
        give_up(f"The settings cannot be written: {error.strerror}.")


def _of_settings(loaded: Settings) -> dict[str, str]:
    """The values in force, by name; for session parameters, the values that are sent."""
    from config.names import SETTINGS
    from config.secrets import shown

    sent = loaded.session_options.effective()
    return {
        name: shown(
            getattr(getattr(loaded, section), field)
            if field not in sent or section != "assemblyai"
            else sent[field],
        )
        for name, (section, field) in SETTINGS.items()
    }


def _as_written() -> dict[str, str]:
    """The values as they are set, right or wrong, by name; defaults for the rest."""
    from agent.redaction import Redaction
    from config.load import texts
    from config.reference import variables
    from config.secrets import MASKED

    found, redaction = texts(), Redaction()
    return {
        each.name: each.default
        if each.name not in found
        else MASKED
        if each.secret
        else redaction.text(found[each.name])
        for each in variables()
    }


def _in_a_line(text: str) -> str:
    """The text cut to its column, without anything that moves the cursor."""
    line = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return line if len(line) <= VALUE_WIDTH else f"{line[: VALUE_WIDTH - 3]}..."
