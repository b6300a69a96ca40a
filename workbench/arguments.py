"""What the commands take: their parsers, and the types that argparse has none for."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["checkout", "command", "expect_none", "one_of", "positive", "writable"]


def command(name: str, description: str | None) -> argparse.ArgumentParser:
    """A parser for `python -m NAME`, or for a `make TARGET`; its help says the defaults."""
    return argparse.ArgumentParser(
        prog=name if name.startswith("make ") else f"python -m {name}",
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )


def expect_none(name: str, description: str | None) -> None:
    """For a command that takes no arguments: `--help` and a wrong argument end the program here."""
    command(name, description).parse_args()


def positive(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def writable(text: str) -> Path:
    """A file that can be written: checked here, not when minutes of measuring are over."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder, not a file")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written")
    return path


def checkout(text: str) -> Path:
    """The folder of a checkout of this project."""
    path = Path(text)
    if not (path / "agent.py").is_file():
        raise argparse.ArgumentTypeError(f"{text!r} holds no agent.py: it is no checkout")
    return path


def one_of(names: Sequence[str]) -> Callable[[str], str]:
    """A type that takes one of these names: argparse's `choices` refuse an empty list of them."""

    def named(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(names)}")
        return text

    return named
