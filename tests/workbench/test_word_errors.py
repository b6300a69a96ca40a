"""Words that were understood wrongly are counted as words."""

from workbench.local.calling.word_errors import word_error_rate


def test_one_wrong_word_in_four_is_a_quarter() -> None:
    assert word_error_rate([("one two", "One, two."), ("three four", "three more")]) == 0.25


def test_nothing_heard_is_all_wrong() -> None:
    assert word_error_rate([("one two", "")]) == 1.0
