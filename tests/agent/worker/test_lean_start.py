"""What the worker imports in the beginning, and how."""

import gc
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.worker import spare
from agent.worker.lean_start import ENVIRONMENT, UNUSED, lean_start, load_at_first_use


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, "1")
    yield
    gc.enable()


def test_a_module_is_loaded_when_something_is_asked_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("dear_module", "cheap_module"):
        (tmp_path / f"{name}.py").write_text(f"print({name!r}); answer = 42")
    load_at_first_use({"dear_module", "no_such_module"})
    dear = importlib.import_module("dear_module")
    importlib.import_module("cheap_module")
    assert capsys.readouterr().out == "cheap_module\n"
    assert dear.answer == 42
    assert capsys.readouterr().out == "dear_module\n"
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_module")


def test_what_is_imported_lazily_is_there() -> None:
    for name in UNUSED:
        assert importlib.util.find_spec(name)


def test_garbage_is_looked_for_again_after_the_imports_and_after_a_failed_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name)
    with lean_start():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert {name: os.environ[name] for name in ENVIRONMENT} == ENVIRONMENT
    with pytest.raises(ImportError), lean_start():
        importlib.import_module("no_such_module")
    assert gc.isenabled()


def test_a_worker_that_waits_for_changed_code_starts_in_the_same_environment() -> None:
    assert spare.ENVIRONMENT == ENVIRONMENT
