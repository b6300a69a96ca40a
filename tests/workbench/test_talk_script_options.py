"""The options of the commands that play the benchmark's scripts."""

import pytest

from workbench.bench.talk.script_options import parse, script_parser


def test_more_overlaps_than_fit_end_the_command_with_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = script_parser("workbench.bench.talk", None, turns=156, overlaps=150, seed="judged")
    with pytest.raises(SystemExit) as ended:
        parse(parser, ["--turns", "20", "--overlaps", "20"])
    assert ended.value.code == 2
    assert "room for 19; give more --turns or fewer --overlaps" in capsys.readouterr().err


def test_the_defaults_fit() -> None:
    parser = script_parser("workbench.bench.talk", None, turns=156, overlaps=150, seed="judged")
    options = parse(parser, [])
    assert (options.turns, options.overlaps, options.seed) == (156, 150, "judged")
