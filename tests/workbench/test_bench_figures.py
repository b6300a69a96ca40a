"""What benchmarks tell `make bench`, out of what they measured."""

from workbench.bench import vad
from workbench.bench.chaos.__main__ import figures as of_chaos
from workbench.bench.chaos.calls import Outcome, Report
from workbench.bench.compare.__main__ import figures as of_losses
from workbench.bench.compare.losses import Loss
from workbench.bench.figures import Figure


def test_a_detector_is_beside_the_plugin() -> None:
    costs = {vad.PLUGIN: 20.0, vad.TAPPED: 22.0, vad.OURS: 4.0}
    assert vad.figures(costs) == [
        Figure(name="CPU for a second of sound", unit="ms", ours=4, stock=20)
    ]


def report(outcome: Outcome, greeted_seconds: float | None) -> Report:
    return Report("room", outcome, greeted_seconds, "")


def test_chaos_tells_who_was_lost_and_who_was_answered() -> None:
    reports = [
        report(Outcome.ANSWERED, 1.0),
        report(Outcome.REPLACED, 3.0),
        report(Outcome.LOST, None),
        report(Outcome.APOLOGISED, 2.0),
    ]
    assert {each.name: each.ours for each in of_chaos(reports)} == {
        "callers lost": 1,
        "callers answered": 2,
        "first words, median, among faults": 2.0,
    }
    assert len(of_chaos([report(Outcome.LOST, None)])) == 2


def loss(said: int, lost: int, doubled: int) -> Loss:
    return Loss(1, said, lost, doubled, 0, 1, 1, None)


def test_losses_are_shares_of_all_that_was_said() -> None:
    losses = {"a cut": (loss(100, 0, 1), loss(100, 30, 0)), "more": (loss(100, 1, 0),) * 2}
    assert [(each.name, each.ours, each.stock) for each in of_losses(losses)] == [
        ("words lost", 0.5, 15.5),
        ("words doubled", 0.5, 0.0),
    ]
