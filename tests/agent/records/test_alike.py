"""The same oddity in several turns becomes one."""

from agent.records.alike import MOST_NAMED, listed, together
from agent.records.oddity import Oddity


def late(turn: int, figure: str, hint: str = "Wait.") -> Oddity:
    return Oddity("late", f"Turn {turn} “said {turn}” came {figure} late.", turn, hint)


def test_those_that_differ_in_figures_and_words_alone_are_one_with_all_their_turns() -> None:
    call = Oddity("late", "All was late.")
    found = together([call, late(2, "2.65 s"), late(3, "80 ms"), call, late(12, "1 min 5 s")])
    assert found[0] == found[2] == call
    assert (found[1].turn, found[1].also, found[1].hint) == (2, (3, 12), "Wait.")
    assert found[1].sentence == (
        "Turn 2 “said 2” came 2.65 s late. The same happened in turns 3 (80 ms) and 12 (1 min 5 s)."
    )


def test_others_stay_apart_and_one_other_is_a_turn() -> None:
    assert len(together([late(2, "1.00 s"), late(3, "1.00 s", "Look.")])) == 2
    (one,) = together([late(2, "1.00 s"), late(3, "1.10 s")])
    assert one.sentence.endswith("The same happened in turn 3 (1.10 s).")
    bare = [Oddity("mute", f"Turn {each} got no reply.", each) for each in (1, 2)]
    assert together(bare)[0].sentence.endswith("The same happened in turn 2.")


def test_of_many_the_rest_is_a_number() -> None:
    (one,) = together([late(each, "1.00 s") for each in range(1, MOST_NAMED + 4)])
    assert one.sentence.endswith(f"and {MOST_NAMED + 1} (1.00 s), and in 2 more.")
    assert len(one.also) == MOST_NAMED + 2


def test_names_are_listed() -> None:
    assert listed(["2"]) == "2"
    assert listed(["2", "3", "4"]) == "2, 3 and 4"
