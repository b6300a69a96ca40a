"""What benchmarks find comes through a file as it was."""

import argparse
from pathlib import Path

import pytest

from workbench.bench.figures import Figure, add_json_option, read, write

REPLY = Figure(name="reply", unit="ms", ours=600, stock=1200, floor=500)
ANSWERED = Figure(name="turns answered", unit="%", ours=100, more_is_better=True)


def test_figures_come_through_a_file_as_they_were(tmp_path: Path) -> None:
    write(tmp_path / "found.json", iter([REPLY, ANSWERED]))
    assert read(tmp_path / "found.json") == [REPLY, ANSWERED]


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(None, [REPLY])
    assert list(tmp_path.iterdir()) == []


def test_a_benchmark_may_be_told_where_to_write() -> None:
    parser = argparse.ArgumentParser()
    add_json_option(parser)
    assert parser.parse_args([]).json is None
    assert parser.parse_args(["--json", "found.json"]).json == Path("found.json")


def test_ours_is_a_share_of_stocks_and_a_multiple_of_the_floor() -> None:
    assert REPLY.of_stock == 0.5
    assert REPLY.of_floor == pytest.approx(1.2)


@pytest.mark.parametrize("value", [None, 0.0])
def test_there_is_no_share_of_nothing(value: float | None) -> None:
    figure = Figure(name="words lost", unit="", ours=0, stock=value, floor=value)
    assert figure.of_stock is None
    assert figure.of_floor is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '[{"name": "reply", "unit": "ms"}]',
        '[{"name": "", "unit": "ms", "ours": 1}]',
        '[{"name": "reply", "unit": "ms", "ours": NaN}]',
        '[{"name": "reply", "unit": "ms", "ours": 1, "theirs": 2}]',
    ],
)
def test_another_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "found.json").write_text(text)
    with pytest.raises(ValueError, match="validation error"):
        read(tmp_path / "found.json")
