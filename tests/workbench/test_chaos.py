"""What `make chaos` plans, measures and draws."""

import random
from collections import Counter

import pytest

from workbench.bench.chaos.calls import Hearing, Outcome, Report
from workbench.bench.chaos.drawing import Story, Struck, draw
from workbench.bench.chaos.faults import (
    CLUSTER_FAULTS,
    FAULTS,
    kill_redis,
    plan,
    restart_the_server,
)


@pytest.mark.parametrize("seed", range(5))
def test_each_fault_of_a_cluster_strikes_once_and_the_others_about_as_often(seed: int) -> None:
    of_cluster, others = plan(24, random.Random(seed), nodes=2)
    assert sorted(map(repr, of_cluster)) == sorted(map(repr, CLUSTER_FAULTS))
    assert len(others) == 24 - len(CLUSTER_FAULTS)
    count = Counter(others)
    assert max(count.values()) - min(count.values()) <= 1
    assert set(count) == {*FAULTS} - {restart_the_server}


def test_with_one_node_nothing_strikes_that_needs_two() -> None:
    of_cluster, others = plan(9, random.Random(1))
    assert not of_cluster
    assert set(others) == set(FAULTS)
    assert kill_redis not in others


def test_the_longest_silence_is_the_longest_time_without_a_voice() -> None:
    hearing = Hearing(10.0, 40.0, heard=((9.0, 12.0), (13.0, 20.0), (14.0, 15.0), (32.0, 33.0)))
    assert list(hearing.silences) == [(12.0, 13.0), (20.0, 32.0), (33.0, 40.0)]
    assert hearing.longest_silence_seconds == 12.0
    assert Hearing(10.0, 17.0, heard=()).longest_silence_seconds == 7.0
    assert Hearing(10.0, 17.0, heard=((9.0, 18.0),)).longest_silence_seconds == 0.0


def test_a_run_is_drawn_with_its_faults_and_long_silences_in_red() -> None:
    reports = [
        Report("call 1", Outcome.ANSWERED, 1.0, "", Hearing(0.0, 8.0, ((1.0, 3.0),))),
        Report("call 2", Outcome.REPLACED, 1.0, "", Hearing(5.0, 30.0, ((6.0, 8.0),))),
        Report("call 3", Outcome.LOST, None, "could not join"),
    ]
    picture = draw(Story(reports, [Struck(7.0, "kill a node")]), "two calls")
    assert "7 s  kill a node" in picture
    assert "answered, 5 s silent" in picture
    assert "answered, two agents, 22 s silent" in picture
    assert picture.count("#c8374a") == 1
    assert "call 3" not in picture
    assert draw(Story([], []), "nothing").startswith("<svg")
