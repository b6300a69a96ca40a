"""A short form of `make chaos`: whatever fails, nobody is lost."""

from pathlib import Path

from workbench.bench.chaos.__main__ import Chaos, run
from workbench.bench.chaos.calls import Outcome


async def test_whatever_fails_nobody_is_lost(tmp_path: Path) -> None:
    chaos = Chaos(calls=4, workers=2, nodes=1, at_once=2, faults=3, seed=5)
    reports = (await run(chaos, tmp_path)).reports
    assert len(reports) == 4
    assert not [report for report in reports if report.outcome is Outcome.LOST]
