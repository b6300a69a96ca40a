"""The scorecard's page: what a stand-in is, every measure, and the words that were lost."""

from pathlib import Path

import numpy as np
import pytest

from workbench.bench.talk import kept
from workbench.bench.talk.duck import softer_after_ms
from workbench.bench.talk.kept import KeptCall, KeptSegment, KeptStimulus
from workbench.bench.talk.page import found_figures, medians, page
from workbench.bench.talk.spans import Kind
from workbench.bench.talk.story import story

RATE = 16_000


def said(
    text: str, start_ms: float, end_ms: float, kind: Kind = Kind.TURN, *, over: bool = False
) -> KeptStimulus:
    return KeptStimulus(
        kind=kind,
        start_ms=start_ms,
        end_ms=end_ms,
        text=text,
        source="made",
        is_over_reply=over,
        softer_after_ms=150 if over else None,
    )


def call(*heard: str, contestant: str = "ours", stand_ins: str = "AssemblyAI") -> KeptCall:
    """A turn, a reply that is interrupted by another, and the answer to it."""
    return KeptCall(
        contestant=contestant,
        name="call-1",
        line="wideband",
        stand_ins=stand_ins,
        stimuli=(
            said("Open the door.", 1000, 2000),
            said("No, close the window.", 4000, 5200, over=True),
        ),
        agent_speech=((2800, 3000), (3100, 4350), (6000, 9000)),
        segments=tuple(
            KeptSegment(is_callers=True, opened_ms=1000 + 3000 * number, text=text)
            for number, text in enumerate(heard)
        ),
        longest_stall_ms=12,
        cpu_percent=50,
    )


def test_the_first_sentence_tells_what_is_a_stand_in() -> None:
    for stand_ins, sentence in (
        ("AssemblyAI and OpenAI", "AssemblyAI and OpenAI are stand-ins on this machine"),
        ("OpenAI", "OpenAI is a stand-in on this machine"),
        ("", "AssemblyAI and OpenAI are the real services here, and nothing is a stand-in"),
    ):
        text = page([call(stand_ins=stand_ins)], "judged", 200)
        assert text.split("\n\n")[1].startswith(sentence)


def test_both_are_shown_beside_each_other() -> None:
    calls = [call("open the door", "no close the window", contestant=each) for each in "ab"]
    lines = page(calls, "judged", 200).splitlines()
    assert any(line.startswith("|  | a | b |") for line in lines)
    assert "| median, and 90 of 100 are sooner | a | b |" in lines


def test_latencies_are_measured_to_10_ms() -> None:
    twice = [call("open the door"), call("open the door")]
    lines = medians({"ours": twice}, 200)
    assert "| from an interruption's begin until it is silent | 0.35 s, 0.35 s |" in lines
    assert "| from a turn's end to the answer | 0.80 s, 0.80 s |" in lines
    assert lines[3].endswith("| 0.15 s, 0.15 s |")


def test_the_story_tells_what_came_of_each() -> None:
    [_, first, second] = story(call("open the door", "no close the window"), 200)
    assert "answered after 0.80 s" in first
    assert "silent after 0.35 s" in second
    assert "'No, close the window.' heard as 'no close the window'" in second


def test_calls_are_kept_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "talk" / "judged.json"
    assert kept.read(path) == ()
    kept.write(path, [call("open")])
    assert kept.read(path) == (call("open"),)
    path.write_text('[{"contestant": "ours"}]')
    assert kept.read(path) == ()


@pytest.mark.parametrize(("after", "found"), [(0.0, 200), (0.178, 200), (0.5, None)])
def test_an_agent_is_softer_once_it_is_9_db_down_for_180_ms(
    after: float, found: float | None
) -> None:
    tone = np.sin(2 * np.pi * 300 * np.arange(RATE * 4) / RATE)
    level = np.full(tone.size, 0.3)
    level[round(2.2 * RATE) :] = after * 0.3
    sound = (tone * level * 32767).astype(np.int16)
    assert softer_after_ms(sound, RATE, 2000) == found


def test_a_short_pause_of_the_voice_is_not_softer() -> None:
    sound = (9000 * np.sin(np.arange(RATE * 4) / 3)).astype(np.int16)
    sound[round(2.2 * RATE) : round(2.32 * RATE)] = 0
    assert softer_after_ms(sound, RATE, 2000) is None


def test_figures_for_make_bench_are_of_what_both_have() -> None:
    both = [call("Open the door."), call("Open the door.", contestant="stock")]
    found = {each.name: each for each in found_figures(both, 200)}
    until = found["seconds until the answer, mean"]
    assert (until.ours, until.stock, until.unit, until.more_is_better) == (0.8, 0.8, "s", False)
    assert found["turns answered, share"].more_is_better
    lost = found["words lost in overlaps, share"]
    assert (lost.ours, lost.more_is_better) == (1.0, False)
    assert "what is to be ignored ignored, share" not in found  # there was none of it
    assert list(found_figures(both[:1], 200)) == []
