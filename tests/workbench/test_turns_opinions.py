"""What a second opinion does to people: counted, and put on a page."""

from dataclasses import replace

import pytest

from agent.caller.timeline import Samples
from workbench.bench.talk.eot_bench import Silence
from workbench.bench.turns.opinions import Cost, Figures, Measured, counted, hear
from workbench.bench.turns.opinions_page import compared, curves, section
from workbench.bench.turns.people import people
from workbench.bench.turns.silences import Placed

# One turn: a pause of 800 ms, a breath, one of 300 ms, its end.
TURN: list[Placed] = [
    (1000.0, Silence(is_end=False, duration_ms=800)),
    (2500.0, Silence(is_end=False, duration_ms=120)),
    (3000.0, Silence(is_end=False, duration_ms=300)),
    (4000.0, Silence(is_end=True, duration_ms=4200)),
]


def figures(*taken_ms: int) -> Figures:
    found = Figures()
    counted(TURN, taken_ms, found)
    return found


def test_the_wait_is_from_the_end_of_a_turn_until_it_is_taken() -> None:
    found = figures(4600)
    assert (found.pauses, found.cut_offs, found.waits_ms) == (2, 0, [600])


def test_a_turn_that_is_taken_in_a_pause_cuts_it_off() -> None:
    found = figures(1400, 4600)
    assert (found.cut_offs, found.cut_off_share, found.waits_ms) == (1, 0.5, [600])


def test_to_take_it_when_the_caller_has_just_gone_on_is_no_better() -> None:
    assert figures(1900, 4600).cut_offs == 1


def test_a_breath_is_no_pause() -> None:
    assert figures(2550, 4600).cut_offs == 0


@pytest.mark.parametrize("taken_ms", [(), (8300,)])
def test_a_turn_that_runs_into_the_next_was_waited_until_that_began(
    taken_ms: tuple[int, ...],
) -> None:
    assert figures(*taken_ms).waits_ms == [4200]


def measured() -> Measured:
    off, on = figures(1400, 4600), figures(4800)
    for each in (off, on):
        counted(TURN, [4500], each)
    detector = [replace(each, predictions=((250.0, 0.9),)) for _, each in TURN]
    by_setting: dict[tuple[str, int | None], Figures] = {}
    for preset in ("seed", "balanced"):
        by_setting |= {(preset, None): off, (preset, 1500): on}
    return Measured(by_setting, detector, Cost(244.0, 0.5, 10))


def test_every_preset_is_compared_with_itself() -> None:
    assert compared(measured(), 1500) == [
        (preset, "25%", "0%", "550 ms", "650 ms", "590 ms", "770 ms")
        for preset in ("seed", "balanced")
    ]


def test_the_section_begins_with_what_is_a_stand_in_and_says_what_it_cost() -> None:
    lines = section(measured(), 1500, turns=2, speakers=1, picture="title")
    text = "\n".join(lines)
    assert "stand-in" in text.partition(".")[0]
    assert "50 ms of\nCPU" in text
    assert "244 MB" in text
    assert "| seed | 25%, 550 ms | 0%, 650 ms |" in lines
    assert [each.points for each in curves(measured())] == [
        [(550, 0.25, "off"), (650, 0.0, "1500")]
    ] * 2


def test_what_is_heard_in_a_call_is_the_same_each_time() -> None:
    calls = [people(most=2)[0] for _ in range(2)]
    assert calls[0].samples.tobytes() == calls[1].samples.tobytes()
    first, second = (hear(call, loudness) for call in calls)
    assert (first.voices, first.moments) == (second.voices, second.moments)
    assert sum(silence.is_end for _, silence in first.silences) == 2


def loudness(samples: Samples) -> float:
    return float(abs(samples.astype(float)).mean() / 32768)


def test_a_recording_keeps_the_sound_behind_its_last_word() -> None:
    [reader, *_] = people(most=1)
    [turn] = reader.turns
    behind = reader.samples[turn.end_ms * 16 : turn.end_ms * 16 + 1600]
    assert abs(behind).max() > 0
