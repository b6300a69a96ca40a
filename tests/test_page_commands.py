"""Every command that a page shows can be typed: words, options, targets and files are there."""

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from agent.cli import app as agent_app
from stt_assemblyai.cli.main import transcribe

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
OURS = ("make", "python", "python3", ".venv/bin/python", ".venv/bin/pytest")
OTHERS = (".", "arecord", "cp", "curl", "docker", "echo", "export", "kubectl")
"""Programs of others, and of the shell."""
INLINE = re.compile(r"`([^`\n]+)`")


def parts_of(page: str) -> tuple[list[list[str]], str]:
    """The lines of each fenced block without a language of its own, and the page without blocks."""
    blocks: list[list[str]] = []
    prose: list[str] = []
    fence: str | None = None
    for line in page.splitlines():
        if line.startswith("```"):
            if fence is None and line in ("```", "```sh"):
                blocks.append([])
            fence = line if fence is None else None
        elif fence is None:
            prose.append(line)
        elif fence in ("```", "```sh"):
            blocks[-1].append(line)
    return blocks, "\n".join(prose)


def typed(line: str) -> list[str]:
    """The commands of a line, without comments and what is set for them alone."""
    commands = re.split(r" && | \| ", re.sub(r"(^|\s)#.*", "", line))
    return [
        re.sub(r"^((sudo|[A-Z_]+=\S*|\$) )+", "", each.strip()) for each in commands if each.strip()
    ]


def blocks_of_commands(page: str) -> list[list[str]]:
    """The commands of each block that shows some of ours."""
    blocks = [[command for line in block for command in typed(line)] for block in parts_of(page)[0]]
    return [block for block in blocks if any(each.split(" ")[0] in OURS for each in block)]


def commands_of(page: str) -> Iterator[str]:
    """Each of our commands that a page shows."""
    inline = [command for text in INLINE.findall(parts_of(page)[1]) for command in typed(text)]
    for command in itertools.chain(*blocks_of_commands(page), inline):
        if command.split(" ")[0] in OURS and " " in command:
            yield command


def shown() -> list[tuple[str, str]]:
    """Every command of every page, each once, with the name of a page that shows it."""
    found = {each: page.name for page in PAGES for each in commands_of(page.read_text("utf-8"))}
    told = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    for line in (told["onCreateCommand"], told["updateContentCommand"]):
        found |= dict.fromkeys(typed(line), "devcontainer.json")
    return sorted(found.items())


def fault(app: typer.Typer, words: list[str]) -> str:
    """What the program has against a command line, which is read and not run; or nothing."""
    done = CliRunner().invoke(app, [*words, "--help"])
    return "" if done.exit_code == 0 else done.output


def check_make(words: list[str]) -> None:
    """`make -n` says what it would do, for a target that is there."""
    done = subprocess.run(
        ["make", "-n", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def check_module(words: list[str]) -> None:
    """The module runs with `-m`; the speech module's command knows its options."""
    name = words[0]
    if name == "stt_assemblyai":
        command = typer.Typer()
        command.command()(transcribe)
        assert not fault(command, words[1:])
    elif name.startswith(("workbench", "config")):
        path = ROOT / name.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()
    else:
        assert name in ("venv", "livekit.agents")


@pytest.mark.parametrize(("command", "page"), shown())
def test_a_command_of_a_page_can_be_typed(command: str, page: str) -> None:
    program, *words = shlex.split(command)
    words = [word for word in words if word not in ("-q", "-B")]
    if program == "make":
        check_make(words)
    elif program.endswith("pytest"):
        assert all((ROOT / word).exists() for word in words)
    elif words[0] == "agent.py":
        assert not fault(agent_app, words[1:])
    else:
        assert words[0] == "-m"
        check_module(words[1:])


def test_beside_ours_pages_show_commands_of_few_programs_and_files_that_are_there() -> None:
    for page in PAGES:
        for command in itertools.chain(*blocks_of_commands(page.read_text("utf-8"))):
            program, *words = command.split()
            assert program in (*OURS, *OTHERS), f"{page.name}: {command}"
            if program == "cp":
                assert (ROOT / words[0]).exists()


@pytest.mark.parametrize("wrong", ["python agent.py cal", "python agent.py call --expects x"])
def test_a_wrong_word_or_option_would_be_seen(wrong: str) -> None:
    [command] = commands_of(f"`{wrong}`")
    assert "No such" in fault(agent_app, shlex.split(command)[2:])
