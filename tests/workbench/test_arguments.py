"""Commands that are given a number that makes no sense."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.arguments import checkout, command, one_of, writable


@pytest.mark.parametrize("command", ["workbench.bench.fuzz x", "workbench.bench.chaos --calls 0"])
def test_a_senseless_number_is_refused_in_a_sentence(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.endswith("is not a whole number from 1 on\n")


def test_parts_are_taken_by_name_and_an_unknown_one_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = command("workbench.bench.some", "Says.")
    parser.add_argument("parts", nargs="*", type=one_of(("wire", "losses")))
    assert parser.parse_args([]).parts == []
    assert parser.parse_args(["losses"]).parts == ["losses"]
    with pytest.raises(SystemExit):
        parser.parse_args(["wires"])
    assert capsys.readouterr().err.endswith("'wires' is none of wire, losses\n")


def test_a_file_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    assert writable(str(tmp_path / "new.json")) == tmp_path / "new.json"
    with pytest.raises(argparse.ArgumentTypeError, match="cannot be written"):
        writable(str(tmp_path / "nowhere" / "new.json"))
    with pytest.raises(argparse.ArgumentTypeError, match="is a folder"):
        writable(str(tmp_path))


def test_another_checkout_is_a_folder_with_the_program(tmp_path: Path) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no checkout"):
        checkout(str(tmp_path))
    (tmp_path / "agent.py").touch()
    assert checkout(str(tmp_path)) == tmp_path


@pytest.mark.parametrize(
    ("name", "typed"),
    [("workbench.bench.some", "python -m workbench.bench.some"), ("make some", "make some")],
)
def test_help_says_how_a_command_is_typed_and_its_defaults(name: str, typed: str) -> None:
    parser = command(name, "Says.")
    parser.add_argument("--calls", type=int, default=30, help="how many")
    text = parser.format_help()
    assert text.startswith(f"usage: {typed} ")
    assert "how many (default: 30)" in text
