"""Commands that are given a number that makes no sense."""

import subprocess
import sys

import pytest

from workbench.arguments import command, one_of


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
