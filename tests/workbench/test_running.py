"""One `make run` at a time, and `make call` finds it."""

import stat
from pathlib import Path

import pytest

from workbench.local.running import (
    AlreadyRunningError,
    NotRunningError,
    State,
    find,
    only_one,
    tell,
)

STATE = State(url="ws://127.0.0.1:1", api_key="key", api_secret="hush", agent_name="Ada")


def test_a_caller_finds_what_the_run_told(tmp_path: Path) -> None:
    with only_one(tmp_path):
        tell(STATE, tmp_path)
        assert find(tmp_path) == STATE


def test_a_second_run_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with (
        only_one(tmp_path),
        pytest.raises(AlreadyRunningError, match=r"already running") as refusal,
    ):
        only_one(tmp_path).__enter__()
    assert "\n" not in str(refusal.value)


def test_a_second_run_leaves_the_first_one_reachable(tmp_path: Path) -> None:
    with only_one(tmp_path):
        tell(STATE, tmp_path)
        with pytest.raises(AlreadyRunningError):
            only_one(tmp_path).__enter__()
        assert find(tmp_path) == STATE


def test_without_a_run_the_caller_is_told_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="make run"):
        find(tmp_path)


def test_a_run_that_is_still_starting_cannot_be_called_yet(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(NotRunningError, match="still starting"):
        find(tmp_path)


def test_what_a_killed_run_left_behind_is_not_believed(tmp_path: Path) -> None:
    with only_one(tmp_path):
        tell(STATE, tmp_path)
        left_behind = (tmp_path / "state.json").read_text()
    (tmp_path / "state.json").write_text(left_behind)
    with pytest.raises(NotRunningError):
        find(tmp_path)
    with only_one(tmp_path), pytest.raises(NotRunningError, match="still starting"):
        find(tmp_path)


def test_only_this_user_may_read_the_secret(tmp_path: Path) -> None:
    with only_one(tmp_path):
        tell(STATE, tmp_path)
        assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600
    assert "hush" not in repr(STATE)
