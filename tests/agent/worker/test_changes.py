"""What a changed file means to a worker under development."""

from pathlib import Path

import pytest

from agent.worker.changes import Effect, Watched, in_words, syntax_fault

HOUSE, OUTSIDE = Path("/house"), Path("/elsewhere")
WATCHED = Watched(
    HOUSE, HOUSE / ".env", HOUSE / "agent/call/instructions.md", HOUSE / "agent/call/phrases"
)
ELSEWHERE = Watched(HOUSE, OUTSIDE / ".env", OUTSIDE / "told.md", OUTSIDE / "words")


@pytest.mark.parametrize(
    "path",
    [
        "agent.py",
        ".env",
        "agent/call/answer.py",
        "agent/playground/server.py",
        "agent/call/sounds/hold.ogg",
        "agent/call/notes.md",
        "config/load.py",
        "stt_assemblyai/stream.py",
    ],
)
def test_what_a_worker_reads_when_it_starts_takes_a_new_worker(path: str) -> None:
    assert WATCHED.effect(HOUSE / path) is Effect.NEW_WORKER


@pytest.mark.parametrize("path", ["agent/call/instructions.md", "agent/call/phrases/en.toml"])
def test_what_calls_read_again_reaches_them(path: str) -> None:
    assert WATCHED.effect(HOUSE / path) is Effect.NEXT_TURN


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "tests/test_house.py",
        "agent/call/answer.py~",
        "agent/call/.answer.py",
        "agent/call/#answer.py",
        "agent/call/__pycache__/answer.cpython-311.pyc",
        "agent/call/phrases/.en.toml",
        "agent/call/phrases/en.txt",
        "agent/playground/static/playground.js",
        "agent/playground/source/notes.md",
        "config/.env",
    ],
)
def test_nothing_else_means_anything(path: str) -> None:
    assert WATCHED.effect(HOUSE / path) is Effect.NONE


def test_files_that_settings_name_may_be_anywhere() -> None:
    assert ELSEWHERE.effect(OUTSIDE / ".env") is Effect.NEW_WORKER
    assert ELSEWHERE.effect(OUTSIDE / "told.md") is Effect.NEXT_TURN
    assert ELSEWHERE.effect(OUTSIDE / "words/de.toml") is Effect.NEXT_TURN
    assert ELSEWHERE.effect(OUTSIDE / "other.py") is Effect.NONE
    assert ELSEWHERE.effect(HOUSE / "agent/call/notes.md") is Effect.NEW_WORKER


def test_changes_are_sorted_by_what_they_mean() -> None:
    changed = [HOUSE / "config/load.py", HOUSE / "README.md", HOUSE / "agent.py"]
    assert WATCHED.sorted_out(changed) == {
        Effect.NEW_WORKER: [HOUSE / "agent.py", HOUSE / "config/load.py"]
    }


def test_only_folders_that_exist_are_watched(tmp_path: Path) -> None:
    for name in ("agent/words", "config"):
        (tmp_path / name).mkdir(parents=True)
    told = tmp_path / "lost" / "told.md"
    watched = Watched(tmp_path, tmp_path / "config/.env", told, tmp_path / "agent/words")
    assert watched.folders() == [tmp_path / name for name in ("agent", "agent/words", "config")]
    assert watched.beside() == [tmp_path]
    told = tmp_path / "told" / "by.md"
    told.parent.mkdir()
    elsewhere = Watched(tmp_path, tmp_path / ".env", told, tmp_path / "agent/words")
    assert elsewhere.beside() == [tmp_path, told.parent]


def test_a_syntax_error_is_told_with_its_line() -> None:
    assert syntax_fault(b"first = 1\nsecond = = 2\n", "agent/x.py") == (
        "agent/x.py: invalid syntax (x.py, line 2)"
    )
    assert (syntax_fault(b"a = '\0'", "x.py") or "").startswith("x.py")
    assert syntax_fault("name = 'Zoë'\n".encode(), "x.py") is None


def test_files_of_the_project_are_named_without_its_folder() -> None:
    assert in_words([HOUSE / "agent.py", OUTSIDE / ".env"], HOUSE) == "agent.py, /elsewhere/.env"
