"""The page on troubleshooting has the exit codes and every option of `call`."""

import re
from pathlib import Path

from typer.main import get_command

from agent.caller.outcome import MEANINGS
from agent.cli import app

PAGE = (Path(__file__).parents[3] / "docs" / "troubleshooting.md").read_text("utf-8")
CALL = PAGE.partition("## A call from the shell")[2]


def test_the_page_has_the_exit_codes_and_their_meanings() -> None:
    rows = re.findall(r"^\| (\d) \| (.*) \|$", CALL, re.MULTILINE)
    assert rows == [(str(code.value), meaning) for code, meaning in MEANINGS.items()]


def test_the_page_names_every_option_and_no_other() -> None:
    command = get_command(app).commands["call"]  # type: ignore[attr-defined]  # it is a group
    options = {name for each in command.params for name in each.opts if name.startswith("--")}
    assert set(re.findall(r"--[a-z]+", CALL)) == options - {"--help"}
