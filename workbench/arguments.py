"""Arguments of commands that argparse has no type for."""

import argparse


def positive(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def expect_none(program: str, description: str | None) -> None:
    """For a command that takes no arguments: `--help` and a wrong argument end the program here."""
    argparse.ArgumentParser(prog=f"python -m {program}", description=description).parse_args()
