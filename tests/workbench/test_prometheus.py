"""Which Prometheus the tests use, and what they say without one."""

from pathlib import Path

import pytest

from workbench.local.prometheus import NoPrometheusError, fetch, find


@pytest.fixture
def _nothing_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def put(program: Path) -> Path:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


@pytest.mark.usefixtures("_nothing_on_path")
def test_one_on_path_comes_before_one_in_the_cache(tmp_path: Path) -> None:
    unpacked = put(tmp_path / "prometheus/usr/bin/promtool")
    assert find("promtool", tmp_path) == unpacked
    installed = put(tmp_path / "bin/promtool")
    assert find("promtool", tmp_path) == installed


@pytest.mark.usefixtures("_nothing_on_path")
def test_without_one_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(NoPrometheusError, match=r"promtool is not on this machine: `make test`"):
        find("promtool", tmp_path)
    with pytest.raises(NoPrometheusError, match="install Prometheus"):
        fetch(tmp_path, print)


@pytest.mark.usefixtures("_nothing_on_path")
def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    for name in ("prometheus", "promtool"):
        put(tmp_path / f"prometheus/usr/bin/{name}")
    said: list[str] = []
    fetch(tmp_path, said.append)
    assert said == []
