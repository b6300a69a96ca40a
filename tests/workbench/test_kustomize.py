"""Which Kustomize the tests use, and what it says of a folder that it cannot render."""

import os
from pathlib import Path

import pytest

from workbench.local.go_programs import GoProgram
from workbench.local.kustomize import KUSTOMIZE, RenderError, find_or_build, render


def put(program: Path, script: str = "") -> Path:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


async def test_one_on_path_comes_before_our_build(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    built = put(KUSTOMIZE.path(tmp_path / "cache"))
    said: list[str] = []
    assert await find_or_build(said.append, tmp_path / "cache") == built
    installed = put(tmp_path / "bin/kustomize")
    assert await find_or_build(said.append, tmp_path / "cache") == installed
    assert said == []


async def test_a_program_is_built_by_go_install_and_only_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A `go` of the test's own notes what it is asked, and makes the file."""
    install = 'mkdir -p "$GOBIN"; echo "$@" >> "$LOG"; touch "$GOBIN/it"'
    put(tmp_path / "bin/go", f'[ "$1" = version ] && echo go version go1.30 || {{ {install}; }}')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.defpath}")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    program = GoProgram("it", "example.org/it", "1.2.3", "kept")
    said: list[str] = []
    for _ in range(2):
        assert await program.build_once(said.append, tmp_path) == tmp_path / "kept/v1.2.3/it"
    asked = (tmp_path / "log").read_text().splitlines()
    assert asked == ["install -ldflags=-s -w example.org/it@v1.2.3"]
    assert said == ["Building it 1.2.3, this once."]


def test_a_folder_is_rendered_or_kustomize_says_why_not(tmp_path: Path) -> None:
    assert render(put(tmp_path / "good", "echo kind: $1"), tmp_path) == "kind: build\n"
    with pytest.raises(RenderError, match="no such folder"):
        render(put(tmp_path / "bad", "echo no such folder >&2; exit 1"), tmp_path)
